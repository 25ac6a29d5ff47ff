// What each npm command runs, and what its --help says. Nothing but Node, as bootstrap.mjs.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const HELP = ['--help', '-h'];
export const wantsHelp = (args) => args.some((each) => HELP.includes(each));

/**
 * name -> `npm`: how it is typed, `about`: one line, `programs`: what is run one after the other, or together, `help`: the text, or
 * nothing where the (last) program knows its own --help.
 */
export function commandsOf(root, rest) {
  const node = (file, ...args) => [process.execPath, ['--enable-source-maps', join(root, file), ...args]];
  const local = (...args) => node('kind/local/dist/main.js', ...args);
  const cluster = (...args) => node('kind/cluster/dist/main.js', ...args);
  const source = (file) => [
    process.execPath,
    ['--conditions=parley-source', '--import', pathToFileURL(join(root, 'kind/tools/sources.mjs')).href, join(root, file), ...rest],
  ];
  const tests = (...args) => node('kind/tools/test.mjs', '--built', ...args);
  const bin = (file, ...args) => [join(root, 'node_modules', '.bin', file), args];
  const service = (name) => ({
    npm: `npm run ${name}`,
    about: `the service ${name} alone, configured by environment variables`,
    programs: [node(`services/${name}/dist/main.js`, ...rest)],
  });
  return {
    start: { npm: 'npm start', about: 'everything on this machine, without containers', programs: [local('start', ...rest)] },
    doctor: { npm: 'npm run doctor', about: 'what keeps npm start from working here, with remedies', programs: [local('doctor', ...rest)] },
    clean: { npm: 'npm run clean', about: 'remove the data of npm start', programs: [local('clean', ...rest)] },
    check: {
      npm: 'npm run check',
      about: 'format, lint, types, rules of the house, freshness of generated files',
      programs: [
        // Each of them uses one core.
        {
          together: [
            bin('prettier', '--check', '--log-level', 'warn', '.'),
            bin('eslint', '--max-warnings', '0', '.'),
            bin('tsc', '--noEmit'),
          ],
        },
        tests('--level', 'check'),
      ],
      help: `It takes no options. The first three run together; the last one only when nothing was found:
  prettier            npm run format puts it right
  eslint              lint of all packages
  tsc                 types of all packages
  rules of the house  test/tidy.test.ts; generated files: npm run synth, npm run reference`,
    },
    test: {
      npm: 'npm test',
      about: 'unit, contract, integration, API server and fault tests, on real servers',
      programs: wantsHelp(rest) ? [node('kind/tools/test.mjs', '--help')] : [local('prepare', '--for', 'test'), tests(...rest)],
    },
    nightly: {
      npm: 'npm run nightly',
      about: 'all of npm test and what takes long, with a random seed; a line in docs/reference/nightly.md',
      programs: [local('prepare', '--for', 'test'), node('kind/tools/nightly.mjs', ...rest)],
      help: 'It takes the options of npm test. About an hour on two cores.',
    },
    kind: { npm: 'npm run kind', about: 'everything on a kind cluster, with the operator', programs: [cluster('up', ...rest)] },
    'kind-down': { npm: 'npm run kind:down', about: 'delete that cluster', programs: [cluster('down', ...rest)] },
    e2e: {
      npm: 'npm run e2e',
      about: 'the tests on a kind cluster, which is made first',
      programs: [cluster('up', '--quiet'), tests('--level', 'e2e', ...rest)],
      help: levelHelp('npm run e2e', 'test/e2e/chat.test.ts'),
    },
    drills: {
      npm: 'npm run drills',
      about: 'every fault of a ChatDrill on a kind cluster, which is made first',
      programs: [cluster('up', '--quiet'), tests('--level', 'drills', ...rest)],
      help: levelHelp('npm run drills', 'test/drills/drills.test.ts'),
    },
    disruptions: {
      npm: 'npm run disruptions',
      about: '500 clients on a kind cluster with two workers: a new version, scaling, a drained node',
      programs: [cluster('up', '--quiet', '--workers', '2'), tests('--level', 'disruptions', ...rest)],
      help: levelHelp('npm run disruptions', 'test/disruptions/disruptions.test.ts'),
    },
    docs: {
      npm: 'npm run docs:test',
      about: 'every command and example of the documentation',
      programs: [source('test/docs/main.ts')],
    },
    bench: {
      npm: 'npm run bench',
      about: 'benchmarks beside their floors',
      programs: [...(wantsHelp(rest) ? [] : [local('prepare')]), source('test/load/main.ts')],
    },
    'bench-operator': {
      npm: 'npm run bench:operator',
      about: 'memory, CPU time and writes of the operator while nothing changes',
      programs: [source('test/load/operator/main.ts')],
    },
    schemathesis: {
      npm: 'npm run schemathesis',
      about: 'calls made from the OpenAPI documents, right and wrong ones',
      programs: [...(wantsHelp(rest) ? [] : [local('prepare')]), source('test/schemathesis/main.ts')],
    },
    bare: {
      npm: 'npm run bare',
      about: 'the commands of the README on a machine that has Debian, Node and git alone',
      programs: [source('test/bare/main.ts')],
    },
    conformance: {
      npm: 'npm run conformance',
      about: 'RFC 6455 case by case against chat and through HAProxy',
      programs: [local('prepare'), source('test/conformance/main.ts')],
      help: `It takes no options. It needs Python 3 with venv; Autobahn is fetched once into the cache.
It writes docs/reference/websocket-conformance.md and ends with 1 when something deviates that the tables do not name.`,
    },
    ...Object.fromEntries(['chat', 'core', 'auth', 'gateway', 'worker'].map((name) => [name, service(name)])),
  };
}

function levelHelp(npm, file) {
  return `The cluster of "npm run kind" is made when it is not there, and brought to the newest code. It stays; "npm run kind:down" deletes it.

  --name PATTERN   only tests with such a name
  FILE or FOLDER   only these, for instance:  ${npm} -- ${file}
  PARLEY_KIND_WORKERS, PARLEY_OFFLINE as for npm run kind`;
}

export function helpText({ npm, about, help }) {
  return `${npm}: ${about}\n\n${help}`;
}

export function overview(commands) {
  const rows = Object.values(commands).map(({ npm, about }) => `  ${npm.padEnd(24)}${about}`);
  return ['The commands of Parley; each takes --help:  npm start -- --help', '', ...rows].join('\n');
}

/** Below this something is missing that Parley calls. */
const OLDEST_NODE = { major: 20, minor: 19 };
const NEWER_NODE = 'Install one (https://nodejs.org/en/download, or "nvm install 24" where nvm is used)';

/** What to do about a Node on which Parley does not run; undefined when it does. */
export function nodeProblem(version) {
  const [major, minor] = version.split('.').map(Number);
  const { major: needMajor, minor: needMinor } = OLDEST_NODE;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return undefined;
  return `Node ${version} is too old: Parley needs Node 22 or 24.
${NEWER_NODE}, open a new shell, and run the command again.`;
}

/** What to say about a Node that is older than what is supported; `engines` is the field of package.json, >=22. */
export function nodeWarning(version, engines) {
  const major = Number(version.split('.')[0]);
  if (major >= Number(engines.replace('>=', ''))) return undefined;
  return `Node ${version} is past its end of life. This still runs on it; supported are Node 22 and 24. ${NEWER_NODE}.`;
}
