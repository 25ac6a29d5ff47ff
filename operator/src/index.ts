// What others need of the operator, all of them readers of the API server: the way to it, where kinds live, what is wrong with a Pod.
export { kubeClient } from './kube/client.ts';
export { chatClusters, chatDrills, leases, pathOf, pods } from './kube/resources.ts';
export { ApiError, isNotFound, MERGE_PATCH, type KubeObject, type KubeTransport } from './kube/transport.ts';
export { DRAIN_ANNOTATION, podFacts, type PodFacts } from './watch/pods.ts';
export { APPROVE_ANNOTATION } from './plan/changes.ts';
