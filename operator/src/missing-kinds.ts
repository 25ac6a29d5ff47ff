// What the spec insists on and the API server does not know. Pure.
import { monitoringWishes, type MonitoringKind, type Plan } from '@parley/cdk8s';

/** A sentence for each kind of prometheus-operator that is `always` wanted and not served. */
export function missingKinds(plan: Plan, served: readonly MonitoringKind[]): string[] {
  return monitoringWishes(plan)
    .filter(({ kind, wish }) => wish === 'always' && !served.includes(kind))
    .map(
      ({ kind, field }) =>
        `spec.monitoring.${field} is always, but there is no kind ${kind} (monitoring.coreos.com/v1) here, or the operator may not list it. ` +
        `Install prometheus-operator or just its CustomResourceDefinitions (helm install prometheus-operator-crds prometheus-community/prometheus-operator-crds), ` +
        `or set the field to auto or never`,
    );
}
