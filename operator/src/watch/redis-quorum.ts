// What three Redis servers with Sentinels lack: pods alone do not tell whether a failover is possible, or whether writes are taken. Pure.
import { hasSentinels, type Plan } from '@parley/cdk8s';
import type { PodFacts } from './pods.ts';

/** Of three Sentinels: fewer decide nothing. */
const QUORUM = 2;
/** The primary, and one that follows it: `min-replicas-to-write 1`. */
const WRITABLE = 2;

/** A sentence for each. A Sentinel is ready when it counts a quorum, a Redis when it is the primary or in sync with it. */
export function redisProblems(plan: Plan, pods: readonly Pick<PodFacts, 'component' | 'serving'>[]): string[] {
  if (!hasSentinels(plan)) return [];
  const ready = (container: string): number =>
    pods.filter(({ component, serving }) => component === 'redis' && serving?.includes(container)).length;
  const [sentinels, servers] = [ready('sentinel'), ready('redis')];
  const problems: string[] = [];
  if (sentinels < QUORUM)
    problems.push(
      `${sentinels} of ${plan.spec.redis.replicas} Sentinels see a quorum, and ${QUORUM} are needed: no replica can take over from the primary`,
    );
  if (servers < WRITABLE)
    problems.push(
      servers === 0
        ? 'no Redis serves: chat goes on from the database'
        : 'no replica follows the primary: it refuses writes, and there is nobody to take over',
    );
  return problems;
}
