// `npm run bench:operator`: memory, CPU time and writes of the operator while nothing changes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chatClusters, pathOf, pods } from '../../../operator/src/kube/resources.ts';
import type { KubeObject, KubeTransport } from '../../../operator/src/kube/transport.ts';
import { startApiServer, type ApiServer } from '../../helpers/apiserver.ts';
import { ADDRESS, startAdminPorts } from './admin-ports.ts';
import { Controllers } from './controllers.ts';
import { markdown, type Footprint, type Row } from './report.ts';
import { startSubject, type Subject } from './subject.ts';

const USAGE = `usage: npm run bench:operator -- [options]

  --clusters LIST   numbers of ChatClusters to measure, one after the other (default 1,10,50)
  --seconds N       length of the window in which nothing changes (default 600)
  --out FOLDER      writes operator-footprint.json and operator-footprint.md there
  --help            this text`;
/** Nothing was written for so long: the echo of the last write has come back, and numbers that wait to be told are told. */
const STILL_SECONDS = 25;
const READY_WITHIN_MS = 900_000;
/** of one ChatCluster, to see what a reconcile costs */
const CHANGES = 1000;
const BETWEEN_CHANGES_MS = 50;

const say = (text: string) => void process.stderr.write(`${text}\n`);
const isReady = ({ status }: KubeObject & { status?: { conditions?: { type: string; status: string }[] } }) =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      clusters: { type: 'string', default: '1,10,50' },
      seconds: { type: 'string', default: '600' },
      out: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return void process.stdout.write(`${USAGE}\n`);
  const counts = values.clusters.split(',').map(Number);
  const seconds = Number(values.seconds);
  if (!counts.every((count, index) => Number.isInteger(count) && count > (counts[index - 1] ?? 0)) || !(seconds >= 10))
    throw new Error(`--clusters takes growing whole numbers, --seconds at least 10\n${USAGE}`);
  const server = await startApiServer({ audit: true });
  const answering = await startAdminPorts();
  let subject: Subject | undefined;
  try {
    await server.kubectl(['apply', '--server-side', '-f', 'charts/install.yaml']);
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd/chatclusters.chat.parley.dev']);
    const world = { server, admin: server.transport(), controllers: new Controllers(server.transport(), ADDRESS) };
    const rows: Row[] = [];
    subject = await startSubject(server);
    for (const clusters of counts) {
      say(`${clusters} ChatClusters`);
      const row = await measure(world, subject, { from: rows.at(-1)?.clusters ?? 0, clusters, seconds });
      await subject.stop();
      const written = writesOf(server).length;
      subject = await startSubject(server);
      rows.push({ ...row, ...(await restart(subject)) });
      for (const write of writesOf(server).slice(written)) say(`  after a restart: ${write}`);
      report(rows, values.out);
    }
  } finally {
    await subject?.stop();
    answering.close();
    await server.stop();
  }
}

interface World {
  server: ApiServer;
  admin: KubeTransport;
  controllers: Controllers;
}

