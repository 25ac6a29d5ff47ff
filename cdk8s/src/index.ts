// Manifests of a ChatCluster, and the HAProxy configuration that the operator and `npm start` share.
export { hasCanary } from './charts/canary.ts';
export { monitoringWishes, type MonitoringKind } from './charts/monitoring.ts';
export { componentsOf, desired, type Facts, type KubeObject, type PlannedComponent } from './desired.ts';
export { haproxyConfig } from './haproxy/config.ts';
export type { HaproxyInput, Upstream, UpstreamServer, UpstreamTemplate } from './haproxy/input.ts';
export { chartFiles, installObjects } from './install/files.ts';
export { NAMESPACED, OPERATOR_NAMESPACE, operatorObjects, type OperatorOptions } from './install/operator.ts';
export { CLUSTER_RULES, CRD_RULES, LEASE_RULES, type Rule } from './install/rules.ts';
export { STRIMZI_RULES, strimziRights } from './install/strimzi-rights.ts';
export { sampleResource, samples, type Sample } from './install/samples.ts';
export { LOCAL_TARGETS, localConfig, type LocalTarget } from './monitoring/scrape.ts';
export { clusterLabels, labelsOf, MANAGED_BY, nameOf, OPERATOR, selectorOf, type Component } from './names.ts';
export { fqdnOf, hasSentinels, images, ports, resolve, type Plan, type PlanEnvironment, type ResolvedCluster } from './plan.ts';
export { mebibytes, quantityOf } from './quantity.ts';
export { apiKey, secretsOf, signingKeys, type GeneratedSecret, type Random } from './secrets.ts';
