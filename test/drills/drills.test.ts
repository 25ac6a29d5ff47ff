// Each fault of a ChatDrill on kind: the cluster recovers, and the canary finds nothing lost, doubled or out of order.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { clusterReady, eventually, kind, kubectl, shell } from '../e2e/kind.ts';

interface Drill {
  status?: {
    lost?: number;
    duplicated?: number;
    misordered?: number;
    acked?: number;
    conditions?: { type: string; status: string; reason: string; message: string }[];
  };
}

const FAULTS = ['KillChatPod', 'KillRedis', 'PauseMySQL', 'CutKafka', 'RollHAProxy'] as const;
const LABEL = 'chat.parley.dev/allow-drills';
const TIMEOUT_SECONDS = 600;
/** The canary is watched a while longer than the drill takes. */
const DRILL_MS = (TIMEOUT_SECONDS + 180) * 1000;

describe('drills on kind', { concurrency: false }, () => {
  const cluster = `chatcluster/${kind.chatCluster}`;
  const nameOf = (fault: string) => `drill-${fault.toLowerCase()}`;
  /** JSON is a document of YAML, too. */
  const create = (name: string, fault: string) => {
    const metadata = { name, namespace: kind.namespace };
    const spec = { cluster: kind.chatCluster, fault, durationSeconds: 20, timeoutSeconds: TIMEOUT_SECONDS };
    const manifest = JSON.stringify({ apiVersion: 'chat.parley.dev/v1alpha1', kind: 'ChatDrill', metadata, spec });
    return shell([`kubectl apply -f - <<'END'`, manifest, 'END']);
  };
  const drill = async (name: string) => JSON.parse(await kubectl('get', 'chatdrill', name, '-o', 'json')) as Drill;
  const told = async (name: string) => (await drill(name)).status?.conditions?.find(({ status }) => status === 'True');
  const ended = (name: string) =>
    eventually(
      `${name} ends`,
      async () => {
        const found = await told(name);
        return (found?.type === 'Complete' || found?.type === 'Failed') && found;
      },
      DRILL_MS,
    );
  const healthy = () => kubectl('wait', cluster, '--for=condition=DeliveryHealthy', '--timeout=180s');
  const removeAll = () => kubectl('delete', 'chatdrill', '--ignore-not-found', ...FAULTS.map(nameOf), 'drill-refused');

  before(async () => {
    await clusterReady();
    await kubectl('label', cluster, `${LABEL}-`);
    await removeAll();
  });
  after(async () => {
    await removeAll();
    await kubectl('label', cluster, `${LABEL}-`);
    await clusterReady();
  });

  test('without the label a drill is refused', async () => {
    await create('drill-refused', 'KillRedis');
    assert.equal((await ended('drill-refused')).reason, 'NotAllowed');
  });

  for (const fault of FAULTS)
    test(`${fault}: nothing is lost, doubled or out of order`, { timeout: DRILL_MS + 400_000 }, async () => {
      await kubectl('label', cluster, `${LABEL}=true`, '--overwrite');
      await clusterReady();
      await healthy();
      await create(nameOf(fault), fault);
      const { type, reason, message } = await ended(nameOf(fault));
      assert.deepEqual([type, reason], ['Complete', 'Passed'], message);
      const { lost, duplicated, misordered, acked = 0 } = (await drill(nameOf(fault))).status ?? {};
      assert.deepEqual({ lost, duplicated, misordered }, { lost: 0, duplicated: 0, misordered: 0 });
      assert.ok(acked > 0, 'messages were acked meanwhile');
    });
});
