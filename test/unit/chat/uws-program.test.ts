// Where uWebSockets.js comes from: what is installed is what is pinned, and nothing else is ever loaded (ADR 0002).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { forOlderGlibc } from '../../../services/chat/src/sockets/older-glibc.ts';
import { loadUws, uwsProgram } from '../../../services/chat/src/sockets/uws-program.ts';

const { folder, file, pins } = uwsProgram();
const own = join(folder, file);
const temporary = mkdtempSync(join(tmpdir(), 'parley-uws-test-'));
after(() => rmSync(temporary, { recursive: true, force: true }));

describe('the programs of uWebSockets.js', () => {
  test('are those that are pinned, each of them; if they should be others: npm run pins', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.node'));
    const found = Object.fromEntries(files.map((name) => [name, sha256(readFileSync(join(folder, name)))]));
    assert.deepEqual(found, pins);
  });

  test('one byte that differs: refused, with its hash and what to do', () => {
    const bytes = readFileSync(own);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(temporary, file), bytes);
    assert.throws(() => loadUws({ folder: temporary, file, pins }), {
      message: new RegExp(`not the program that Parley pins: its SHA-256 is ${sha256(bytes)}.*npm run pins.*npm ci`),
    });
  });

  test('a program without a pin is refused, also when it would load', () => {
    const { [file]: pin, ...others } = pins;
    assert.ok(pin);
    assert.throws(() => loadUws({ folder, file, pins: others }), /says nothing of it.*Nothing of it was run/);
  });

  test('none for this machine: the file and the versions of Node that have one are named', () => {
    assert.throws(
      () => loadUws({ folder, file: 'uws_plan9_mips_1.node', pins }),
      /no program for this machine: uws_plan9_mips_1.*Node 22 and 24/,
    );
  });

  test('a pinned file that is no program: the cause and what is needed', () => {
    const name = 'uws_text.node';
    writeFileSync(join(temporary, name), 'no program');
    const textPin = { [name]: sha256(Buffer.from('no program')) };
    assert.throws(() => loadUws({ folder: temporary, file: name, pins: textPin }), /cannot be loaded from .*uws_text\.node.*glibc 2\.36/);
  });
});

describe('for glibc 2.36 and 2.37', () => {
  const linux = readdirSync(folder).filter((name) => /^uws_linux_(x64|arm64)_/.test(name));

  for (const name of linux) {
    test(`${name}: the names and versions of three symbols change, and nothing else`, () => {
      const before = readFileSync(join(folder, name));
      const fitted = forOlderGlibc(before);
      const changed = fitted.filter((byte, index) => byte !== before[index]).length;
      // A symbol: at most 4 bytes of its name and 2 of its version; and one flag.
      assert.ok(changed > 0 && changed <= 3 * 6 + 1, `${changed} bytes differ`);
      assert.deepEqual(forOlderGlibc(fitted), fitted, 'there is nothing left to change');
    });
  }

  test('what is made to fit loads here, and serves', { skip: process.platform !== 'linux' && 'Linux only' }, () => {
    const fitted = join(temporary, `fitted-${file}`);
    writeFileSync(fitted, forOlderGlibc(readFileSync(own)));
    const script = `
      const module = { exports: {} };
      process.dlopen(module, ${JSON.stringify(fitted)});
      const uws = module.exports;
      uws.App().get('/*', (response) => response.end('served')).listen('127.0.0.1', 0, uws.LIBUS_LISTEN_EXCLUSIVE_PORT, async (socket) => {
        console.log(await (await fetch('http://127.0.0.1:' + uws.us_socket_local_port(socket))).text());
        process.exit(0);
      });`;
    assert.equal(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim(), 'served');
  });

  test('what needs more of glibc 2.38 is refused, not broken', () => {
    const unknown = readFileSync(own);
    // strtol becomes a function that 2.36 has not got either.
    const at = unknown.indexOf('__isoc23_strtol\0');
    unknown.write('__newest_strtol', at, 'latin1');
    assert.throws(() => forOlderGlibc(unknown), /needs __newest_strtol of GLIBC_2\.38/);
  });
});

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
