// The rules of the house that a program can check. Each failure names the file and what to do.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { importCycles, longTexts, packages, repositoryFiles, root, sourceFiles, undocumented, usesOf } from './helpers/source-tree.ts';

const LINES_MAX = 400;
const { CHANGE, ALONE, NIGHTLY, filesOf } = (await import(join(root, 'kind/tools/levels.mjs'))) as {
  CHANGE: string[];
  ALONE: string[];
  NIGHTLY: { file: string }[];
  filesOf: (root: string, level: string) => string[];
};

const isProduct = (path: string) => /^(services|operator|cdk8s|kind)\//.test(path);
const files = sourceFiles((path) => isProduct(path) || path.startsWith('test/') || path.startsWith('docs/'));
const product = files.filter(({ path }) => isProduct(path));

const none = (problems: string[], rule: string) => assert.deepEqual(problems, [], `${rule}:\n  ${problems.join('\n  ')}`);

test(`no source file has more than ${LINES_MAX} lines`, () => {
  const long = files.filter(({ lines }) => lines > LINES_MAX).map(({ path, lines }) => `${path} has ${lines}`);
  none(long, 'split these files by idea');
});

test('a source file opens with its purpose', () => {
  const silent = files.filter(({ text }) => !/^(#!.*\n)?\s*(\/\/|\/\*)/.test(text)).map(({ path }) => path);
  none(silent, 'begin these files with a comment that says what they are for');
});

test('file names are in kebab-case and say what is in the file', () => {
  const odd = files.map(({ path }) => path).filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|mjs)$/.test(basename(path)));
  none(odd, 'rename these files in kebab-case');
  const vague = product.map(({ path }) => path).filter((path) => /(^|[/-])(utils?|helpers?|manager|misc|common)(\.|\/)/.test(path));
  none(vague, 'name these files for what they hold');
});

/** Who may import whom; what is not listed may import no other package of this repository. */
const MAY_IMPORT: Record<string, string[]> = {
  '@parley/protocol': [],
  '@parley/kit': ['@parley/protocol'],
  '@parley/live': ['@parley/chat-store', '@parley/kit', '@parley/protocol'],
  '@parley/chat-store': ['@parley/kit', '@parley/protocol'],
  '@parley/client': ['@parley/protocol'],
  '@parley/chat': ['@parley/chat-store', '@parley/kit', '@parley/live', '@parley/protocol'],
  '@parley/core': ['@parley/chat-store', '@parley/kit', '@parley/live', '@parley/protocol'],
  '@parley/auth': ['@parley/kit', '@parley/live', '@parley/protocol'],
  '@parley/gateway': ['@parley/kit', '@parley/protocol'],
  '@parley/canary': ['@parley/kit', '@parley/protocol'],
  '@parley/certificates': ['@parley/kit'],
  '@parley/backups': ['@parley/kit'],
  '@parley/worker': ['@parley/chat-store', '@parley/kit', '@parley/live', '@parley/protocol'],
  '@parley/operator-api': [],
  '@parley/cdk8s': ['@parley/operator-api'],
  '@parley/operator': ['@parley/cdk8s', '@parley/kit', '@parley/operator-api'],
  '@parley/kubectl-parley': ['@parley/operator', '@parley/operator-api'],
  '@parley/kind': ['@parley/cdk8s', '@parley/kit', '@parley/operator-api', '@parley/protocol'],
};

/** The innermost package a file belongs to: operator/api lies inside operator. */
const own = packages().sort((a, b) => b.folder.length - a.folder.length);
const packageOf = (path: string) => own.find(({ folder }) => path.startsWith(`${folder}/`))?.name;

test('imports between packages go one way', () => {
  const wrong = product.flatMap((file) => {
    const from = packageOf(file.path) ?? '';
    return file.imports
      .map(({ specifier }) => specifier)
      .filter((specifier) => specifier.startsWith('@parley/') && ![from, ...(MAY_IMPORT[from] ?? [])].includes(packageName(specifier)))
      .map((specifier) => `${file.path} imports ${specifier}`);
  });
  none(wrong, 'protocol <- kit <- chat-store <- live <- services and operator-api <- cdk8s <- operator; services never import each other');
});

