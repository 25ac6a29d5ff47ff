// What a reader of the API server needs of the operator: the way to the server, where kinds live, what is wrong with a Pod.
export { kubeClient } from './kube/client.ts';
export { chatClusters, chatDrills, leases, pathOf, pods } from './kube/resources.ts';
export { ApiError, isNotFound, type KubeObject, type KubeTransport } from './kube/transport.ts';
export { DRAIN_ANNOTATION, podFacts, type PodFacts } from './pods.ts';
export { APPROVE_ANNOTATION } from './plan-changes.ts';
