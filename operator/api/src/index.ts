// The ChatCluster resource: schema, type, defaults, CRD.
export * from './v1alpha1/chat-cluster.ts';
export { chatClusterCrd, structural } from './v1alpha1/crd.ts';
export { ChatClusterSpec, MAX_CHAT_REPLICAS, MAX_SERVICE_REPLICAS } from './v1alpha1/spec.ts';
export { ChatClusterStatus, Condition, conditionTypes, type ConditionType } from './v1alpha1/status.ts';
