// A new version, more and fewer replicas, a drained node, each under 500 clients who send and with both operators killed in the middle:
// no socket ends without a `reconnect` frame, nothing is lost, doubled or out of order, and the same objects are there at the end.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { clusterReady, engineOf, eventually, kind, kubectl, onEveryNode } from '../e2e/kind.ts';
import { CrowdProcess } from './crowd-process.ts';
import type { CrowdReport } from './crowd.ts';
import { differences, killOperator, made, makeRoom, patch, people, ready, somebodyDrains, status } from './scene.ts';

const CLIENTS = 500;
const PEOPLE = { pairs: 5, roomsOfPair: 4 };
const EVERY_MS = 15_000;
const SERVICES = 'docker.io/parley/services';
const [FROM, TO] = ['0.1.0', '0.1.1'];
/** Five replicas with 100 sockets each, one after the other, on two cores that the clients share. */
const LONG_MS = 900_000;
/** spec.chat.drain.ratePercentPerSecond */
const PERCENT_PER_SECOND = 5;

describe(`${CLIENTS} clients on kind`, { concurrency: false }, () => {
  const cluster = `chatcluster/${kind.chatCluster}`;
  let crowd: CrowdProcess;
  let before_: Record<string, unknown>;

  const scale = async (replicas: number) => {
    await kubectl('scale', cluster, `--replicas=${replicas}`);
    return () => ready((seen) => seen.replicas === replicas && seen.readyReplicas === replicas, `${replicas} replicas`, LONG_MS);
  };
  const fine = (report: CrowdReport) => {
    const { clients, abrupt, lost, doubled, disagreements, acked } = report;
    process.stdout.write(`${JSON.stringify(report)}\n`);
    assert.deepEqual(
      { clients, abrupt, lost, doubled, disagreements },
      { clients: CLIENTS, abrupt: 0, lost: 0, doubled: 0, disagreements: 0 },
    );
    assert.ok(acked > CLIENTS, `${acked} messages were acked meanwhile`);
    // A drain asks at least one socket a second; no faster than the rate that the spec names.
    for (const { server, reason, sockets, seconds } of report.moved)
      if (reason === 'drain' && sockets >= 40)
        assert.ok(seconds >= (100 / PERCENT_PER_SECOND) * 0.6, `${server} asked ${sockets} sockets within ${seconds} s`);
  };

  before(async () => {
    await clusterReady();
    await makeRoom();
    before_ = await made();
    const ctr = 'ctr --namespace k8s.io images';
    await onEveryNode(
      'sh',
      '-c',
      `! ${ctr} ls -q | grep -qx ${SERVICES}:${FROM} || ${ctr} tag --force ${SERVICES}:${FROM} ${SERVICES}:${TO}`,
    );
    const address = await kubectl('get', `service/${kind.chatCluster}-haproxy`, '-o', 'jsonpath={.spec.clusterIP}');
    const node = await kubectl('get', 'nodes', '-l', 'node-role.kubernetes.io/control-plane', '-o', 'jsonpath={.items[0].metadata.name}');
    const options = { url: `ws://${address}:8085/api/ws`, seats: await people(PEOPLE), clients: CLIENTS, everyMs: EVERY_MS };
    crowd = await CrowdProcess.start(await engineOf(node), node, options);
  });
  after(async () => {
    crowd?.stop();
    await patch({ version: FROM, chat: { replicas: 3, limits: null }, auth: { accessTokenSeconds: null } });
    await clusterReady();
  });

  test('a new version', { timeout: LONG_MS }, async () => {
    await patch({ version: TO });
    await somebodyDrains();
    await killOperator();
    await ready(({ version, readyReplicas }) => version === TO && readyReplicas === 3, 'the new version', LONG_MS);
    fine(await crowd.report());
  });

  test('two replicas, five, two again', { timeout: LONG_MS * 2 }, async () => {
    await (
      await scale(2)
    )();
    const two = await made();
    const five = await scale(5);
    await killOperator();
    await five();
    await eventually(
      'the sockets are spread',
      async () => {
        const counts = (await status()).connections?.perReplica.map(({ connections }) => connections) ?? [];
        return counts.length === 5 && Math.max(...counts) <= (CLIENTS / 5) * 1.25 + 20;
      },
      LONG_MS,
    );
    const again = await scale(2);
    await somebodyDrains();
    await killOperator();
    await again();
    fine(await crowd.report());
    assert.deepEqual(differences(two, await made()), []);
    await (
      await scale(3)
    )();
  });

  test('a drained node', { timeout: LONG_MS * 2 }, async () => {
    const nodes = await kubectl('get', 'pods', '-l', 'app.kubernetes.io/component=mysql', '-o', 'jsonpath={.items[*].spec.nodeName}');
    const workers = await kubectl(
      'get',
      'nodes',
      '-l',
      '!node-role.kubernetes.io/control-plane',
      '-o',
      'jsonpath={.items[*].metadata.name}',
    );
    // The volumes of this cluster are folders of one node: where MySQL lives it cannot move from.
    const node = workers.split(' ').find((name) => !nodes.split(' ').includes(name));
    assert.ok(node, 'a second worker is needed: npm run kind:down, then npm run kind -- --workers 2');
    const drained = kubectl('drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=600s');
    try {
      await somebodyDrains();
      await killOperator();
      await drained;
      const left = await kubectl('get', 'pods', '-l', 'app.kubernetes.io/component=chat', '-o', 'jsonpath={.items[*].spec.nodeName}');
      assert.ok(!left.split(' ').includes(node), 'no replica is left on the node');
    } finally {
      await drained.catch(() => {});
      await kubectl('uncordon', node);
    }
    await ready(({ readyReplicas }) => readyReplicas === 3, 'all replicas elsewhere', LONG_MS);
    fine(await crowd.report());
  });

  test('back to the first version, and everything is as it was', { timeout: LONG_MS }, async () => {
    await patch({ version: FROM });
    await ready(({ version, readyReplicas }) => version === FROM && readyReplicas === 3, 'the first version', LONG_MS);
    fine(await crowd.report());
    assert.deepEqual(differences(before_, await made()), []);
  });
});
