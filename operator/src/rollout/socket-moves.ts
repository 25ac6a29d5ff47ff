// Sockets that shall move while their replica goes on: away from a HAProxy that leaves, and to replicas that have fewer.
import type { KubeObject } from '../kube/transport.ts';
import type { Recorder } from '../kube/recorder.ts';
import { rebalanceStep } from './rebalance.ts';
import type { ChatPod } from './rollout.ts';

/** What a chat replica is asked: sockets that came through an address, or some number of them. */
export type MoveRequest = { via: string } | { count: number };

export interface MovesContext {
  recorder: Pick<Recorder, 'record'>;
  /** Asks the replica at an address; resolves with the number of sockets that will move. */
  move: (ip: string, request: MoveRequest) => Promise<number>;
}

export interface MovesInput {
  live: KubeObject;
  /** pods of all components */
  pods: readonly ChatPod[];
  replicas: number;
  settled: boolean;
  rollingOut: boolean;
  /** uids of HAProxy pods whose sockets were asked to go */
  asked: Set<string>;
}

/**
 * HAProxy keeps the sockets of a pod that ends for the drain window of chat and then cuts them. Chat asks them to reconnect before that,
 * because a frame is something that HAProxy cannot send.
 */
export async function moveSockets({ live, pods, replicas, settled, rollingOut, asked }: MovesInput, context: MovesContext): Promise<void> {
  const chat = pods.filter(({ component }) => component === 'chat');
  const leaving = pods.filter(({ component, terminating, ip }) => component === 'haproxy' && terminating && ip !== undefined);
  for (const uid of asked) if (!leaving.some((pod) => pod.uid === uid)) asked.delete(uid);
  for (const { name, uid, ip = '' } of leaving.filter((pod) => !asked.has(pod.uid))) {
    asked.add(uid);
    const moving = await askAll(chat, { via: ip }, context);
    if (moving > 0) tell(live, context, 'ProxyDrained', `${name} goes: ${moving} sockets that came through it are asked to reconnect`);
  }
  if (rollingOut || leaving.length > 0) return;
  for (const { pod, count } of rebalanceStep(chat, { replicas, settled })) {
    const moving = await askAll([pod], { count }, context);
    if (moving > 0) tell(live, context, 'Rebalanced', `${moving} of the sockets of ${pod.name} are asked to reconnect: others have room`);
  }
}

/** A replica that does not answer is asked by the next look or not at all: its sockets have other worries. */
async function askAll(pods: readonly ChatPod[], request: MoveRequest, { move }: MovesContext): Promise<number> {
  const answers = await Promise.allSettled(pods.flatMap(({ ip }) => (ip === undefined ? [] : [move(ip, request)])));
  return answers.reduce((sum, answer) => sum + (answer.status === 'fulfilled' ? answer.value : 0), 0);
}

const tell = (live: KubeObject, { recorder }: MovesContext, reason: string, note: string): void =>
  recorder.record(live, { type: 'Normal', reason, action: 'Move', note });
