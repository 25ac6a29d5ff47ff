// npm run test:image: the tests of the sockets with chat on Node and libraries of the image, not of this machine. The rest of the servers
// and the tests themselves run as always.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..', '..');
const offline = join(root, 'kind', 'offline');
const SOCKETS = ['messages', 'resume', 'slow', 'devices'].map((name) => join('test', 'integration', 'chat', `${name}.test.ts`));
const files = process.argv.length > 2 ? process.argv.slice(2) : [...SOCKETS, join('test', 'conformance')];

const prepared = spawnSync(join(offline, 'image-root.sh'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
if (prepared.status !== 0) fail('the file system of the image cannot be made; it needs root and mmdebstrap: kind/offline/install-tools.sh');
const env = { ...process.env, PARLEY_IMAGE_ROOT: prepared.stdout.trim(), PARLEY_TEST_CHAT_NODE: join(offline, 'image-node.sh') };

const asked = ['-p', '`${process.version}, glibc ${process.report.getReport().header.glibcVersionRuntime}`'];
const version = spawnSync(env.PARLEY_TEST_CHAT_NODE, asked, { cwd: root, env, encoding: 'utf8' });
if (version.status !== 0) fail(`Node of the image does not run: ${version.stderr}`);
process.stdout.write(`chat runs on Node ${version.stdout.trim()}\n`);
const { status } = spawnSync(process.execPath, [join(root, 'kind', 'tools', 'test.mjs'), ...files], { cwd: root, env, stdio: 'inherit' });
process.exit(status ?? 1);

function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}
