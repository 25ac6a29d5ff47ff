// Loads the program of uWebSockets.js for this machine, after its SHA-256 was found among the pinned ones (ADR 0002).
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '@parley/kit/process';
import { forOlderGlibc } from './older-glibc.ts';

/** File name to SHA-256 in hex. */
export type Pins = Readonly<Record<string, string>>;

export interface UwsProgram {
  /** The package's folder. */
  folder: string;
  /** For instance uws_linux_x64_137.node. */
  file: string;
  pins: Pins;
}

const PINS_FILE = 'services/chat/uws-pins.json';

/** What belongs to this machine: platform, processor and the ABI of this Node. */
export function uwsProgram(): UwsProgram {
  const require = createRequire(import.meta.url);
  const { sha256 } = JSON.parse(readFileSync(new URL('../../uws-pins.json', import.meta.url), 'utf8')) as { sha256: Pins };
  const { platform, arch, versions } = process;
  return { folder: dirname(require.resolve('uWebSockets.js')), file: `uws_${platform}_${arch}_${versions.modules}.node`, pins: sha256 };
}

/**
 * The module that the program exports. Throws an error that names cause and next step when there is none for this machine, when it is
 * not the pinned one, and when it cannot be loaded.
 */
export function loadUws(program: UwsProgram): unknown {
  const path = join(program.folder, program.file);
  const bytes = verified(program, path);
  try {
    return load(path);
  } catch (error) {
    if (!messageOf(error).includes('GLIBC_2.38')) throw cannotLoad(path, error);
    return loadCopy(program.file, bytes, error);
  }
}

function verified({ file, pins }: UwsProgram, path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new Error(
      `uWebSockets.js brings no program for this machine: ${file} cannot be read (${messageOf(error)}). ` +
        'Chat runs with Node 22 and 24 on Linux with glibc, macOS and Windows; is all of it installed? npm ci',
      { cause: error },
    );
  }
  const found = createHash('sha256').update(bytes).digest('hex');
  if (pins[file] === found) return bytes;
  throw new Error(
    `${path} is not the program that Parley pins: its SHA-256 is ${found}, ${PINS_FILE} says ${pins[file] ?? 'nothing of it'}. ` +
      'Nothing of it was run. If you changed where uWebSockets.js comes from, run "npm run pins", see what changed, and commit it ' +
      '(docs/adr/0002-uwebsockets-source.md). If you did not, the package was changed or is damaged: npm ci',
  );
}

function load(path: string): unknown {
  const module = { exports: {} };
  process.dlopen(module, path);
  return module.exports;
}

/** Debian 12. A loaded library needs its file no longer. */
function loadCopy(file: string, bytes: Buffer, first: unknown): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'parley-uws-'));
  try {
    writeFileSync(join(folder, file), forOlderGlibc(bytes), { mode: 0o500 });
    return load(join(folder, file));
  } catch (error) {
    throw cannotLoad(file, new Error(`${messageOf(first)}; made to fit: ${messageOf(error)}`, { cause: error }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function cannotLoad(path: string, error: unknown): Error {
  return new Error(
    `uWebSockets.js cannot be loaded from ${path}: ${messageOf(error)}. It needs glibc 2.36 or newer (Debian 12, Ubuntu 24.04); ` +
      'the images have it, so: npm run kind, or a newer system',
    { cause: error },
  );
}
