// What decides whether a new operator replaces pods of a ChatCluster that did not change: the pod templates of every sample, and the fields of
// its workloads that Kubernetes lets nobody change. Templates that several samples share are kept once.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { desired, sampleResource, samples, type KubeObject } from '@parley/cdk8s';
import { planOf } from '../rendered.ts';

export interface Golden {
  workload: string;
  samples: string[];
  /** of the pods, as it is rendered */
  template: unknown;
  /** fields that cannot be changed on a living object */
  fixed: unknown;
}

/** CronJobs are left out: no pod of them waits for a change. */
const KINDS = ['Deployment', 'Job', 'StatefulSet'];

/** All samples under one name, so that what they share is the same. */
export function renderGolden(version: string): Golden[] {
  const found = new Map<string, Golden>();
  for (const sample of samples(version)) {
    // One that names no version is stored with the version that was current when it was made.
    const plan = planOf({ ...sampleResource(sample).spec, version });
    for (const object of desired(plan, { migrated: true })) {
      if (!KINDS.includes(object.kind)) continue;
      const one = goldenOf(object);
      const text = JSON.stringify(one);
      const known = found.get(text);
      if (known) known.samples.push(sample.file);
      else found.set(text, { ...one, samples: [sample.file] });
    }
  }
  return [...found.values()].sort((first, second) => (keyOf(first) < keyOf(second) ? -1 : 1));
}

const keyOf = ({ workload, samples: files }: Golden): string => `${workload} ${files.join(' ')}`;

function goldenOf({ kind, metadata, spec }: KubeObject): Omit<Golden, 'samples'> {
  const { template, selector, serviceName, volumeClaimTemplates, podManagementPolicy } = spec as Record<string, unknown>;
  return {
    workload: `${kind}/${metadata.name}`,
    template,
    fixed: { selector, serviceName, podManagementPolicy, volumeClaimTemplates },
  };
}

export const goldenFile = (version: string): string => join(import.meta.dirname, `pod-templates-${version}.jsonl`);

/** One line for each template. */
export const textOf = (golden: readonly Golden[]): string => golden.map((one) => `${JSON.stringify(one)}\n`).join('');

export function readGolden(version: string): Golden[] | undefined {
  const file = goldenFile(version);
  if (!existsSync(file)) return undefined;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Golden);
}

/** Where a sample differs: `sample workload path: before -> after`. */
export function differences(before: readonly Golden[], after: readonly Golden[]): string[] {
  const [old, fresh] = [bySample(before), bySample(after)];
  const places = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return places.flatMap((place) => {
    if (!old.has(place)) return [`${place}: is new`];
    if (!fresh.has(place)) return [`${place}: is gone`];
    return [...changes(old.get(place), fresh.get(place), '')].map((change) => `${place} ${change}`);
  });
}

function bySample(golden: readonly Golden[]): Map<string, unknown> {
  return new Map(golden.flatMap(({ samples: files, workload, ...rest }) => files.map((file) => [`${file} ${workload}`, rest] as const)));
}

function* changes(before: unknown, after: unknown, path: string): Generator<string> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (!isTree(before) || !isTree(after)) {
    yield `${path}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`;
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
    yield* changes(before[key], after[key], path === '' ? key : `${path}.${key}`);
}
const isTree = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object';
