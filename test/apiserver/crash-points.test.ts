// The operator is killed at about every seventh write of a create and of an update on a real API server, in turn before and after it;
// the unit tests do so at each. The next operator comes to the same objects as one that was never killed, and overwrites no Secret.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CREATED,
  differences,
  GROWING_CLASS,
  keptObjects,
  keptSecrets,
  letRun,
  mortal,
  UPDATED,
  type Crash,
  type Mortal,
} from '../helpers/crash.ts';
import { operatorWorld } from './operator-world.ts';

/** how many of the writes, from the first on at equal distances */
const POINTS = { create: 8, update: 4 };
type Scene = 'create' | 'update';
const GROWING = {
  ...{ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', provisioner: 'example.com/none' },
  metadata: { name: GROWING_CLASS },
  allowVolumeExpansion: true,
};

describe('an operator that is killed', () => {
  const { apply, becomes, quiet, startController, stopController, admin, namespace, server } = operatorWorld();
  before(() => server().kubectl(['apply', '-f', '-'], JSON.stringify(GROWING)));

  /** Until the work is done; the part of the controllers of Kubernetes is played all along. */
  const whileRunning = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const end = work.finally(() => (done = true));
    // Whoever waits for the work hears of its failure.
    end.catch(() => {});
    while (!done) {
      await letRun(admin(), namespace());
      await sleep(50);
    }
    return end;
  };
  // Each run has a namespace of its own, and configurations name it.
  const kept = () => keptObjects(admin(), namespace(), ['chat.parley.dev/config-hash']);
  const rest = () => whileRunning(becomes('Ready', 'True').then(quiet));

  const begin = async (scene: Scene, crash?: Crash): Promise<Mortal> => {
    let operator!: Mortal;
    if (scene === 'update') {
      await apply(CREATED);
      await rest();
    }
    await stopController();
    await apply(scene === 'create' ? CREATED : UPDATED);
    // The status is written as often as the watches see something: only the writes of objects come in the same order each time.
    await startController((transport) => (operator = mortal(transport, crash, (path) => !path.endsWith('/status'))));
    const died = async (): Promise<void> => {
      while (!operator.dead) await sleep(10);
    };
    await (crash ? whileRunning(died()) : rest());
    await stopController();
    return operator;
  };

  for (const scene of ['create', 'update'] as const) {
    let writes: string[] = [];
    let objects: string[] = [];
    it(`${scene}: undisturbed`, async () => {
      ({ writes } = await begin(scene));
      objects = await kept();
      assert.ok(writes.length >= 5 * POINTS[scene], writes.join('\n'));
    });
    for (let point = 0; point < POINTS[scene]; point++)
      it(`${scene}: killed after ${point}/${POINTS[scene]} of its writes`, async () => {
        const write = Math.floor((writes.length * point) / POINTS[scene]);
        const when = point % 2 === 0 ? 'before' : 'after';
        const { writes: done } = await begin(scene, { write, when });
        const secrets = await keptSecrets(admin(), namespace());
        await startController();
        await rest();
        const later = await keptSecrets(admin(), namespace());
        for (const [name, secret] of Object.entries(secrets)) assert.deepEqual(later[name], secret, `Secret ${name} stays as it is`);
        assert.deepEqual(differences(await kept(), objects), [], `${when} ${done.at(-1)}`);
      });
  }
});
