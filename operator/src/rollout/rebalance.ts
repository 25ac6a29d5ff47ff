// Which replicas shall let go of sockets, and how many: after a scale-up, or when a replica came back empty. Pure.
//
// New sockets go to the replica with the fewest (leastconn), but sockets that are open stay where they are. A bounded share at a time is
// asked to reconnect, and the next step waits until the numbers stand still.
import type { ChatPod } from './rollout.ts';

export interface Move {
  pod: ChatPod;
  count: number;
}

/** Above the average by this share it is worth a reconnect of those above it. */
const TOLERANCE = 0.25;
/** Fewer than this are no burden for anybody. */
const LEAST = 20;
/** Share of its sockets that a replica moves in one step. */
const STEP = 0.2;

export function rebalanceStep(pods: readonly ChatPod[], { replicas, settled }: { replicas: number; settled: boolean }): Move[] {
  const serving = pods.flatMap((pod) =>
    pod.ready && !pod.terminating && pod.sockets && !pod.sockets.draining ? [{ pod, sockets: pod.sockets.connections }] : [],
  );
  // All of them, and nothing on its way: otherwise the average is a guess.
  if (!settled || serving.length !== replicas || pods.length !== replicas || replicas < 2) return [];
  const average = serving.reduce((sum, { sockets }) => sum + sockets, 0) / replicas;
  return serving.flatMap(({ pod, sockets }) => {
    const excess = Math.floor(sockets - average);
    if (excess < Math.max(LEAST, average * TOLERANCE)) return [];
    return [{ pod, count: Math.min(excess, Math.ceil(sockets * STEP)) }];
  });
}
