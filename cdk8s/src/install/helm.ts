// The Helm chart of the operator: path below charts/ -> text. The templates are the same cdk8s tree as charts/install.yaml, rendered with
// Helm's expressions where a value can be set. A test compares what Helm makes of them with the other installs.
import { chatClusterCrd, chatDrillCrd } from '@parley/operator-api';
import { stringify } from 'yaml';
import type { KubeObject } from '../desired.ts';
import { notes } from './helm-notes.ts';
import { valuesSchema, valuesYaml } from './helm-values.ts';
import { OPERATOR } from '../names.ts';
import { operatorObjects } from './operator.ts';
import { strimziRights } from './strimzi-rights.ts';

const FOLDER = `helm/${OPERATOR}`;
const HEAD = '# Written by `npm run synth`. Do not edit.\n';

/** What stands for expressions in the tree; printed() turns each into what Helm reads. */
const text = (expression: string): string => `{{ ${expression} }}`;
const bare = (expression: string): string => `bare ${expression}`;
const block = (value: string): string => `block ${value}`;
const optional = (value: string): string => `optional ${value}`;

export function helmFiles(version: string): Map<string, string> {
  const crd = (object: object): string => HEAD + stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 });
  return new Map([
    [`${FOLDER}/Chart.yaml`, HEAD + stringify(chartYaml(version), { lineWidth: 0 })],
    [`${FOLDER}/values.yaml`, `${HEAD}\n` + valuesYaml(version)],
    [`${FOLDER}/values.schema.json`, `${JSON.stringify(valuesSchema(version), null, 2)}\n`],
    [`${FOLDER}/crds/chatclusters.yaml`, crd(chatClusterCrd(version))],
    [`${FOLDER}/crds/chatdrills.yaml`, crd(chatDrillCrd(version))],
    [`${FOLDER}/templates/NOTES.txt`, notes()],
    ...templates(),
  ]);
}

const chartYaml = (version: string) => ({
  apiVersion: 'v2',
  name: OPERATOR,
  description: 'The operator of Parley: it runs chat clusters.',
  type: 'application',
  version,
  appVersion: version,
  // ValidatingAdmissionPolicy is stable since 1.30. -0 lets in what providers put behind the version.
  kubeVersion: '>=1.30.0-0',
});

/** A file for each kind. What only one form of the install has stands between conditions. */
function templates(): Map<string, string> {
  const inOneNamespace = tree('.Values.watchNamespace');
  const everywhere = tree(undefined);
  const has = (objects: readonly KubeObject[], { kind, metadata }: KubeObject): boolean =>
    objects.some((other) => other.kind === kind && other.metadata.name === metadata.name);
  const files = new Map<string, string[]>();
  const add = (object: KubeObject, condition?: string): void => {
    const path = `${FOLDER}/templates/${object.kind.toLowerCase()}.yaml`;
    const yaml = printed(object);
    files.set(path, [...(files.get(path) ?? []), condition ? `{{- if ${condition} }}\n${yaml}{{- end }}\n` : yaml]);
  };
  for (const object of inOneNamespace) add(object, has(everywhere, object) ? undefined : '.Values.watchNamespace');
  for (const object of everywhere) if (!has(inOneNamespace, object)) add(object, 'not .Values.watchNamespace');
  for (const object of strimzi(text('.Values.watchNamespace'))) add(object, 'and .Values.strimzi .Values.watchNamespace');
  for (const object of strimzi('')) add(object, 'and .Values.strimzi (not .Values.watchNamespace)');
  return new Map([...files].map(([path, parts]) => [path, HEAD + parts.map(separated).join('')]));
}

const strimzi = (watchNamespace: string): KubeObject[] =>
  strimziRights(text('.Chart.AppVersion'), { namespace: text('.Release.Namespace'), watchNamespace });

/** The document marker belongs inside the condition: an empty document would be left otherwise. */
function separated(part: string, index: number): string {
  if (index === 0) return part;
  return part.startsWith('{{- if') ? part.replace('\n', '\n---\n') : `---\n${part}`;
}

/** Without the Namespace: Helm keeps the release in it, so it is there before (`--create-namespace`). */
function tree(watchNamespace: string | undefined): KubeObject[] {
  const objects = operatorObjects(text('.Chart.AppVersion'), {
    namespace: text('.Release.Namespace'),
    watchNamespace: watchNamespace ? text(watchNamespace) : '',
    registry: text('.Values.image.registry'),
    tag: text('.Values.image.tag | default .Chart.AppVersion'),
    pullPolicy: text('.Values.image.pullPolicy'),
    logLevel: text('.Values.logLevel'),
    clusterDomain: text('.Values.clusterDomain'),
  });
  return objects.filter(({ kind }) => kind !== 'Namespace').map(withHelmValues);
}

/** Values that are no strings: an object of Kubernetes has no place for an expression there. */
function withHelmValues(object: KubeObject): KubeObject {
  if (object.kind !== 'Deployment') return object;
  const spec = object['spec'] as { template: { metadata: object; spec: { containers: [object] } } };
  const { containers, ...pod } = spec.template.spec;
  return {
    ...object,
    spec: {
      ...spec,
      replicas: bare('.Values.replicas'),
      template: {
        ...spec.template,
        spec: {
          containers: [{ ...containers[0], resources: block('.Values.resources') }],
          imagePullSecrets: optional('.Values.imagePullSecrets'),
          nodeSelector: optional('.Values.nodeSelector'),
          tolerations: optional('.Values.tolerations'),
          ...pod,
        },
      },
    },
  };
}

function printed(object: KubeObject): string {
  return stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })
    .replace(/"?\bbare (.*?)"?$/gm, '{{ $1 }}')
    .replace(/^( *)(\w+): "?block (.*?)"?$/gm, (_, indent: string, key: string, value: string) =>
      lines(indent, [`${key}:`, `  {{- toYaml ${value} | nindent ${indent.length + 2} }}`]),
    )
    .replace(/^( *)(\w+): "?optional (.*?)"?$/gm, (_, indent: string, key: string, value: string) =>
      lines(indent, [`{{- with ${value} }}`, `${key}:`, `  {{- toYaml . | nindent ${indent.length + 2} }}`, '{{- end }}']),
    );
}

const lines = (indent: string, texts: readonly string[]): string => texts.map((each) => `${indent}${each}`).join('\n');
