// The writer against a model of the database, two replicas at once, in random interleavings with failures of every kind: dense seqs,
// one row per client id, every submission settled once and truthfully.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { fc } from '../../helpers/seed.ts';
import { MessageWriter, newId, type AppendResult, type NewMessage } from '@parley/chat-store';
import { createLog } from '@parley/kit/process';
import { runAll, sleepAsUsual, sleepIn } from './interleaving.ts';
import { ModelDatabase, POISON, type Fault } from './model-database.ts';

const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });
const rooms = [newId(), newId()] as const;
const users = [1, 2] as const;
const members = rooms.flatMap((room) => users.map((user) => `${room}/${user}`));

const submit = fc.record({
  kind: fc.constant('submit' as const),
  writer: fc.nat(1),
  room: fc.nat(1),
  sender: fc.constantFrom(1, 1, 2, 2, 9),
  client: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { nil: undefined, freq: 3 }),
  poison: fc.integer({ min: 0, max: 14 }).map((dice) => dice === 0),
});
const member = fc.record({ kind: fc.constant('member' as const), room: fc.nat(1), user: fc.constantFrom(...users), active: fc.boolean() });
const steps = fc.array(fc.oneof({ weight: 6, arbitrary: submit }, { weight: 1, arbitrary: member }), { minLength: 1, maxLength: 24 });
const faultsOf = (...some: Fault[]) => fc.array(fc.constantFrom<Fault>('none', 'none', 'none', ...some), { maxLength: 20 });

type Step = typeof submit extends fc.Arbitrary<infer S> ? S : never;
type Answer = AppendResult | { ok: false; code: 'overloaded' };
/** One message of a client, with all tries under the same id. */
interface Sent {
  step: Step;
  message: NewMessage;
  /** order of submission */
  number: number;
  from: number;
  to: number;
  answers: Answer[];
  tries: number;
}

class Run {
  readonly sent: Sent[] = [];
  readonly announced: string[] = [];
  readonly database: ModelDatabase;
  readonly #scheduler: fc.Scheduler;
  readonly #writers: MessageWriter[];

