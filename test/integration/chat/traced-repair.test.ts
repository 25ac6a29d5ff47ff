// The span `repair` at a collector: a replica that Redis told nothing reads from the database what it missed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startChatCluster, type ChatCluster } from '../../helpers/chat-cluster.ts';
import { startOtlpReceiver } from '../../helpers/otlp-receiver.ts';

describe('a traced repair', { timeout: 120_000 }, () => {
  let collector: Awaited<ReturnType<typeof startOtlpReceiver>>;
  let cluster: ChatCluster;
  before(async () => {
    collector = await startOtlpReceiver();
    cluster = await startChatCluster(2, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  });
  after(async () => {
    await cluster?.stop();
    await collector.stop();
  });

  test('says which room, from where, and holds the statement that read it', async () => {
    const [first, second] = cluster.replicas;
    assert.ok(first && second);
    const room = await cluster.room([1, 2]);
    const ann = await cluster.login(first, 1);
    const ben = await cluster.login(second, 2);
    await ann.join(room);
    await ben.join(room);
    const { seq } = await ann.say(room, 'over Redis', 'traced-1');
    await ben.next((frame) => frame.type === 'message' && frame['content'] === 'over Redis');

    cluster.servers.redis.kill('SIGKILL');
    await cluster.servers.redis.exited;
    assert.equal((await ann.say(room, 'without Redis', 'traced-2')).type, 'ack');
    await ben.next((frame) => frame.type === 'message' && frame['content'] === 'without Redis', 20_000);

    const isRepair = (span: (typeof collector.spans)[number]) =>
      span.name === 'repair' &&
      span.instance === second.name &&
      span.attributes['parley.room_id'] === room &&
      span.attributes['parley.after_seq'] === seq;
    const deadline = Date.now() + 30_000;
    const statementOf = (spanId: string) =>
      collector.spans.find((span) => span.parentSpanId === spanId && span.attributes['db.system.name'] === 'mysql');
    // A look that finds nothing new may come before the one that does; each of them reads.
    let repair = collector.spans.find(isRepair);
    while (!repair || !statementOf(repair.spanId)) {
      assert.ok(Date.now() < deadline, `no repair came; there are ${[...new Set(collector.spans.map(({ name }) => name))].join(', ')}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      repair = collector.spans.find(isRepair);
    }
    assert.deepEqual([repair.service, repair.failed], ['parley-chat', false]);
    assert.ok(!JSON.stringify(collector.spans).includes('without Redis'), 'no text of anybody');
  });
});
