// Which images are loaded into a node, and which pods run an older one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { images } from '@parley/cdk8s';
import { standIns } from '../../../../kind/cluster/src/images.ts';
import type { Pod } from '../../../../kind/cluster/src/kubectl.ts';
import { fullName, imagesToLoad, parseNodeImages } from '../../../../kind/cluster/src/node-images.ts';
import { isStale, staleWorkloads } from '../../../../kind/cluster/src/stale-pods.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const redis = 'docker.io/library/redis:8.0';
const services = 'docker.io/parley/services:0.1.0';
const listing = [
  'REF                          TYPE                                                 DIGEST    SIZE     PLATFORMS   LABELS',
  `${redis}  application/vnd.docker.distribution.manifest.v2+json ${digest('a')} 89.0 MiB linux/amd64 io.cri-containerd.image=managed`,
  `${services} application/vnd.docker.distribution.manifest.v2+json ${digest('b')} 300.0 MiB linux/amd64 io.cri-containerd.image=managed`,
  `${digest('1')} application/vnd.docker.distribution.manifest.v2+json ${digest('a')} 89.0 MiB linux/amd64 io.cri-containerd.image=managed`,
  `${digest('2')} application/vnd.docker.distribution.manifest.v2+json ${digest('b')} 300.0 MiB linux/amd64 io.cri-containerd.image=managed`,
  '',
].join('\n');
const node = parseNodeImages(listing);

test('a node knows an image by its manifest and by its configuration', () => {
  assert.deepEqual([...node.keys()], [redis, services]);
  assert.deepEqual([...(node.get(redis) ?? [])], [digest('a'), digest('1')]);
});

test('only images that the node lacks or has in another version are loaded', () => {
  const same = { name: redis, id: digest('1') };
  const newer = { name: services, id: digest('3') };
  const unknown = { name: 'docker.io/library/haproxy:3.0', id: digest('4') };
  assert.deepEqual(imagesToLoad([same, newer, unknown], node), [newer, unknown]);
  assert.deepEqual(imagesToLoad([same], parseNodeImages('')), [same]);
});

test('short names are completed as a node does it', () => {
  assert.equal(fullName('redis:8.0'), redis);
  assert.equal(fullName('apache/kafka:4.3.1'), 'docker.io/apache/kafka:4.3.1');
  assert.equal(fullName('localhost/parley/busybox:1'), 'localhost/parley/busybox:1');
  assert.equal(fullName('example.com:5000/parley/services:1'), 'example.com:5000/parley/services:1');
});

function pod(image: string, imageID: string, owner: { kind: string; name: string }): Pod {
  return {
    metadata: { name: `${owner.name}-x`, namespace: 'parley-demo', ownerReferences: [{ ...owner, controller: true }] },
    spec: { containers: [{ name: 'main', image }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', image, imageID, ready: true, restartCount: 0 }] },
  };
}

test('a pod of the image that the node has now is left alone, also one pulled from a registry', () => {
  const owner = { kind: 'StatefulSet', name: 'demo-redis' };
  assert.equal(isStale(pod('redis:8.0', digest('1'), owner), node), false);
  assert.equal(isStale(pod('redis:8.0', `docker.io/library/redis@${digest('a')}`, owner), node), false);
  assert.equal(isStale(pod('example.com/other:1', digest('9'), owner), node), false);
  assert.equal(isStale(pod('redis:8.0', '', owner), node), false, 'a container that has not started');
});

test('the owners of pods with an older image are restarted, each once', () => {
  const chat = pod(services, digest('9'), { kind: 'StatefulSet', name: 'demo-chat' });
  const core = pod(services, digest('9'), { kind: 'ReplicaSet', name: 'demo-core-7d9f8b6c5' });
  const job = pod(services, digest('9'), { kind: 'Job', name: 'demo-migrate-0123456789' });
  const current = pod(services, digest('2'), { kind: 'ReplicaSet', name: 'demo-auth-abc' });
  assert.deepEqual(
    staleWorkloads([chat, chat, core, job, current], node).map(({ resource }) => resource),
    ['statefulset/demo-chat', 'deployment/demo-core', 'job/demo-migrate-0123456789'],
  );
});

test('a pod that is being stopped needs no restart', () => {
  const old = pod(services, digest('9'), { kind: 'StatefulSet', name: 'demo-chat' });
  assert.equal(isStale({ ...old, metadata: { ...old.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }, node), false);
});

test('only the database servers that are asked for are built', () => {
  assert.ok(standIns(['mysql']).includes('mysql') && !standIns(['mysql']).includes('mariadb'));
  assert.deepEqual(new Set(standIns(['mysql', 'mariadb'])), new Set(Object.keys(images)));
});

test('every public image that the manifests name has a recipe under the same tag', () => {
  const recipes = readFileSync(new URL('../../../../kind/offline/images/recipes.sh', import.meta.url), 'utf8');
  const versions = readFileSync(new URL('../../../../kind/offline/versions.sh', import.meta.url), 'utf8');
  const kafka = /KAFKA_VERSION=(\S+)/.exec(versions)?.[1] ?? '';
  for (const [name, image] of Object.entries(images)) {
    assert.match(recipes, new RegExp(`^${name}\\(\\)`, 'm'), name);
    assert.ok(recipes.replaceAll('$KAFKA_VERSION', kafka).includes(fullName(image)), image);
  }
});
