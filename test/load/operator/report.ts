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
  /** that a reconcile takes which finds nothing to do: it computes, and reads its Secrets every 30 s */
  reconcileMs: number;
  /** CPU time of the process for a change that leads to such a reconcile, with the event of the watch */
  changeMs: number;
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
    ...['a reconcile', 'CPU for a change', 'ready again after a restart', 'writes of a restart'],
  ];
  const lines = rows.map((row) => [
    ...[String(row.clusters), String(row.pods), `${numberText(row.readySeconds)} s`, `${numberText(row.windowSeconds)} s`],
    ...[`${numberText(row.rssBytes / 1e6)} MB`, `${numberText(row.cpuShare * 100)} %`, String(row.reads), `**${row.writes}**`],
    ...[
      `${numberText(row.reconcileMs)} ms`,
      `${numberText(row.changeMs)} ms`,
      `${numberText(row.restartSeconds)} s`,
      String(row.restartWrites),
    ],
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
      'Before the window one ChatCluster gets an annotation that means nothing, a thousand times: a reconcile is how long one takes by the ' +
      'histogram of the operator, and finds nothing to do (it computes, and reads its Secrets every 30 s); CPU for a change is what the process ' +
      'uses more for each, with TLS, the event of the watch, the compiler of V8 and the collection of garbage.',
    table(head, lines),
    `Targets with ${last?.clusters ?? 0} ChatClusters: at most ${numberText(RSS_TARGET_BYTES / 1e6)} MB, no write while nothing changes, and at most ` +
      `${RECONCILE_TARGET_MS} ms for a reconcile: ${met ? 'met' : 'missed'}.`,
  ].join('\n\n')}\n`;
}
