// npm start on a bare machine: ready, the README's calls, a message that reaches Kafka, Ctrl-C.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { BareMachine } from './machine.ts';
import type { LocalFile } from '../../kind/local/src/local-file.ts';
import { readPage } from '../docs/page.ts';
import { eventually } from '../helpers/eventually.ts';
import { freeRow } from '../helpers/local-start.ts';

const CHAT_REPLICAS = 3;
const HELLO = 'Hello from a bare machine';

/** What a first start took. */
export interface Took {
  seconds: number;
  debian: { count: number; megabytes: number };
  npm: { count: number };
  jars: { count: number };
}

/** Throws with what the machine said when something is not as promised. */
export async function startAndHello(machine: BareMachine, onOutput: (text: string) => void): Promise<Took> {
  const before = machine.packages();
  const began = performance.now();
  const terminal = machine.run(`npm start -- --ports-from ${await freeRow(CHAT_REPLICAS)}`, onOutput);
  await terminal.until('Parley is ready');
  const seconds = (performance.now() - began) / 1000;
  const local = JSON.parse(readFileSync(join(machine.checkout, '.parley/local.json'), 'utf8')) as LocalFile;
  assert.ok(local.databases['kafka'], 'there is no Kafka');
  await sendHello(local);
  assert.match(readHistory(machine, local), new RegExp(`${HELLO}[\\s\\S]*"instance":"chat-\\d"`));
  await heardFromKafka(local.databases['kafka']);
  const after = machine.packages();

  terminal.pressCtrlC();
  // At a terminal npm gets the signal too, and says 130 for it, however well its program ended.
  const code = await terminal.exited;
  assert.ok([0, 130].includes(code), `exit code ${code} after Ctrl-C`);
  assert.match(terminal.output(), /stopped; nothing is left running/);
  assert.doesNotMatch(terminal.output(), /^left running: .*/m);
  return {
    seconds,
    debian: { count: after.count - before.count, megabytes: after.megabytes - before.megabytes },
    npm: { count: npmPackages(machine) },
    jars: { count: jars(machine).length },
  };
}

async function sendHello({ urls, roomId, users: [alice] }: LocalFile): Promise<void> {
  const { status } = await fetch(`${urls.chat}/api/rooms/${roomId}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${alice?.token ?? ''}`, 'content-type': 'application/json' },
    body: JSON.stringify({ content: HELLO }),
  });
  assert.equal(status, 201);
}

/** The block of the README as it stands, but for the port. It needs curl, which this machine has. */
function readHistory({ checkout }: BareMachine, { ports }: LocalFile): string {
  const page = readPage('README.md', readFileSync(join(checkout, 'README.md'), 'utf8'));
  const block = page.blocks.find(({ language, text }) => language === 'sh' && text.includes('TOKEN=$('));
  assert.ok(block, 'the README has no commands to talk to it');
  const commands = block.text.replaceAll(':8085', `:${ports.chat}`);
  return execFileSync('bash', ['--norc', '-euo', 'pipefail', '-c', commands], { cwd: checkout, encoding: 'utf8' });
}

async function heardFromKafka(broker: string): Promise<void> {
  const consumer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 20 } }).consumer({ groupId: 'bare' });
  const heard: string[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: 'chat.messages', fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void heard.push(message.value?.toString('utf8') ?? '') });
    await eventually('Kafka has the message', () => heard.some((value) => value.includes(HELLO)));
  } finally {
    await consumer.disconnect();
  }
}

function npmPackages({ checkout }: BareMachine): number {
  const { packages } = JSON.parse(readFileSync(join(checkout, 'node_modules/.package-lock.json'), 'utf8')) as { packages: object };
  return Object.keys(packages).length;
}

function jars({ root }: BareMachine): string[] {
  const cache = join(root, 'root/.cache/parley');
  const folder = existsSync(cache) ? readdirSync(cache).find((name) => name.startsWith('kafka-')) : undefined;
  return folder === undefined ? [] : readdirSync(join(cache, folder, 'libs'));
}
