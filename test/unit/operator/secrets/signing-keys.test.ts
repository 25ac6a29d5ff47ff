// The change of the signing key, step by step, with a clock of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  isRotating,
  rotationStatus,
  rotationStep,
  type AuthReplica,
  type Jwk,
  type Rotation,
} from '../../../../operator/src/secrets/signing-keys.ts';

const TOKEN_SECONDS = 900;
const key = (kid: string): Jwk => ({ kid, d: 'secret' });
const START = Date.parse('2026-01-01T00:00:00Z');

/** A Secret, replicas of auth that read it when they are told to, and a clock. */
class World {
  atMs = START;
  asked: string | undefined = undefined;
  taken: string | undefined = undefined;
  rotation: Rotation | undefined;
  keys: Jwk[] | undefined = [key('old')];
  tokenSeconds = TOKEN_SECONDS;
  writes = 0;
  #next = 0;
  readonly replicas: AuthReplica[] = ['a', 'b'].map((name) => ({ name, keys: { signs: 'old', publishes: ['old'] } }));

  /** The mounted file arrives. */
  read(name: string): void {
    const kids = (this.keys ?? []).map(({ kid }) => String(kid));
    const replica = this.replicas.find((each) => each.name === name) ?? assert.fail();
    replica.keys = { signs: kids[0] ?? '', publishes: kids };
  }
  look(afterSeconds = 0): void {
    this.atMs += afterSeconds * 1000;
    const { asked, taken, rotation, keys, replicas, tokenSeconds } = this;
    const newKey = () => key(`new-${++this.#next}`);
    const step = rotationStep({ asked, taken, rotation, keys, replicas, tokenSeconds, now: new Date(this.atMs), newKey });
    this.rotation = step.rotation;
    if (!step.write) return;
    this.writes++;
    this.taken = step.write.taken;
    if (step.write.keys) this.keys = [...step.write.keys];
  }
  get kids(): string {
    return (this.keys ?? []).map(({ kid }) => kid).join();
  }
  get told() {
    return this.rotation && rotationStatus(this.rotation, { replicas: this.replicas, now: new Date(this.atMs) });
  }
}

const begun = (): World => {
  const world = new World();
  world.asked = 'one';
  world.look();
  return world;
};
const signing = (): World => {
  const world = begun();
  for (const name of ['a', 'b']) world.read(name);
  world.look(160);
  world.look(20);
  assert.equal(world.kids, 'new-1,old');
  return world;
};

test('nothing is asked for: nothing happens; asked twice for the same: once', () => {
  const world = new World();
  world.look();
  assert.deepEqual([world.kids, world.writes, world.told], ['old', 0, undefined]);
  world.asked = '';
  world.look();
  assert.equal(world.writes, 0);
  world.asked = world.taken = 'of the beginning';
  world.look();
  assert.equal(world.writes, 0);
});

test('published after the old one, signing before it, alone', () => {
  const world = begun();
  assert.deepEqual([world.kids, world.rotation?.phase, world.taken], ['old,new-1', 'Publishing', 'one']);
  for (const name of ['a', 'b']) world.read(name);
  world.look(10);
  assert.match(world.told?.message ?? '', /new-1 is published beside old; it signs from 2026-01-01T00:03:00Z on/);
  world.look(169);
  assert.equal(world.kids, 'old,new-1', 'a Secret may take two minutes');
  world.look(1);
  assert.deepEqual([world.kids, world.rotation?.phase], ['new-1,old', 'Signing']);
  for (const name of ['a', 'b']) world.read(name);
  world.look(60);
  assert.match(world.told?.message ?? '', /new-1 signs; old is removed at 2026-01-01T00:20:00Z/);
  world.look(TOKEN_SECONDS + 59);
  assert.equal(world.kids, 'new-1,old');
  world.look(1);
  assert.deepEqual([world.kids, world.rotation?.phase], ['new-1', 'Done']);
  assert.match(world.told?.message ?? '', /The signing key is new-1, alone since 2026-01-01T00:20:00Z/);
  const { writes } = world;
  world.look(100_000);
  assert.equal(world.writes, writes);
});

