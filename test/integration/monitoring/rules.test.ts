// Alert rules by promtool, the checker of Prometheus: each fires when it should, resolves, and is about one ChatCluster.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { desired, type KubeObject } from '@parley/cdk8s';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { planOf } from '../../unit/cdk8s/rendered.ts';
import { promtool } from './promtool.ts';
import { clusterCases, operatorCases, type RuleCase } from './rule-cases.ts';

const charts = resolve(import.meta.dirname, '../../../charts/monitoring');

interface Rules {
  groups: { name: string; rules: { alert: string }[] }[];
}
const rulesIn = (file: string): Rules => parse(readFileSync(join(charts, file), 'utf8')) as Rules;
const namesOf = ({ groups }: Rules): string[] => groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));

const withLabels = (series: string, labels: string): string => series.replace('{', `{${labels},`).replace(',}', '}');

/** `fires` false: nothing may fire at any time. */
function promtoolTest({ alert, series, fires, quiet }: RuleCase, labels: string, mayFire = true): { alert: string; test: object } {
  const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"})`;
  const some = { expr: firing, exp_samples: [{ labels: '{}', value: 1 }] };
  const none = { expr: firing, exp_samples: [] };
  const content = {
    name: alert,
    interval: '10s',
    input_series: Object.entries(series).map(([name, values]) => ({ series: labels === '' ? name : withLabels(name, labels), values })),
    promql_expr_test: [{ ...(mayFire ? some : none), eval_time: fires }, ...quiet.map((at) => ({ ...none, eval_time: at }))],
  };
  return { alert, test: content };
}

describe('alert rules', () => {
  const folder = temporaryFolder();
  after(() => removeFolder(folder));
  /** Each case has a file with its own rule alone: promtool evaluates every rule of a file at every step. */
  const run = ({ groups }: Rules, cases: readonly { alert: string; test: object }[]): string => {
    const files = cases.map(({ alert, test: tested }, index) => {
      const rules = groups.flatMap((group) => group.rules).filter((rule) => rule.alert === alert);
      const [ruleFile, file] = [join(folder, `rule-${index}.yml`), join(folder, `test-${index}.yml`)];
      writeFileSync(ruleFile, stringify({ groups: [{ name: 'one', interval: '10s', rules }] }));
      writeFileSync(
        file,
        stringify({ rule_files: [ruleFile], evaluation_interval: '10s', tests: [tested] }, { aliasDuplicateObjects: false }),
      );
      return file;
    });
    return promtool(['test', 'rules', ...files]);
  };
  const LABELS = 'namespace="team",chatcluster="demo"';

  test('files and samples are what Prometheus takes', () => {
    for (const file of readdirSync(join(charts, 'rules'))) promtool(['check', 'rules', join(charts, 'rules', file)]);
    for (const file of ['prometheus-kind.yml', 'prometheus-local.yml']) promtool(['check', 'config', join(charts, file)]);
  });

  test('every alert has a case', () => {
    const tested = [...new Set([...clusterCases, ...operatorCases].map(({ alert }) => alert))];
    assert.deepEqual(tested.sort(), [...namesOf(rulesIn('rules/clusters.yml')), ...namesOf(rulesIn('rules/operator.yml'))].sort());
  });

  test('of ChatClusters: each fires and resolves', () => {
    run(
      rulesIn('rules/clusters.yml'),
      clusterCases.map((each) => promtoolTest(each, LABELS)),
    );
  });

  test('of the operator: each fires and resolves', () => {
    run(
      rulesIn('rules/operator.yml'),
      operatorCases.map((each) => promtoolTest(each, '')),
    );
  });

  test('the rules of one ChatCluster, as the operator makes them, fire for it and for no other', () => {
    const objects = desired(planOf({}), { migrated: true, served: ['PrometheusRule'] });
    const rule = objects.find(({ kind }: KubeObject) => kind === 'PrometheusRule') ?? assert.fail('no PrometheusRule');
    const rules = rule['spec'] as Rules;
    run(
      rules,
      clusterCases.map((each) => promtoolTest(each, LABELS)),
    );
    for (const other of ['namespace="team",chatcluster="other"', 'namespace="elsewhere",chatcluster="demo"'])
      run(
        rules,
        clusterCases.map((each) => promtoolTest(each, other, false)),
      );
  });

  test('a rule that does not fire is found', () => {
    const [first] = clusterCases as [RuleCase];
    assert.throws(() => run(rulesIn('rules/clusters.yml'), [promtoolTest(first, LABELS, false)]), /ParleyMessagesLost/);
  });
});
