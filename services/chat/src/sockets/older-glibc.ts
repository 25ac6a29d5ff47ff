// Makes uWebSockets.js load where glibc is 2.36 or 2.37 (Debian 12): its programs are built against 2.38 and need nothing of it but the
// C23 forms of strtol, strtoul and sscanf. Those are bound to the older forms instead, which differ in reading binary literals ("0b1")
// alone. The machine code stays as it is. Pure: bytes in, bytes out. ADR 0002.

const LITTLE_ENDIAN_64 = '7f454c460201';
const SECTION_DYNSYM = 11;
const SECTION_VERNEED = 0x6ffffffe;
const SECTION_VERSYM = 0x6fffffff;
const SYMBOL_BYTES = 24;
/** A needed version that may be missing. */
const VERSION_WEAK = 2;
const C23_PREFIX = '__isoc23_';
const C23_VERSION = 'GLIBC_2.38';
/** The oldest version of glibc's symbols, by the ELF number of the machine: x86-64 and AArch64. */
const BASE_VERSIONS: Record<number, string | undefined> = { 62: 'GLIBC_2.2.5', 183: 'GLIBC_2.17' };

interface Section {
  type: number;
  offset: number;
  size: number;
  link: number;
}

/** A copy of a shared library for Linux that does not ask for glibc 2.38. Throws when it needs more of 2.38 than is known here. */
export function forOlderGlibc(library: Buffer): Buffer {
  const elf = Buffer.from(library);
  if (elf.toString('hex', 0, 6) !== LITTLE_ENDIAN_64) throw new Error('not a 64-bit little-endian ELF file');
  const sections = sectionsOf(elf);
  const symbols = sectionOf(sections, SECTION_DYNSYM);
  const versions = sectionOf(sections, SECTION_VERSYM);
  const names = sections[symbols.link];
  if (!names) throw new Error('the symbols have no names');
  const textAt = (offset: number) => elf.toString('latin1', names.offset + offset, elf.indexOf(0, names.offset + offset));
  const { base, c23 } = weakenC23(elf, sectionOf(sections, SECTION_VERNEED), textAt);
  for (let index = 0; index * SYMBOL_BYTES < symbols.size; index++) {
    const version = versions.offset + 2 * index;
    if (elf.readUInt16LE(version) !== c23) continue;
    const symbol = symbols.offset + index * SYMBOL_BYTES;
    const name = elf.readUInt32LE(symbol);
    if (!textAt(name).startsWith(C23_PREFIX)) throw new Error(`it needs ${textAt(name)} of ${C23_VERSION}`);
    // The older name is the end of the newer one: the same string, read from further on.
    elf.writeUInt32LE(name + C23_PREFIX.length, symbol);
    elf.writeUInt16LE(base, version);
  }
  return elf;
}

/** Marks the need of 2.38 as one that may be missing; the indexes that symbols name their versions by. */
function weakenC23(elf: Buffer, needs: Section, textAt: (offset: number) => string): { base: number; c23: number } {
  const wanted = BASE_VERSIONS[elf.readUInt16LE(0x12)];
  let base: number | undefined;
  let c23: number | undefined;
  for (let need = needs.offset, next = 1; next !== 0; need += next) {
    next = elf.readUInt32LE(need + 12);
    if (textAt(elf.readUInt32LE(need + 4)) !== 'libc.so.6') continue;
    let version = need + elf.readUInt32LE(need + 8);
    for (let left = elf.readUInt16LE(need + 2); left > 0; left--) {
      const name = textAt(elf.readUInt32LE(version + 8));
      if (name === wanted) base = elf.readUInt16LE(version + 6);
      if (name === C23_VERSION) {
        c23 = elf.readUInt16LE(version + 6);
        elf.writeUInt16LE(elf.readUInt16LE(version + 4) | VERSION_WEAK, version + 4);
      }
      version += elf.readUInt32LE(version + 12);
    }
  }
  if (base === undefined || c23 === undefined) throw new Error(`it does not need ${C23_VERSION}, or the machine is another one`);
  return { base, c23 };
}

function sectionsOf(elf: Buffer): Section[] {
  const table = Number(elf.readBigUInt64LE(0x28));
  const bytes = elf.readUInt16LE(0x3a);
  return Array.from({ length: elf.readUInt16LE(0x3c) }, (_, index) => {
    const at = table + index * bytes;
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 24)),
      size: Number(elf.readBigUInt64LE(at + 32)),
      link: elf.readUInt32LE(at + 40),
    };
  });
}

function sectionOf(sections: readonly Section[], type: number): Section {
  const found = sections.find((section) => section.type === type);
  if (!found) throw new Error(`there is no section of type ${type}`);
  return found;
}