test('a replica that does not publish, or does not answer, holds it for as long as it takes', () => {
  const world = begun();
  world.read('a');
  world.look(500);
  assert.equal(world.kids, 'old,new-1');
  assert.match(world.told?.message ?? '', /it waits for b to publish the new one/);
  assert.equal(world.told?.held, undefined);
  world.look(200);
  assert.match(world.told?.held ?? '', /b did not publish .* new-1 in time: read the log/);
  world.replicas[1] = { name: 'b', keys: undefined };
  world.look(10_000);
  assert.equal(world.kids, 'old,new-1');
  world.read('b');
  world.look(1);
  assert.equal(world.kids, 'old,new-1', 'a verifier may have asked a moment ago, and does not ask again at once');
  world.look(19);
  world.look(1);
  assert.equal(world.kids, 'new-1,old');
});

test('a replica that comes without the key begins the wait anew', () => {
  const world = begun();
  for (const name of ['a', 'b']) world.read(name);
  world.look(170);
  world.replicas.push({ name: 'c', keys: { signs: 'old', publishes: ['old'] } });
  world.look(9);
  assert.equal(world.rotation?.allSince, undefined);
  world.read('c');
  world.look(1);
  world.look(19);
  assert.equal(world.kids, 'old,new-1');
  world.look(1);
  assert.equal(world.kids, 'new-1,old');
});

test('tokens live from when the last replica has stopped to sign with the old key', () => {
  const world = signing();
  world.read('a');
  world.look(5000);
  assert.equal(world.kids, 'new-1,old', 'b signs with the old one');
  world.read('b');
  world.look(1);
  world.look(TOKEN_SECONDS + 59);
  assert.equal(world.kids, 'new-1,old');
  world.look(1);
  assert.equal(world.kids, 'new-1');
});

test('a shorter life of tokens shortens nothing that is under way, a longer one prolongs it', () => {
  for (const [changed, life] of [
    [60, TOKEN_SECONDS],
    [3600, 3600],
  ] as const) {
    const world = signing();
    for (const name of ['a', 'b']) world.read(name);
    world.tokenSeconds = changed;
    world.look(1);
    world.look(life + 59);
    assert.equal(world.kids, 'new-1,old', String(changed));
    world.look(1);
    assert.equal(world.kids, 'new-1', String(changed));
  }
});

test('asked again meanwhile: after this one the next; asked no more: this one is finished', () => {
  const world = signing();
  world.asked = 'two';
  for (const name of ['a', 'b']) world.read(name);
  world.look(1);
  assert.equal(world.kids, 'new-1,old');
  world.look(TOKEN_SECONDS + 60);
  assert.deepEqual([world.kids, world.taken], ['new-1', 'one']);
  world.look(1);
  assert.deepEqual([world.kids, world.taken, world.rotation?.phase], ['new-1,new-2', 'two', 'Publishing']);
  world.asked = undefined;
  for (let minute = 0; minute < 30; minute++) {
    for (const name of ['a', 'b']) world.read(name);
    world.look(60);
  }
  assert.equal(world.kids, 'new-2');
});

test('a key of somebody else stays, and what cannot be read is not touched', () => {
  const world = signing();
  world.keys?.push(key('theirs'));
  for (const name of ['a', 'b']) world.read(name);
  world.look(1);
  world.look(TOKEN_SECONDS + 60);
  assert.equal(world.kids, 'new-1,theirs');

  const gone = signing();
  gone.keys = [key('old')];
  gone.look(1);
  assert.deepEqual([gone.kids, gone.rotation?.phase], ['old', 'Failed']);
  assert.match(gone.told?.message ?? '', /because the new key new-1 was taken out of the Secret by somebody else; repair/);
  gone.look(1);
  assert.equal(gone.kids, 'old', 'the same value asks for nothing more');
  gone.asked = 'again';
  gone.look(1);
  assert.equal(gone.kids, 'old,new-2');

  const broken = new World();
  broken.keys = undefined;
  broken.asked = 'one';
  broken.look();
  assert.deepEqual([broken.keys, broken.rotation?.phase, isRotating(broken.rotation)], [undefined, 'Failed', false]);
  assert.match(broken.told?.message ?? '', /keys\.json of the Secret is not a list of keys/);
});

test('no auth at all: there is nobody to wait for', () => {
  const world = begun();
  world.replicas.length = 0;
  world.look(1);
  world.look(179);
  assert.equal(world.kids, 'new-1,old');
});
