// What the operator costs, as data and as Markdown.
import { numberText, table } from '../report.ts';

/** spec 08: the operator with 50 ChatClusters. */
export const RSS_TARGET_BYTES = 200e6;
/** spec 08: a reconcile of a ChatCluster that is as it should be. */
export const RECONCILE_TARGET_MS = 5;

export interface Row {
  clusters: number;
  pods: number;
  /** from the first apply to the last Ready, with the controllers played by the benchmark */
  readySeconds: number;
  windowSeconds: number;
  rssBytes: number;
  /** of one core */
  cpuShare: number;
  reads: number;
  writes: number;
  /** CPU time of a reconcile that finds nothing to do */
  reconcileMs: number;
  /** a new process: from its start to the first look at all clusters */
  restartSeconds: number;
  restartWrites: number;
}

export interface Footprint {
  date: string;
  machine: string;
  node: string;
  rows: Row[];
}

export function markdown({ date, machine, node, rows }: Footprint): string {
  const head = [
    ...['ChatClusters', 'pods', 'all Ready after', 'window', 'RSS', 'CPU, of one core', 'reads', '**writes**'],
    ...['CPU of a reconcile', 'ready again after a restart', 'writes of a restart'],
  ];
  const lines = rows.map((row) => [
    ...[String(row.clusters), String(row.pods), `${numberText(row.readySeconds)} s`, `${numberText(row.windowSeconds)} s`],
    ...[`${numberText(row.rssBytes / 1e6)} MB`, `${numberText(row.cpuShare * 100)} %`, String(row.reads), `**${row.writes}**`],
    ...[`${numberText(row.reconcileMs)} ms`, `${numberText(row.restartSeconds)} s`, String(row.restartWrites)],
  ]);
  const last = rows.at(-1);
  const met =
    last &&
    last.rssBytes <= RSS_TARGET_BYTES &&
    rows.every(({ writes, reconcileMs }) => writes === 0 && reconcileMs <= RECONCILE_TARGET_MS);
  return `${[
    '# What the operator costs',
    `Written by \`npm run bench:operator -- --out docs/reference\` on ${date.slice(0, 10)}; do not edit. ${machine}, Node ${node}.`,
    'The compiled operator, with the rights of `charts/install.yaml`, on a real API server. Each ChatCluster is the sample `minimal` in a ' +
      'namespace of its own; the benchmark plays the controllers, so every pod is there and ready, and answers for the admin ports of chat ' +
      'and the canary. Then nothing changes for the window: the operator watches, and asks every chat replica and every canary every 5 s. ' +
      'Reads are GETs, also those that open a watch again; writes are all other calls besides the renewals of its own lease. ' +
      'After the window the ChatClusters get an annotation that means nothing, again and again: the CPU of a reconcile is what the operator ' +
      'then uses more, with the event of the watch, for each of its reconciles, which find nothing to do.',
    table(head, lines),
    `Targets with ${last?.clusters ?? 0} ChatClusters: at most ${numberText(RSS_TARGET_BYTES / 1e6)} MB, no write while nothing changes, and at most ` +
      `${RECONCILE_TARGET_MS} ms of CPU time for a reconcile: ${met ? 'met' : 'missed'}.`,
  ].join('\n\n')}\n`;
}
