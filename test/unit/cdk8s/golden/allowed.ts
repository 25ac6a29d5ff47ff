// Which versions are out, and what a newer operator may change in the pods of a ChatCluster of such a version all the same.

/**
 * Versions of Parley that somebody may run. Their file is never written again. Empty: 0.1.0 is not out, its file follows the sources, and
 * N-1 begins with it on the day of its release.
 */
export const RELEASED: readonly string[] = [];

export interface AllowedChange {
  version: string;
  /** begins the line that the test prints, for instance `demo.yaml Deployment/demo-haproxy template.spec.containers.0.args` */
  change: string;
  /** why pods have to be replaced by an upgrade of the operator alone; it is told in CHANGELOG.md, too */
  reason: string;
}

export const ALLOWED: readonly AllowedChange[] = [];
