// How often the operator looks at what no watch tells it, and tells what changes all the time. One place for all of them: tests look more often.

/** Times between two looks, in milliseconds. */
export interface Paces {
  /** everything again, in case a watch lied */
  resync: number;
  /** chat replicas are asked for their sockets, canaries for what they found */
  ask: number;
  /** sockets come and go all the time: the status tells their number this often at most */
  tell: number;
  /** the CRDs */
  crds: number;
  /** whether the kinds of others, as those of prometheus-operator, have come or gone */
  kinds: number;
  /** a rollout or a drain, which goes on by what its replicas tell */
  rollout: number;
  /** what is on its way and not ready */
  unsettled: number;
  /** Secrets of others; they are not watched, so that the operator need not see all of them */
  secrets: number;
  /** a change of the signing key, which takes minutes */
  keys: number;
  /** the events of claims that wait */
  claims: number;
  /** a drill that runs */
  drill: number;
  /** not a pace: how long the canary is watched after the recovery of a drill. It counts a message as lost after 30 seconds. */
  drillWatch: number;
}

const SECOND = 1000;

export const PACES: Paces = {
  resync: 600 * SECOND,
  ask: 5 * SECOND,
  tell: 10 * SECOND,
  crds: 60 * SECOND,
  kinds: 60 * SECOND,
  rollout: 5 * SECOND,
  unsettled: 10 * SECOND,
  secrets: 30 * SECOND,
  keys: 10 * SECOND,
  claims: 15 * SECOND,
  drill: SECOND,
  drillWatch: 45 * SECOND,
};
