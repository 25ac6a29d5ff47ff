// What the operator reads out of a Pod: whether it serves, of which revision it is, and what is wrong with it and what to do. Pure.
import type { Component } from '@parley/cdk8s';
import type { KubeObject } from '../kube/transport.ts';

export interface Problem {
  reason: string;
  /** The cause, in the words of Kubernetes. */
  message: string;
  /** What a person can do. */
  next: string;
}

/** What the operator needs to know of a pod. */
export interface PodFacts {
  name: string;
  namespace: string;
  uid: string;
  cluster: string;
  component: Component;
  /** undefined: not scheduled yet */
  ip: string | undefined;
  /** revision of the StatefulSet that it was made from */
  revision: string | undefined;
  ready: boolean;
  /** names of its containers that serve */
  serving?: readonly string[];
  /** a container of it runs and has passed its startup probe: it may hold sockets, also when it is not ready */
  started?: boolean;
  terminating: boolean;
  problem: Problem | undefined;
  /** somebody wants it empty */
  drainAsked?: boolean;
}

/** On a chat pod, with any value but false: it shall let its sockets go and take no new ones. It goes with the pod. */
export const DRAIN_ANNOTATION = 'chat.parley.dev/drain';

interface ContainerStatus {
  name: string;
  ready?: boolean;
  started?: boolean;
  restartCount?: number;
  state?: { running?: object; waiting?: { reason?: string; message?: string } };
  lastState?: { terminated?: { reason?: string; exitCode?: number; message?: string } };
}

interface PodStatus {
  podIP?: string;
  conditions?: { type: string; status: string; reason?: string; message?: string }[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
}

/** Reads these facts off a pod. */
export function podFacts(pod: KubeObject): PodFacts {
  const { name, namespace = '', uid = '', labels = {}, annotations = {}, deletionTimestamp } = pod.metadata;
  const drainAsked = (annotations[DRAIN_ANNOTATION] ?? 'false') !== 'false';
  const status = (pod['status'] ?? {}) as PodStatus;
  const terminating = deletionTimestamp !== undefined;
  return {
    name,
    namespace,
    uid,
    cluster: labels['app.kubernetes.io/instance'] ?? '',
    component: (labels['app.kubernetes.io/component'] ?? '') as Component,
    ip: status.podIP,
    revision: labels['controller-revision-hash'],
    ready: !terminating && status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true,
    serving: terminating ? [] : (status.containerStatuses ?? []).filter((each) => each.ready === true).map((each) => each.name),
    started: status.containerStatuses?.some(({ started, state }) => started === true && state?.running !== undefined) === true,
    terminating,
    problem: terminating ? undefined : (problemOf(name, namespace, status) ?? (drainAsked ? emptied(name, namespace, status) : undefined)),
    ...(drainAsked ? { drainAsked } : {}),
  };
}

function problemOf(name: string, namespace: string, { conditions = [], containerStatuses = [], initContainerStatuses = [] }: PodStatus) {
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return unschedulable(scheduled.reason ?? 'Unschedulable', scheduled.message ?? '');
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const found = container.ready
      ? undefined
      : containerProblem(container, `kubectl -n ${namespace} logs ${name} -c ${container.name} --previous`);
    if (found) return found;
  }
  return undefined;
}

/** It is not ready by somebody's wish. */
function emptied(name: string, namespace: string, { conditions = [] }: PodStatus): Problem | undefined {
  if (!conditions.some(({ type, status }) => type === 'Ready' && status === 'False')) return undefined;
  const next = `let it take sockets again: kubectl -n ${namespace} annotate pod ${name} ${DRAIN_ANNOTATION}-`;
  return { reason: 'Drained', message: `the annotation ${DRAIN_ANNOTATION} asks for it`, next };
}

function unschedulable(reason: string, message: string): Problem {
  const next = message.includes('PersistentVolumeClaim')
    ? 'look at kubectl get storageclass: without a default class the storage.class of the part must name one'
    : message.includes('taint') || message.includes('affinity') || message.includes('selector')
      ? 'let the pods onto a node: its taints and labels do not fit'
      : 'add a node, or lower the resources of the part';
  return { reason, message, next };
}

/** Reasons of waiting containers, and what to do about them. Others (ContainerCreating, PodInitializing) are on their way. */
const WAITING: Record<string, string> = {
  ErrImagePull: 'check spec.version and spec.images, and that the nodes reach the registry',
  ImagePullBackOff: 'check spec.version and spec.images, and that the nodes reach the registry',
  InvalidImageName: 'check spec.version and spec.images.registry',
  ErrImageNeverPull: 'load the image onto the nodes, or change spec.images.pullPolicy',
  CreateContainerConfigError: 'make the Secret or ConfigMap that the message names',
  CreateContainerError: 'read kubectl describe on the pod',
};

function containerProblem({ state, lastState, restartCount = 0 }: ContainerStatus, logs: string): Problem | undefined {
  const waiting = state?.waiting;
  const remedy = WAITING[waiting?.reason ?? ''];
  if (waiting?.reason && remedy) return { reason: waiting.reason, message: waiting.message ?? '', next: remedy };
  const ended = lastState?.terminated;
  if (!ended || restartCount === 0) return undefined;
  if (ended.reason === 'OOMKilled')
    return {
      reason: 'OOMKilled',
      message: `it needed more memory than its limit, ${restartCount} times`,
      next: 'raise resources.limits.memory of the part',
    };
  const full = noSpace(ended.message);
  if (full !== undefined)
    return { reason: 'VolumeFull', message: full, next: 'raise storage.size of the part, or free space on its volume' };
  const reason = waiting?.reason === 'CrashLoopBackOff' ? 'CrashLoopBackOff' : 'Restarted';
  const last = lastWords(ended.message);
  return {
    reason,
    message: `it ended ${restartCount} times, the last time with code ${ended.exitCode ?? '?'}${last === '' ? '' : `, and said: ${last}`}`,
    next: `read ${logs}`,
  };
}

/** The line in which a server says that its volume is full; a broker of Kafka says more after it. */
function noSpace(text = ''): string | undefined {
  const line = text.split('\n').find((each) => /no space left on device|disk is full|disk full/i.test(each));
  return line === undefined ? undefined : lastWords(line);
}

const LAST_WORDS_MAX = 300;

/** The end of what a container wrote before it ended (terminationMessagePolicy FallbackToLogsOnError): there the cause stands. */
function lastWords(text = ''): string {
  const line = text.trim().split('\n').at(-1) ?? '';
  // Of a line of JSON its message is enough.
  const said = /"msg":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? line;
  return said.length > LAST_WORDS_MAX ? `…${said.slice(-LAST_WORDS_MAX)}` : said;
}
