// An upgrade of the operator replaces no pod: what it renders for a ChatCluster of a version that is there stays as it was.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ALLOWED, RELEASED } from './golden/allowed.ts';
import { differences, readGolden, renderGolden } from './golden/templates.ts';
import { VERSION } from './rendered.ts';

const folder = join(import.meta.dirname, 'golden');
const versions = readdirSync(folder).flatMap((file) => /^pod-templates-(.+)\.jsonl$/.exec(file)?.[1] ?? []);

test('there are templates of this version and of each that is out', () => {
  for (const version of [VERSION, ...RELEASED]) assert.ok(versions.includes(version), `npm run golden writes those of ${version}`);
});

for (const version of versions)
  test(`pod templates of version ${version} are what they were`, () => {
    const allowed = ALLOWED.filter((change) => change.version === version);
    const found = differences(readGolden(version) ?? [], renderGolden(version));
    const unexpected = found.filter((line) => !allowed.some(({ change }) => line.startsWith(change)));
    const remedy = RELEASED.includes(version)
      ? 'Let the change depend on a new spec.version, or, when it has to reach running pods, add it to test/unit/cdk8s/golden/allowed.ts with a reason'
      : `${version} is not out yet: if you mean it, run npm run golden and commit the file`;
    const shown = unexpected.slice(0, 40).map((line) => `  ${line.slice(0, 400)}`);
    assert.equal(unexpected.length, 0, `an upgrade of the operator would replace these pods. ${remedy}:\n${shown.join('\n')}`);
    for (const { change, reason } of allowed) {
      assert.ok(reason.length > 20, `say why: ${change}`);
      assert.ok(
        found.some((line) => line.startsWith(change)),
        `allowed, and no difference any more: ${change}`,
      );
    }
  });

test('a template, a fixed field and a workload that comes or goes are noticed, by sample and path', () => {
  const pod = (image: string) => ({ spec: { containers: [{ image }] } });
  const one = { workload: 'Deployment/demo-auth', samples: ['a.yaml', 'b.yaml'], template: pod('x:1'), fixed: { selector: { a: 'b' } } };
  assert.deepEqual(differences([one], [one]), []);
  assert.deepEqual(
    differences(
      [one],
      [
        { ...one, samples: ['a.yaml'] },
        { ...one, samples: ['b.yaml'], template: pod('x:2') },
      ],
    ),
    ['b.yaml Deployment/demo-auth template.spec.containers.0.image: "x:1" -> "x:2"'],
  );
  assert.deepEqual(differences([one], [{ ...one, samples: ['a.yaml'], fixed: { selector: {} } }]), [
    'a.yaml Deployment/demo-auth fixed.selector.a: "b" -> undefined',
    'b.yaml Deployment/demo-auth: is gone',
  ]);
  assert.deepEqual(differences([], [{ ...one, samples: ['a.yaml'] }]), ['a.yaml Deployment/demo-auth: is new']);
});
