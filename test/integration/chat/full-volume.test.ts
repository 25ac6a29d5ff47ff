// A real MySQL on a file system that is full: chat says so to the operator in the server's own words, and what was refused is stored once
// there is space. The file system is a small one in memory; only root may mount it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolve } from '@parley/cdk8s';
import { parseChatCluster } from '@parley/operator-api';
import { PodConnections } from '../../../operator/src/rollout/connections.ts';
import { podAnswer } from '../../../operator/src/watch/pod-answer.ts';
import type { ChatPod } from '../../../operator/src/rollout/rollout.ts';
import { storageVerdict, storageView } from '../../../operator/src/storage/status.ts';
import { startChatCluster, type ChatCluster } from '../../helpers/chat-cluster.ts';

const root = process.getuid?.() === 0;
/** What a fresh MariaDB takes, and some room for messages. */
const SIZE = '176m';
const LEFT_BYTES = 256 * 1024;
const CONTENT = 'x'.repeat(4000);
const SENT_MAX = 4000;

function verdictOf(sockets: PodConnections) {
  const parsed = parseChatCluster({ metadata: { name: 'demo', namespace: 'team' } });
  assert.ok(parsed.ok);
  const plan = resolve(parsed.cluster, { clusterDomain: 'cluster.local', operatorNamespace: 'parley-system' });
  const pod: ChatPod = {
    ...{ name: 'demo-chat-0', namespace: 'team', uid: 'u', cluster: 'demo', component: 'chat', ip: '127.0.0.1', revision: 'r' },
    ...{ ready: true, terminating: false, problem: undefined, sockets },
  };
  return storageVerdict(storageView({ plan, claims: [], pods: [pod], refused: new Map(), waiting: new Map() }));
}

test('a full volume of MySQL', { skip: root ? false : 'mounting a file system needs root' }, async () => {
  let volume = '';
  let cluster: ChatCluster | undefined;
  try {
    cluster = await startChatCluster(
      1,
      {},
      {
        prepare: (dir) => {
          volume = join(dir, 'mysql');
          mkdirSync(volume);
          execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=755`, 'none', volume]);
        },
      },
    );
    const { replicas } = cluster;
    const [replica] = replicas;
    assert.ok(replica);
    const ask = () => podAnswer(PodConnections, { port: Number(new URL(replica.adminUrl).port), path: '/connections' })('127.0.0.1');
    const room = await cluster.room([1]);
    const alice = await cluster.login(replica, 1);
    await alice.join(room);
    assert.equal((await alice.say(room, 'before', 'first')).type, 'ack');
    assert.equal((await ask()).databaseFull, undefined);
    assert.equal(verdictOf(await ask()).status, 'True');

    const { bavail, bsize } = statfsSync(volume);
    writeFileSync(join(volume, 'filler'), Buffer.alloc(bavail * bsize - LEFT_BYTES));
    let acked = 1;
    let refused: Record<string, unknown> | undefined;
    for (let sent = 0; sent < SENT_MAX && !refused; sent++) {
      const answer = await alice.say(room, CONTENT, `id-${sent}`);
      if (answer.type === 'ack') acked++;
      else refused = { ...answer, sent };
    }
    assert.deepEqual([refused?.['type'], refused?.['code'], refused?.['retryable']], ['error', 'unavailable', true]);
    const full = await ask();
    assert.match(full.databaseFull ?? '', /is full|No space left|errno: 28/);
    const { status, reason, message } = verdictOf(full);
    assert.deepEqual([status, reason], ['False', 'VolumeFull']);
    assert.match(message, /The volume of mysql is full: .*demo-chat-0.*Next: raise spec\.mysql\.storage\.size/);

    rmSync(join(volume, 'filler'));
    const id = `id-${String(refused?.['sent'])}`;
    assert.equal((await alice.say(room, CONTENT, id)).type, 'ack', 'the same message again');
    assert.equal((await ask()).databaseFull, undefined);
    const rows = await cluster.rows(room);
    assert.equal(rows.length, acked + 1);
    assert.equal(rows.filter((row) => row.client_msg_id === id).length, 1);
  } finally {
    // Lazily: the server still has its files there, and ends with the cluster.
    if (volume !== '') execFileSync('umount', ['--lazy', volume]);
    await cluster?.stop();
  }
});
