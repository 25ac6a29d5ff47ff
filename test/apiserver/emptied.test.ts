// An API server that one file gives back is for the next one as a fresh one: nothing of the first is there, and everything works.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startOwnApiServer, type RunningApiServer } from '../helpers/apiserver.ts';
import { emptied, type Emptied } from '../helpers/empty-api-server.ts';
import { root } from '../helpers/program.ts';

describe('an API server that is emptied', () => {
  let server: RunningApiServer;
  let empty: Emptied;
  before(async () => {
    server = await startOwnApiServer({});
    empty = await emptied(server);
  });
  after(() => server?.stop());

  const names = async (kind: string) => (await server.kubectl(['get', kind, '--all-namespaces', '--output=name'])).trim().split('\n');
  const install = async () => {
    await server.kubectl(['apply', '-f', join(root, 'charts', 'install.yaml')]);
    await server.kubectl(['wait', '--for=condition=Established', '--timeout=120s', 'crd/chatclusters.chat.parley.dev']);
    await server.kubectl(['apply', '-f', join(root, 'charts', 'samples', 'minimal.yaml')]);
  };

  it('has nothing of what came, and what was changed is as it was', async () => {
    const before = { namespaces: await names('namespaces'), roles: await names('clusterroles') };
    await install();
    await server.kubectl(['label', 'namespace', 'default', 'changed=yes']);
    await server.kubectl(['create', 'service', 'nodeport', 'taken', '--tcp=80', '--node-port=30080']);
    await server.kubectl(['delete', 'clusterrole', 'view']);
    await empty();
    assert.deepEqual({ namespaces: await names('namespaces'), roles: await names('clusterroles') }, before);
    assert.deepEqual(await names('customresourcedefinitions'), ['']);
    await assert.rejects(server.kubectl(['get', 'chatclusters']), /doesn't have a resource type|NotFound/);
    assert.equal(await server.kubectl(['get', 'namespace', 'default', '--output=jsonpath={.metadata.labels.changed}']), '');
  });

  it('takes the same again, and again', async () => {
    for (let round = 0; round < 3; round++) {
      await install();
      await server.kubectl(['create', 'service', 'nodeport', 'taken', '--tcp=80', '--node-port=30080']);
      assert.deepEqual(await names('chatclusters'), ['chatcluster.chat.parley.dev/minimal']);
      await empty();
    }
  });
});
