// The files below charts/: path -> text. Pure, so that a test can compare them with what is committed.
import { chatClusterCrd } from '@parley/operator-api';
import { stringify } from 'yaml';
import { operatorObjects } from './operator.ts';
import { sampleResource, samples } from './samples.ts';

const HEAD = '# Written by `npm run synth`. Do not edit.\n';

/** `version` is the version of Parley that is installed. */
export function chartFiles(version: string): Map<string, string> {
  const crd = chatClusterCrd(version);
  // The namespace first, the CRD before anything that may use it.
  const [namespace, ...rest] = operatorObjects(version);
  return new Map([
    ['install.yaml', HEAD + yaml([namespace, crd, ...rest])],
    ['crds/chatclusters.yaml', HEAD + yaml([crd])],
    ...samples(version).map((sample): [string, string] => [
      `samples/${sample.file}`,
      `${HEAD}${sample.about.map((line) => `# ${line}\n`).join('')}${yaml([sampleResource(sample)])}`,
    ]),
  ]);
}

function yaml(objects: readonly unknown[]): string {
  // No anchors: they save nothing for a reader and not every tool takes them.
  return objects.map((object) => stringify(object, { aliasDuplicateObjects: false, lineWidth: 0 })).join('---\n');
}
