// The two load-balance scripts do the same. PowerShell is not installed where the tests run, so what can be read of it is compared.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', name), 'utf8');
const bash = read('test-load-balance.sh');
const powershell = read('test-load-balance.ps1');

test('both have the same options, with the same defaults', () => {
  const options = [...bash.matchAll(/^ {2}--(\w+) .*?(?:\(default: (\d+)\))?$/gm)].map(([, name = '', value]) => ({ name, value }));
  assert.ok(options.length >= 6, JSON.stringify(options));
  for (const { name, value } of options) {
    const parameter = new RegExp(`^ {2}(?:\\[.*\\])?\\[\\w+\\]\\$${name}(?: = (.*?))?,?$`, 'im').exec(powershell);
    assert.ok(parameter, `-${name} is missing in the PowerShell script`);
    if (value !== undefined) assert.equal(parameter[1], value, name);
  }
});

test('Windows PowerShell reads the script whatever the code page is', () => {
  assert.match(powershell, /^[\t\n\r -~]*$/);
});
