// The ChatCluster and ChatDrill resources: schema, type, defaults, CRD.
export * from './v1alpha1/chat-cluster.ts';
export { S3_CREDENTIALS } from './v1alpha1/backup-s3.ts';
export { chatClusterCrd } from './v1alpha1/chat-cluster-crd.ts';
export { structural } from './v1alpha1/crd.ts';
export {
  ALLOW_DRILLS_LABEL,
  ChatDrillSpec,
  ChatDrillStatus,
  DRILL_KIND,
  DRILL_PLURAL,
  drillConditions,
  drillFaults,
  isFinished,
  parseChatDrill,
  type ChatDrill,
  type DrillFault,
} from './v1alpha1/drill.ts';
export { chatDrillCrd } from './v1alpha1/drill-crd.ts';
export { ChatClusterSpec, MAX_CHAT_REPLICAS, MAX_SERVICE_REPLICAS } from './v1alpha1/spec.ts';
export { SCHEMA_HASH_ANNOTATION } from './v1alpha1/schema-hash.ts';
export { CONFIRM_DELETE_ANNOTATION, storedParts } from './v1alpha1/storage.ts';
export { ChatClusterStatus, Condition, conditionTypes, type ConditionType } from './v1alpha1/status.ts';
export { STRIMZI_API, STRIMZI_SINCE } from './v1alpha1/kafka.ts';
