// Servers that a drill takes away for a while. The StatefulSet itself says for whom, until when, and with how many replicas it comes back:
// so it comes back whatever becomes of the drill, of the spec and of the operator. Pure.
import type { Component } from '@parley/cdk8s';
import type { ChatDrill } from '@parley/operator-api';
import type { KubeObject } from '../kube/transport.ts';

export const FAULT_ANNOTATION = 'chat.parley.dev/drill-fault';
export type AwayComponent = Extract<Component, 'mysql' | 'kafka'>;

export interface Away {
  /** uid of the drill */
  drill: string;
  /** as an ISO time */
  until: string;
  /** that there were before */
  replicas: number;
}

/** What a StatefulSet says of the drill that took its pods away. */
export function awayOf({ metadata }: KubeObject): Away | undefined {
  const text = metadata.annotations?.[FAULT_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const { drill, until, replicas } = JSON.parse(text) as Partial<Away>;
    if (typeof drill === 'string' && typeof until === 'string' && Number.isInteger(replicas))
      return { drill, until, replicas: replicas ?? 1 };
  } catch {
    // Written by somebody else: nobody holds it, and one replica is what every server has at least.
  }
  return { drill: '', until: '', replicas: 1 };
}

/** The drill goes on, and its time is not up. */
export const isHeld = ({ drill, until }: Away, running: ChatDrill | undefined, nowMs: number): boolean =>
  running !== undefined && running.metadata.uid === drill && nowMs < Date.parse(until);

/** Patches of a StatefulSet. */
export const takeAway = (away: Away): object => ({
  metadata: { annotations: { [FAULT_ANNOTATION]: JSON.stringify(away) } },
  spec: { replicas: 0 },
});
export const bringBack = ({ replicas }: Away): object => ({
  metadata: { annotations: { [FAULT_ANNOTATION]: null } },
  spec: { replicas },
});

/** The component of a StatefulSet of ours, if it is one that a drill may take away. */
export function awayComponent({ kind, metadata }: KubeObject): AwayComponent | undefined {
  const component = metadata.labels?.['app.kubernetes.io/component'];
  return kind === 'StatefulSet' && (component === 'mysql' || component === 'kafka') ? component : undefined;
}
