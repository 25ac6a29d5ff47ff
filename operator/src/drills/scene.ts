// What a drill is about: the faults, what is seen of the ChatCluster, and what a step says.
import type { Component } from '@parley/cdk8s';
import type { ChatDrill, ChatDrillStatus, DrillFault } from '@parley/operator-api';
import type { DeliveryReport } from '../watch/delivery.ts';
import type { Away } from './fault.ts';
import type { ChatPod } from '../rollout/rollout.ts';

export interface FaultKind {
  component: Extract<Component, 'chat' | 'redis' | 'mysql' | 'kafka' | 'haproxy'>;
  how: 'kill' | 'away' | 'roll';
}

export const FAULTS: Record<DrillFault, FaultKind> = {
  KillChatPod: { component: 'chat', how: 'kill' },
  KillRedis: { component: 'redis', how: 'kill' },
  PauseMySQL: { component: 'mysql', how: 'away' },
  CutKafka: { component: 'kafka', how: 'away' },
  RollHAProxy: { component: 'haproxy', how: 'roll' },
};

/** The ChatCluster, as far as a drill looks at it. */
export interface DrillScene {
  /** carries the label that allows drills */
  allowed: boolean;
  paused: boolean;
  /** the condition Ready of the newest generation; all parts that the plan asks for are as planned */
  ready: { status: boolean; message: string };
  /** nobody counts without it */
  hasCanary: boolean;
  /** the server of the fault is somebody else's */
  external: boolean;
  /** that the component of the fault shall have */
  replicas: number;
  /** of the component of the fault */
  pods: readonly ChatPod[];
  /** address of the Redis that the chat replicas use; undefined: none, or they do not say */
  redis: string | undefined;
  /** which canary counts: another one starts at nothing; undefined: there is none now */
  canary: string | undefined;
  delivery: { report: DeliveryReport; askedAtMs: number } | undefined;
}

export interface DrillInput {
  drill: ChatDrill;
  /** undefined: there is no such ChatCluster, or its spec cannot be read */
  scene: DrillScene | undefined;
  /** name of another drill that runs there */
  running: string | undefined;
  /** what the StatefulSet of the fault says of this drill */
  away: Away | undefined;
  nowMs: number;
  /** how long the canary is watched after the recovery */
  watchMs: number;
}

export type Injection =
  { do: 'delete'; name: string; uid: string; graceSeconds: number | undefined } | { do: 'takeAway'; away: Omit<Away, 'replicas'> };

export interface DrillStep {
  /** done first; when it fails the status stays as it is */
  inject?: Injection;
  status: ChatDrillStatus;
}
