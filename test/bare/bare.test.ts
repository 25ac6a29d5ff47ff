// The README's commands on bare machines, all that are promised: Debian 12 and 13, the supported versions of Node and the oldest that runs.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createMachine, type BareMachine } from './machine.ts';
import { RELEASES, type Release } from './options.ts';
import { prepareBare } from './prepare-bare.ts';
import { startAndHello } from './readme-commands.ts';

await prepareBare(() => {});

/** The newest version of each is taken. */
const MACHINES: readonly [Release, string][] = [
  ['bookworm', '20'],
  ['bookworm', '24'],
  ['trixie', '20'],
  ['trixie', '22'],
  ['trixie', '24'],
];

async function on(release: Release, node: string, work: (machine: BareMachine) => Promise<unknown>): Promise<void> {
  const machine = createMachine({ release, node });
  try {
    await work(machine);
  } finally {
    await machine.remove();
  }
}

for (const [release, node] of MACHINES)
  test(`${RELEASES[release]}, Node ${node}: npm start is ready with Kafka, and Ctrl-C leaves nothing`, () =>
    on(release, node, (machine) => startAndHello(machine, () => {})));

test('Debian 13, Node 24: npm test finds or installs what it needs', () =>
  on('trixie', '24', async (machine) => {
    const terminal = machine.run('npm test -- --level unit --level contract');
    assert.equal(await terminal.exited, 0, terminal.output().slice(-4000));
  }));
