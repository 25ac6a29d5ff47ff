// The files below charts/: path -> text. Pure, so that a test can compare them with what is committed.
import { chatClusterCrd, chatDrillCrd } from '@parley/operator-api';
import { stringify } from 'yaml';
import { monitoringFiles } from '../monitoring/files.ts';
import { helmFiles } from './helm.ts';
import { NAMESPACED, operatorObjects, type OperatorOptions } from './operator.ts';
import { sampleResource, samples } from './samples.ts';
import { strimziRights } from './strimzi-rights.ts';

const HEAD = '# Written by `npm run synth`. Do not edit.\n';
const STRIMZI_HEAD = '# Only for ChatClusters with spec.kafka.mode strimzi, beside the install of the same name.\n';

/** `version` is the version of Parley that is installed. */
export function chartFiles(version: string): Map<string, string> {
  return new Map([
    ['install.yaml', HEAD + yaml(installObjects(version))],
    [
      'install-namespaced.yaml',
      `${HEAD}# The operator and its ChatClusters in one namespace, with no rights outside of it.\n${yaml(installObjects(version, NAMESPACED))}`,
    ],
    ['strimzi-rights.yaml', `${HEAD}${STRIMZI_HEAD}${yaml(strimziRights(version))}`],
    ['strimzi-rights-namespaced.yaml', `${HEAD}${STRIMZI_HEAD}${yaml(strimziRights(version, NAMESPACED))}`],
    ['crds/chatclusters.yaml', HEAD + yaml([chatClusterCrd(version)])],
    ['crds/chatdrills.yaml', HEAD + yaml([chatDrillCrd(version)])],
    ...helmFiles(version),
    ...monitoringFiles(HEAD),
    ...samples(version).map((sample): [string, string] => [
      `samples/${sample.file}`,
      `${HEAD}${sample.about.map((line) => `# ${line}\n`).join('')}${yaml([sampleResource(sample)])}`,
    ]),
  ]);
}

/** All that one install consists of: the namespace first, the CRDs before anything that may use them. */
export function installObjects(version: string, options: Partial<OperatorOptions> = {}): object[] {
  const [namespace, ...rest] = operatorObjects(version, options);
  return [namespace as object, chatClusterCrd(version), chatDrillCrd(version), ...rest];
}

function yaml(objects: readonly unknown[]): string {
  // No anchors: they save nothing for a reader and not every tool takes them.
  return objects.map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })).join('---\n');
}