test('a relative import stays in its package', () => {
  const wrong = product.flatMap((file) =>
    file.imports
      .filter(
        ({ specifier, file: target }) => specifier.startsWith('.') && target !== undefined && packageOf(target) !== packageOf(file.path),
      )
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  none(wrong, 'import other packages by their name');
});

test('there are no import cycles, those of types among them', () => {
  none(
    importCycles(product).map((cycle) => cycle.join(' -> ')),
    'break these cycles: move what both need into a file of its own',
  );
});

test('a package names what it imports in its package.json', () => {
  const wrong = product
    .filter(({ path }) => path.includes('/src/'))
    .flatMap((file) => {
      const { dependencies = {} } = own.find(({ folder }) => file.path.startsWith(`${folder}/`)) ?? {};
      return file.imports
        .map(({ specifier }) => specifier)
        .filter((specifier) => !/^(\.|#|node:)/.test(specifier) && !Object.hasOwn(dependencies, packageName(specifier)))
        .map((specifier) => `${file.path} imports ${specifier}`);
    });
  none(wrong, 'add these to the dependencies of the package');
});

test('a package imports what it names in its package.json', () => {
  const wrong = own.flatMap(({ folder, name, dependencies }) => {
    const imported = product
      .filter(({ path }) => packageOf(path) === name)
      .flatMap((file) => file.imports.map(({ specifier }) => packageName(specifier)));
    return Object.keys(dependencies ?? {})
      .filter((dependency) => !imported.includes(dependency))
      .map((dependency) => `${folder} does not import ${dependency}`);
  });
  none(wrong, 'remove these from the dependencies of the package');
});

const packageName = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** What `@parley/kit/process` may load: it is in every process, also in those that only copy a file. */
const LIGHT = ['@parley/protocol/error-codes', '@sinclair/typebox/errors', 'pino', 'prom-client'];

test('the process room of kit loads no server, no driver and no builder of schemas', () => {
  const room = 'services/shared/kit/src/process/';
  const seen = new Set<string>();
  const follow = (path: string): string[] => {
    if (seen.has(path)) return [];
    seen.add(path);
    const file = product.find((each) => each.path === path);
    return (file?.imports ?? [])
      .filter(({ typeOnly }) => !typeOnly)
      .flatMap(({ specifier, file: target }) => {
        if (specifier.startsWith('node:')) return [];
        const wrong = LIGHT.includes(specifier) || target?.startsWith(room) ? [] : [`${path} imports ${specifier}`];
        return target === undefined ? wrong : [...wrong, ...follow(target)];
      });
  };
  none(follow(`${room}index.ts`), 'move what needs these to another room');
  assert.ok(seen.has('services/shared/protocol/src/error-codes.ts') && seen.size > 9, 'followed into what it imports');
});

test('all packages have one version', () => {
  const [first, ...others] = repositoryFiles()
    .filter((path) => path === 'package.json' || path.endsWith('/package.json'))
    .map((path) => ({ path, version: (JSON.parse(readFileSync(join(root, path), 'utf8')) as { version?: string }).version }));
  const odd = others
    .filter(({ version }) => version !== undefined && version !== first?.version)
    .map(({ path, version }) => `${path} has ${version}`);
  none(odd, 'services tell the version of kit as theirs');
});

test('only entry points read the environment', () => {
  const isEntry = (path: string) => path.startsWith('kind/') || /\/(admin-|dlq-|migrate-|new-epoch-)?main\.ts$/.test(path);
  none(
    product.filter(({ path }) => !isEntry(path)).flatMap((file) => usesOf(file, 'process', 'env')),
    'take configuration as an argument',
  );
});

test('servers write through their log, not to the console', () => {
  none(
    product.filter(({ path }) => !path.startsWith('kind/')).flatMap((file) => usesOf(file, 'console')),
    'use the log',
  );
});

test('decisions are numbered without holes', () => {
  const numbers = repositoryFiles()
    .filter((path) => path.startsWith('docs/adr/'))
    .map((path) => Number(basename(path).slice(0, 4)))
    .sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    'a number of docs/adr/ is missing, doubled or no number',
  );
});

/** Values that a domain file may take from outside, because they compute and nothing else. */
const PURE: Record<string, string[]> = {
  'node:crypto': ['createHash', 'createHmac', 'timingSafeEqual'],
  '@parley/kit/process': ['AppError', 'messageOf'],
  '@parley/chat-store': ['mysqlFailure'],
  '@parley/kit/sql': ['postgresFailure'],
};

/** The worker is laid out by feature: its decisions lie beside what uses them. */
const WORKER_DECISIONS = [
  'consumers/failure.ts',
  'dlq/replay.ts',
  'kafka/refusal.ts',
  'kafka/topic-names.ts',
  'letters/consumer-letter.ts',
  'letters/relay-letter.ts',
  'notifications/notification.ts',
  'relay/chunks.ts',
  'relay/records.ts',
  'webhooks/plan.ts',
  'webhooks/signature.ts',
].map((path) => `services/worker/src/${path}`);
const isDecision = (path: string) => /\/src\/domain\//.test(path) || WORKER_DECISIONS.includes(path);

test('the decisions of the worker that are named here are there', () => {
  const paths = new Set(product.map(({ path }) => path));
  none(
    WORKER_DECISIONS.filter((path) => !paths.has(path)),
    'name these files where they are now',
  );
});

test('domain files decide and do nothing else', () => {
  const domain = product.filter(({ path }) => isDecision(path));
  const wrong = domain.flatMap((file) =>
    file.imports
      .filter(({ specifier }) => !specifier.startsWith('.') && specifier !== '@parley/protocol')
      .filter(({ specifier, typeOnly }) => !(typeOnly && specifier.startsWith('@parley/')))
      .filter(({ specifier, names }) => names.length === 0 || !names.every((name) => PURE[specifier]?.includes(name)))
      .map(({ specifier }) => `${file.path} imports ${specifier}`),
  );
  none(wrong, 'no I/O and no third-party code in decisions');
  const impure = domain.flatMap((file) => [
    ...usesOf(file, 'Math', 'random'),
    ...usesOf(file, 'Date', 'now'),
    ...usesOf(file, 'performance'),
    ...usesOf(file, 'process'),
  ]);
  none(impure, 'time, chance and ids are arguments');
});

test('only the room of the sockets sees the binding, types too', () => {
  const room = 'services/chat/src/sockets/';
  const wrong = product.filter(
    ({ path, imports }) => !path.startsWith(room) && imports.some(({ specifier }) => specifier === 'uWebSockets.js'),
  );
  none(
    wrong.map(({ path }) => path),
    `work with a Session; only ${room} imports uWebSockets.js (ADR 0002)`,
  );
});

test('domain files import only what is pure themselves', () => {
  const wrong = product
    .filter(({ path }) => isDecision(path))
    .flatMap((file) =>
      file.imports
        .filter(({ specifier, typeOnly, file: target }) => specifier.startsWith('.') && !typeOnly && !isDecision(target ?? ''))
        .map(({ specifier }) => `${file.path} imports ${specifier}`),
    );
  none(wrong, 'a domain file imports values from domain files only; types may come from ports');
});

test('what a package hands out, and what a ports.ts asks for, says what it is', () => {
  const doors = [
    ...own.flatMap((each) => Object.values(each.doors)),
    ...product.map(({ path }) => path).filter((path) => /\/ports\.ts$/.test(path)),
  ];
  none([...new Set(doors.flatMap((door) => undocumented(product, door)))], 'give these a doc comment: shape, unit, errors, source');
});

/** Texts that may stand in two packages, by the reason. */
const SAID_TWICE: Record<string, readonly string[]> = {
  'words of Kubernetes and Kafka: a constant of ours would only hide them': [
    'app.kubernetes.io/component',
    'app.kubernetes.io/instance',
    'app.kubernetes.io/version',
    'auto.create.topics.enable',
    'client-output-buffer-limit pubsub 256mb 64mb 60',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    'horizontalpodautoscalers',
    'offsets.topic.replication.factor',
    'persistentvolumeclaims',
    'PersistentVolumeClaim',
    'transaction.state.log.min.isr',
    'transaction.state.log.replication.factor',
  ],
  'the type of the protocol checks them': ['chat.invitation.answered', 'chat.invitation.created'],
  'one name over two services is the point': ['chat_commit_failures_total', 'chat_messages_sent_total', 'Transactions that failed'],
  'what a panel shows, which need not be what the metric says for ever': ['Objects that needed no write'],
  'npm start does not load cdk8s': ['services/auth/dist/migrate-main.js', 'services/shared/chat-store/dist/migrate-main.js'],
  'cdk8s loads no package of the services; a unit test compares them': [
    'The service behind the gateway did not answer in time',
    'The service behind the gateway failed',
  ],
  'settings of two services that mean two things': [
    'for limits that all replicas share',
    'largest content of a message',
    'where the auth service answers',
    'where the core service answers',
  ],
  'of two lists with cursors of their own': ['/query/cursor: not a cursor of this list'],
  'the migration has a client of its own, and no pool': ['postgres connection lost'],
  'of two databases with dialects of their own': ['SELECT version, checksum FROM schema_migrations'],
  'a path of the repository in an address, and in a text of the CRD': ['docs/operating/runbooks'],
};
const isSaidTwice = (text: string) => Object.values(SAID_TWICE).some((texts) => texts.includes(text));

test('no text of more than twenty letters stands in two packages', () => {
  const places = new Map<string, string[]>();
  for (const file of product) for (const { text, place } of longTexts(file, 21)) places.set(text, [...(places.get(text) ?? []), place]);
  const wrong = [...places].flatMap(([text, all]) => {
    const owners = new Set(all.map((place) => packageOf(place.slice(0, place.lastIndexOf(':')))));
    return owners.size < 2 || isSaidTwice(text) ? [] : [`${JSON.stringify(text)}: ${all.join(', ')}`];
  });
  none(wrong, 'give these one home');
  for (const text of Object.values(SAID_TWICE).flat())
    assert.ok((places.get(text)?.length ?? 0) > 1, `${text} is said once now: remove it here`);
});

test('exports have names', () => {
  none(
    product.filter(({ text, path }) => !path.endsWith('.mjs') && /^export default /m.test(text)).map(({ path }) => path),
    'give these exports a name',
  );
});

test('every dependency has one exact version', () => {
  const exact = /^(npm:(@[\w-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/;
  const loose = packages().flatMap((each) =>
    Object.entries({ ...each.dependencies, ...each.devDependencies })
      .filter(([, version]) => !exact.test(version))
      .map(([name, version]) => `${each.folder}/package.json: ${name} ${version}`),
  );
  none(loose, 'pin these versions');
});

test('no file names a package registry or a path of one machine', () => {
  // Written in pieces, so that this file does not name them either.
  const hosts = [
    'registry.npm' + 'js.org',
    'registry.yarn' + 'pkg.com',
    'maven.apache' + '.org/maven2',
    'repo1.maven' + '.org',
    'repo.maven' + '.apache.org',
    'deb.debian' + '.org',
    'security.debian' + '.org',
    'proxy.golang' + '.org',
    'sum.golang' + '.org',
    'files.python' + 'hosted.org',
  ];
  const machine = ['/work' + '/main', '/work' + '/shared'];
  const TEXT_MAX_BYTES = 4 * 1024 * 1024;
  const problems = repositoryFiles()
    .filter((path) => statSync(join(root, path)).isFile() && statSync(join(root, path)).size < TEXT_MAX_BYTES)
    .flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      return [...hosts, ...machine].filter((word) => text.includes(word)).map((word) => `${path} names ${word}`);
    });
  none(problems, 'let the tools choose the registry, and take paths as arguments');
});

test('no two paths differ only in upper and lower case', () => {
  // macOS and Windows would keep one of such a pair and take the other one for changed (ADR 0019).
  const known = new Map<string, string>();
  const clashes: string[] = [];
  for (const path of repositoryFiles()) {
    const other = known.get(path.toLowerCase());
    if (other !== undefined) clashes.push(`${other} and ${path}`);
    known.set(path.toLowerCase(), path);
  }
  none(clashes, 'give one of each pair another name or folder');
});

test('each test file is in one level, and so in one tier', () => {
  const levels = [...CHANGE, 'nightly', ...ALONE];
  const places = new Map<string, string[]>();
  for (const level of levels) for (const file of filesOf(root, level)) places.set(file, [...(places.get(file) ?? []), level]);
  // What npm run check runs may be in a level besides.
  const checked = new Set(filesOf(root, 'check'));
  const tests = repositoryFiles().filter((path) => path.startsWith('test/') && path.endsWith('.test.ts'));
  none(
    tests.filter((path) => !checked.has(path) && !places.has(path)),
    'give these a level in kind/tools/levels.mjs',
  );
  none(
    [...places].filter(([, each]) => each.length > 1).map(([path, each]) => `${path}: ${each.join(', ')}`),
    'leave these in one level',
  );
  none(
    NIGHTLY.map(({ file }) => file).filter((file) => !tests.includes(file)),
    'take these out of the nightly list',
  );
});

test('what is drawn by lot follows the seed of the run', () => {
  none(
    files
      .filter(
        ({ path, imports }) => path !== 'test/helpers/seed.ts' && imports.some((each) => each.specifier === 'fast-check' && !each.typeOnly),
      )
      .map(({ path }) => path),
    'import fc from test/helpers/seed.ts',
  );
});
