// Helm leaves a CRD as it was: the operator sees that it is not its own, tells what to apply, and tells when that was done.
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { operatorWorld } from './operator-world.ts';

const crd = resolve(import.meta.dirname, '../../charts/crds/chatclusters.yaml');
const NAME = 'chatclusters.chat.parley.dev';

describe('an installed CRD', () => {
  const { apply, becomes, server, warnings } = operatorWorld();

  it('that is of another version is told with the command that repairs it', async () => {
    await apply({});
    assert.equal((await becomes('CRDOutdated', 'False', 'Current')).message, 'The installed CRDs are those of this operator.');
    await server().kubectl(['annotate', '--overwrite', 'crd', NAME, 'chat.parley.dev/schema-hash=0000000000000000']);
    const { message } = await becomes('CRDOutdated', 'True', 'Outdated');
    assert.match(
      message,
      new RegExp(`^${NAME}: not the CRDs of this operator \\(0\\.1\\.0\\).*kubectl apply --server-side --force-conflicts -f charts/crds/`),
    );
    await server().kubectl(['label', '--overwrite', 'crd', NAME, 'app.kubernetes.io/version=9.0.0']);
    await becomes('CRDOutdated', 'False', 'Newer');
    await server().kubectl(['apply', '--server-side', '--force-conflicts', '-f', crd]);
    await becomes('CRDOutdated', 'False', 'Current');
    assert.deepEqual(warnings, []);
  });
});
