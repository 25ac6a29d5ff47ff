// Which test file runs when. A file is in one level, and a level in one tier: every change (npm test), the night (npm run nightly, and what
// of it .ci/run has time for), or commands of their own (npm run e2e, npm run bare). test/tidy.test.ts checks it. Nothing but Node, as test.mjs.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SECOND = 1000;

/**
 * What takes long because it has to: outages and session time-outs of the size of production, every crash point on a real API server,
 * long random histories, starts of the whole system that docs:test and test/integration/local/start.test.ts do, too. `seconds` on two cores is what .ci/run reckons with; the first ones are the first that it finds time for.
 */
export const NIGHTLY = [
  { file: 'test/integration/local/traces.test.ts', seconds: 40 },
  { file: 'test/integration/local/load-balance.test.ts', seconds: 30 },
  { file: 'test/integration/chat/sentinel.test.ts', seconds: 60 },
  { file: 'test/integration/redis/sentinel.test.ts', seconds: 60 },
  { file: 'test/apiserver/crash-points.test.ts', seconds: 60 },
  { file: 'test/integration/worker/outage.test.ts', seconds: 90 },
  { file: 'test/integration/chat/presence-budget.test.ts', seconds: 60 },
  { file: 'test/faults/long-history.test.ts', seconds: 180 },
];

/**
 * Where a level's files are and how long one of them may take before it is ended as failed. `check` are the house rules, that generated
 * files are fresh, and the pages: npm run check runs them, some of them are in another level, too.
 */
export const LEVELS = {
  unit: { paths: ['test/unit'], timeoutMs: 120 * SECOND },
  contract: { paths: ['test/contract'], timeoutMs: 300 * SECOND },
  integration: { paths: ['test/integration', 'test/conformance'], timeoutMs: 600 * SECOND },
  apiserver: { paths: ['test/apiserver'], timeoutMs: 600 * SECOND },
  faults: { paths: ['test/faults'], timeoutMs: 600 * SECOND },
  nightly: { paths: NIGHTLY.map(({ file }) => file), timeoutMs: 1800 * SECOND },
  check: {
    paths: [
      'test/tidy.test.ts',
      'test/unit/cdk8s/charts.test.ts',
      'test/unit/chat/uws-program.test.ts',
      'test/unit/protocol/reference.test.ts',
      'test/docs',
    ],
    timeoutMs: 120 * SECOND,
  },
  // Minutes each, as root: the README's commands on bare machines.
  bare: { paths: ['test/bare'], timeoutMs: 3600 * SECOND },
  e2e: { paths: ['test/e2e'], timeoutMs: 1800 * SECOND },
  drills: { paths: ['test/drills'], timeoutMs: 3600 * SECOND },
  disruptions: { paths: ['test/disruptions'], timeoutMs: 5400 * SECOND },
};

/** Of every change. */
export const CHANGE = ['unit', 'contract', 'integration', 'apiserver', 'faults'];
/** Of commands of their own, a file at a time: bare machines, and the one cluster. */
export const ALONE = ['bare', 'e2e', 'drills', 'disruptions'];

/** The test files of a level, as paths below the root, in order. */
export function filesOf(root, level) {
  const files = LEVELS[level].paths.flatMap((path) => below(root, path));
  return CHANGE.includes(level) ? files.filter((file) => !LEVELS.nightly.paths.includes(file)) : files;
}

/** The first ones of the night for which there is time. */
export function nightlyWithin(seconds) {
  let left = seconds;
  const chosen = NIGHTLY.filter((each) => each.seconds <= left && ((left -= each.seconds), true));
  return { chosen: chosen.map(({ file }) => file), leftOut: NIGHTLY.filter((each) => !chosen.includes(each)).map(({ file }) => file) };
}

function below(root, path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (!stat) return [];
  if (stat.isFile()) return [path];
  return readdirSync(join(root, path), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? below(root, `${path}/${entry.name}`) : entry.name.endsWith('.test.ts') ? [`${path}/${entry.name}`] : [],
    );
}