  constructor(scheduler: fc.Scheduler, faults: readonly Fault[]) {
    const left = [...faults];
    this.#scheduler = scheduler;
    const pause = (label: string) => scheduler.schedule(Promise.resolve(), label);
    this.database = new ModelDatabase({ rooms, members, pause, nextFault: () => left.shift() ?? 'none' });
    this.#writers = [0, 1].map(
      () =>
        new MessageWriter({
          connect: () => this.database.connect(),
          onCommit: (batches) =>
            batches.forEach(({ roomId, entries }) => this.announced.push(...entries.map(({ seq }) => `${roomId}/${seq}`))),
          ...{ log, batchMax: 6, waitMaxMs: Infinity },
        }),
    );
  }

  async play(all: readonly (Step | { kind: 'member'; room: number; user: number; active: boolean })[]): Promise<void> {
    const opening = Promise.all(this.#writers.map((writer) => writer.open()));
    await runAll(this.#scheduler);
    await opening;
    for (const step of all) {
      void this.#scheduler.schedule(Promise.resolve(), 'step').then(() => {
        if (step.kind === 'submit') this.#submit(step);
        else return this.database.changeMembership(rooms[step.room] as string, step.user, step.active);
      });
    }
    await runAll(this.#scheduler);
    const closing = Promise.all(this.#writers.map((writer) => writer.close()));
    await runAll(this.#scheduler);
    await closing;
  }

  #submit(step: Step): void {
    const message: NewMessage = {
      ...{ id: newId(), roomId: rooms[step.room] as string, senderId: step.sender, senderName: 'n', messageType: 'text', metadata: null },
      content: step.poison ? POISON : `from ${step.sender}`,
      clientMsgId: step.client,
    };
    const sent: Sent = { step, message, number: this.sent.length, from: this.database.clock, to: 0, answers: [], tries: 0 };
    this.sent.push(sent);
    this.#try(sent, message);
  }

  #try(sent: Sent, message: NewMessage): void {
    sent.tries++;
    const settle = (result: Answer) => {
      sent.answers.push(result);
      sent.to = this.database.clock;
      const again = !result.ok && result.code === 'unavailable' && sent.step.client !== undefined && sent.tries < 40;
      // The client's rule: not acked, so the same id again. The server gives each try an id of its own.
      if (again) void this.#scheduler.schedule(Promise.resolve(), 'again').then(() => this.#try(sent, { ...message, id: newId() }));
    };
    const outcome = (this.#writers[sent.step.writer] as MessageWriter).submit({ message, settle });
    if (!outcome.ok) settle(outcome);
  }
}

/** Was the user no member at any moment between submission and answer? */
function wasStranger(database: ModelDatabase, { message, from, to }: Sent): boolean {
  const key = `${message.roomId}/${message.senderId}`;
  const changes = database.membershipLog.filter((change) => change.key === key);
  const before = changes.findLast(({ clock }) => clock <= from)?.active ?? members.includes(key);
  return !before || changes.some(({ clock, active }) => clock > from && clock <= to && !active);
}

function check({ sent, database, announced }: Run): void {
  assert.deepEqual(database.violations, []);
  const rowAt = new Map(database.rows.map((row) => [`${row.room}/${row.seq}`, row]));
  for (const one of sent) {
    const { message, answers, tries, step } = one;
    assert.equal(answers.length, tries, 'every submission is settled exactly once');
    const last = answers.at(-1) as Answer;
    if (last.ok) {
      const row = rowAt.get(`${message.roomId}/${last.stored.seq}`);
      assert.deepEqual([row?.id, row?.sender, row?.client], [last.stored.id, message.senderId, message.clientMsgId]);
      assert.ok(last.duplicate || tries > 1 || last.stored.id === message.id, 'only a duplicate is acked as another message');
      assert.ok(!step.poison || last.duplicate, 'what cannot be stored is not acked');
    } else if (last.code === 'not_a_member') assert.ok(wasStranger(database, one), 'a member is never called a stranger');
    else if (last.code === 'internal') assert.ok(step.poison, 'a row that cannot be stored fails alone');
    else assert.ok(last.code === 'unavailable' && step.client === undefined, `a client that repeats comes through: ${last.code}`);
    // A refusal is honest: only what is `unavailable` may have been stored, and its sender repeats it if it has an id.
    const isStored = database.rows.some((row) => row.id === message.id);
    if (!last.ok && last.code !== 'unavailable') assert.ok(!isStored, 'what is refused is not stored');
  }
  assert.equal(new Set(announced).size, announced.length, 'an entry is announced once');
  for (const place of announced) assert.ok(rowAt.has(place), `${place} was announced and is not stored`);
}

/** Per writer and room, messages that came through at the first try keep the order of their submission. */
function checkOrder({ sent }: Run): void {
  const newest = new Map<string, number>();
  for (const { step, answers, message } of sent) {
    const [first] = answers;
    if (!first?.ok || first.duplicate) continue;
    const key = `${step.writer}/${message.roomId}`;
    assert.ok(first.stored.seq > (newest.get(key) ?? 0), 'a later message came first');
    newest.set(key, first.stored.seq);
  }
}

describe('writer against a model', () => {
  afterEach(sleepAsUsual);

  const property = (faults: fc.Arbitrary<Fault[]>, judge: (run: Run) => void) =>
    fc.asyncProperty(fc.scheduler(), steps, faults, async (scheduler, all, planned) => {
      sleepIn(scheduler);
      const run = new Run(scheduler, planned);
      await run.play(all);
      check(run);
      judge(run);
    });

  test('nothing fails: every entry is announced, and nobody is told that anything is unavailable', async () => {
    const judge = (run: Run) => {
      checkOrder(run);
      assert.equal(run.announced.length, run.database.rows.length);
      assert.ok(run.sent.every(({ answers }) => answers.every((answer) => answer.ok || answer.code !== 'unavailable')));
    };
    await fc.assert(property(fc.constant([]), judge), { numRuns: 1000 });
  });

  test('deadlocks: repeated until they are through, in order', async () => {
    await fc.assert(property(faultsOf('deadlock'), checkOrder), { numRuns: 1000 });
  });

  test('connections that end before and after a commit, and commits that come late', async () => {
    await fc.assert(property(faultsOf('lost before', 'lost after', 'late', 'deadlock'), checkOrder), { numRuns: 2000 });
  });
});