async function measure(
  { server, admin, controllers }: World,
  subject: Subject,
  { from, clusters, seconds }: { from: number; clusters: number; seconds: number },
): Promise<Omit<Row, 'restartSeconds' | 'restartWrites'>> {
  const began = performance.now();
  const namespaces = Array.from({ length: clusters - from }, (_, index) => `bench-${from + index + 1}`);
  for (const namespace of namespaces) {
    await server.kubectl(['create', 'namespace', namespace]);
    await server.kubectl(['apply', '-n', namespace, '-f', 'charts/samples/minimal.yaml']);
  }
  for (;;) {
    for (const namespace of namespaces) await controllers.look(namespace);
    const { items } = await admin.request<{ items: KubeObject[] }>('GET', pathOf(chatClusters));
    if (items.length === clusters && items.every(isReady)) break;
    if (performance.now() - began > READY_WITHIN_MS) throw new Error(`only ${items.filter(isReady).length} of ${clusters} are Ready`);
    await sleep(500);
  }
  const readySeconds = (performance.now() - began) / 1000;
  await still(subject);
  say(`  Ready after ${readySeconds.toFixed(0)} s; one changes ${CHANGES} times`);
  const { items } = await admin.request<{ items: KubeObject[] }>('GET', pathOf(chatClusters));
  // Before the window: ten minutes after it began all of them are looked at again, with their Secrets.
  const changed = await change({ admin }, subject, items[0] as KubeObject);
  say(`  a reconcile takes ${changed.reconcileMs.toFixed(2)} ms; nothing changes for ${seconds} s`);
  await still(subject);
  const before = await subject.sample();
  const written = writesOf(server).length;
  await sleep(seconds * 1000);
  const { rssBytes, cpuSeconds, reads, writes } = await subject.sample();
  const every = await admin.request<{ items: KubeObject[] }>('GET', pathOf(pods));
  const cpuShare = (cpuSeconds - before.cpuSeconds) / seconds;
  const row = {
    ...{ clusters, pods: every.items.length, readySeconds, windowSeconds: seconds, rssBytes },
    ...{ cpuShare, reads: reads - before.reads, writes: writes - before.writes },
  };
  say(`  ${(rssBytes / 1e6).toFixed(0)} MB, ${(row.cpuShare * 100).toFixed(2)} % of a core, ${row.writes} writes`);
  const changeMs = ((changed.cpuSeconds - cpuShare * changed.seconds) / changed.reconciles) * 1000;
  say(`  ${changeMs.toFixed(2)} ms of CPU time for each change`);
  for (const write of writesOf(server).slice(written)) say(`  ${write}`);
  return { ...row, reconcileMs: changed.reconcileMs, changeMs };
}

/** Reconciles that find nothing to do: how long one takes, and what the process uses meanwhile. */
async function change({ admin }: Pick<World, 'admin'>, subject: Subject, { metadata }: KubeObject) {
  const before = await subject.sample();
  const began = performance.now();
  for (let change = 0; change < CHANGES; change++) {
    await admin.request('PATCH', pathOf(chatClusters, metadata.namespace, metadata.name), {
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { bench: String(change) } } },
    });
    // One reconcile for each change: the queue would take two together.
    await sleep(BETWEEN_CHANGES_MS);
  }
  const after = await subject.sample();
  const reconciles = after.reconciles - before.reconciles;
  if (reconciles < CHANGES * 0.9) throw new Error(`${CHANGES} changes led to ${reconciles} reconciles`);
  return {
    reconciles,
    reconcileMs: ((after.reconcileSeconds - before.reconcileSeconds) / reconciles) * 1000,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    seconds: (performance.now() - began) / 1000,
  };
}

/** What the operator wrote so far, its lease left out. */
const writesOf = (server: ApiServer): string[] =>
  server
    .audited()
    .filter(({ verb, objectRef }) => !['get', 'list', 'watch'].includes(verb) && objectRef?.resource !== 'leases')
    .map(({ verb, requestURI, stageTimestamp }) => `${stageTimestamp} ${verb} ${requestURI}`);

/** A new process finds everything as it should be. */
async function restart(subject: Subject): Promise<Pick<Row, 'restartSeconds' | 'restartWrites'>> {
  const began = performance.now();
  const end = await still(subject);
  return { restartSeconds: (end - began) / 1000, restartWrites: (await subject.sample()).writes };
}

/** Resolves when nothing was written and nothing reconciled for a while, with the time since when. */
async function still(subject: Subject): Promise<number> {
  let work = -1;
  let since = performance.now();
  while (performance.now() - since < STILL_SECONDS * 1000) {
    const now = await subject.sample().catch(() => undefined);
    if (!now || now.writes + now.reconciles !== work) {
      work = now ? now.writes + now.reconciles : -1;
      since = performance.now();
    }
    await sleep(250);
  }
  return since;
}

function report(rows: Row[], out: string | undefined): void {
  const { model = 'unknown CPU' } = cpus()[0] ?? {};
  const machine = `${model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const footprint: Footprint = { date: new Date().toISOString(), machine, node: process.versions.node, rows };
  if (out === undefined) return void process.stdout.write(markdown(footprint));
  const folder = resolve(process.env['INIT_CWD'] ?? '.', out);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'operator-footprint.json'), `${JSON.stringify(footprint, null, 2)}\n`);
  writeFileSync(join(folder, 'operator-footprint.md'), markdown(footprint));
}

await main();
