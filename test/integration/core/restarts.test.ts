// MySQL is killed and comes back, twice, while people write over REST: what was answered with success is there, once and in one order.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCoreStack, type CoreStack } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

const RESTARTS = 2;
/** Acked messages before each kill, and after the last one. */
const ENOUGH = 30;

let stack: CoreStack;
before(async () => {
  stack = await startCoreStack({}, { own: true });
});
after(() => stack.stop());

test('MySQL restarted under load: no acked write is lost or doubled, and core recovers by itself', { timeout: 120_000 }, async () => {
  const direct = await stack.call(1, 'POST', '/api/rooms', { room_type: 'direct', member_ids: [2] });
  const room = direct.body.id;
  /** content -> seq, as it was acked */
  const acked = new Map<string, number>();
  const groups: string[] = [];
  const answers = new Map<number, number>();
  const count = (status: number) => answers.set(status, (answers.get(status) ?? 0) + 1);
  let done = false;

  /** The same id until it is acked: what a client does whose answer was lost. */
  const sender = async (userId: number, name: string) => {
    for (let next = 0; !done; next++) {
      const content = `${name} ${next}`;
      for (;;) {
        const path = `/api/rooms/${room}/messages`;
        const { status, body } = await stack.call(userId, 'POST', path, { content, client_msg_id: `${name}-${next}` });
        count(status);
        if (status === 201 || status === 200) {
          acked.set(content, body.seq);
          break;
        }
        assert.equal(status, 503, JSON.stringify(body));
        if (done) return;
        await sleep(50);
      }
    }
  };
  const founder = async () => {
    for (let next = 0; !done; next++) {
      const { status, body } = await stack.call(3, 'POST', '/api/rooms', { room_type: 'group', name: `group ${next}`, member_ids: [4] });
      count(status);
      if (status === 201) groups.push(body.id);
      else assert.equal(status, 503, JSON.stringify(body));
      await sleep(20);
    }
  };
  const writers = [sender(1, 'a'), sender(1, 'b'), sender(2, 'c'), founder()];
  try {
    for (let restart = 0; restart < RESTARTS; restart++) {
      const before = acked.size;
      await eventually('messages are acked', () => acked.size >= before + ENOUGH);
      stack.servers.mysql.kill('SIGKILL');
      await stack.servers.mysql.exited;
      await eventually('core is not ready', async () => !(await stack.ready()));
      await stack.servers.start('mysql');
      await eventually('core is ready again', () => stack.ready());
    }
    const before = acked.size;
    await eventually('messages are acked again', () => acked.size >= before + ENOUGH);
  } finally {
    done = true;
    await Promise.all(writers);
  }
  assert.ok((answers.get(503) ?? 0) > 0, 'somebody noticed the outage');

  const stored: { seq: number; content: string }[] = [];
  for (let last = 0; ;) {
    const { body } = await stack.call(2, 'GET', `/api/rooms/${room}/messages?limit=100&after_seq=${last}`);
    if (body.messages.length === 0) break;
    stored.push(...body.messages);
    last = stored.at(-1)?.seq ?? last;
  }
  assert.deepEqual(
    stored.map(({ seq }) => seq),
    stored.map((_, index) => index + 1),
  );
  assert.equal(new Set(stored.map(({ content }) => content)).size, stored.length, 'a message is there twice');
  for (const [content, seq] of acked) assert.equal(stored[seq - 1]?.content, content);
  for (const id of groups) assert.equal((await stack.call(3, 'GET', `/api/rooms/${id}`)).status, 200);
});
