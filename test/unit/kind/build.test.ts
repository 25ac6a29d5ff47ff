// Building: two builds at once, a build that fails, and one at a time for what rewrites the checkout.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';

const repository = resolve(import.meta.dirname, '../../..');
const folder = temporaryFolder();
after(() => removeFolder(folder));

/** A checkout of one package with the build of this one. */
function checkout(name: string): string {
  const root = join(folder, name);
  for (const path of ['kind/tools', 'part/src']) mkdirSync(join(root, path), { recursive: true });
  for (const file of ['kind/tools/build.mjs', 'package-lock.json']) copyFileSync(join(repository, file), join(root, file));
  writeFileSync(join(root, 'package.json'), '{"type":"module","workspaces":["part"]}');
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  const options = { rootDir: '.', module: 'nodenext', target: 'es2023', lib: ['es5'], types: [], strict: true };
  writeFileSync(join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: ['part/src'] }));
  writeFileSync(join(root, 'part/package.json'), '{"type":"module"}');
  writeFileSync(join(root, 'part/src/one.ts'), 'export const one: number = 1;\n');
  return root;
}

async function build(root: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [join(root, 'kind/tools/build.mjs'), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

describe('kind/tools/build.mjs', { timeout: 120_000 }, () => {
  test('two builds at once leave whole files and nothing beside them', async () => {
    const root = checkout('twice');
    writeFileSync(join(root, 'part/src/gone.ts'), 'export const gone = 1;\n');
    assert.match((await build(root)).output, /^built \d+ files/m);
    // From now on the source of an output is gone, so both builds sweep, too.
    rmSync(join(root, 'part/src/gone.ts'));
    const both = await Promise.all([build(root, '--force'), build(root, '--force')]);
    for (const { code, output } of both) assert.equal(code, 0, output);
    assert.deepEqual(readdirSync(join(root, 'part/dist')).sort(), ['one.js']);
    assert.match(readFileSync(join(root, 'part/dist/one.js'), 'utf8'), /^export const one = 1;/);
  });

  test('what does not compile is not written, and fails again the next time', async () => {
    const root = checkout('wrong');
    assert.match((await build(root)).output, /^built \d+ files/m);
    writeFileSync(join(root, 'part/src/one.ts'), 'export const one: string = 2;\n');
    for (const attempt of [1, 2]) {
      const { code, output } = await build(root);
      assert.equal(code, 1, `attempt ${attempt}`);
      assert.match(output, /not assignable/);
    }
    assert.match(readFileSync(join(root, 'part/dist/one.js'), 'utf8'), /one = 1/);
  });
});

describe('the lock of a checkout', { timeout: 60_000 }, () => {
  const lock = join(folder, 'lock', 'build.lock');
  const script = (work: string) => `
    import { withCheckoutLock } from ${JSON.stringify(join(repository, 'kind/tools/checkout-lock.mjs'))};
    await withCheckoutLock(${JSON.stringify(lock)}, { onWait: (pid) => console.log('waits for', pid) }, async () => { ${work} });`;
  const holder = (work: string): ChildProcess =>
    spawn(process.execPath, ['--input-type=module', '-e', script(work)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const untilSays = async (child: ChildProcess, text: string) => {
    for (let said = ''; !said.includes(text);) said += String((await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data'))[0]);
  };
  const HOLDS = `console.log('has it'); await new Promise((go) => process.stdin.once('data', go)); process.stdin.destroy();`;

  test('the second waits for the first, and says for whom', async () => {
    const first = holder(HOLDS);
    await untilSays(first, 'has it');
    const second = holder(HOLDS);
    await untilSays(second, `waits for ${first.pid}`);
    const got = untilSays(second, 'has it');
    first.stdin?.write('go\n');
    await got;
    second.stdin?.write('go\n');
    await once(second, 'close');
    assert.equal(existsSync(lock), false);
  });

  test('what a killed process held is taken over', async () => {
    const first = holder(HOLDS);
    await untilSays(first, 'has it');
    first.kill('SIGKILL');
    await once(first, 'close');
    assert.equal(existsSync(lock), true);
    const second = holder(HOLDS);
    await untilSays(second, 'has it');
    second.stdin?.write('go\n');
    await once(second, 'close');
    assert.equal(existsSync(lock), false);
  });
});
