// The CustomResourceDefinition of ChatCluster, made from the schema.
import { backupNameRule } from './backup.ts';
import { KIND, PLURAL } from './chat-cluster.ts';
import { crdOf } from './crd.ts';
import { ChatClusterSpec } from './spec.ts';
import { ChatClusterStatus } from './status.ts';
import { sizeRules } from './storage.ts';

/** Longer names would make object and DNS names of their children too long. */
const NAME_MAX = 40;

const nameRules = [
  {
    rule: `self.metadata.name.size() <= ${NAME_MAX}`,
    message: `the name may have at most ${NAME_MAX} characters: names of its parts are made from it`,
  },
  {
    rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    message: 'the name must begin with a letter and hold only lower-case letters, digits and dashes: names of Services are made from it',
  },
];

const columns = [
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'Replicas', type: 'integer', jsonPath: '.status.readyReplicas', description: 'Chat replicas that take sockets' },
  { name: 'Connections', type: 'integer', jsonPath: '.status.connections.total', description: 'Sockets of the chat replicas' },
  { name: 'Version', type: 'string', jsonPath: '.status.version' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'P99', type: 'integer', priority: 1, jsonPath: '.status.delivery.p99Ms', description: 'Delivery in ms' },
  { name: 'Lost', type: 'integer', priority: 1, jsonPath: '.status.delivery.lost' },
  { name: 'Reason', type: 'string', priority: 1, jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
];

/** The object to apply. `version` is the version of Parley it belongs to. */
export const chatClusterCrd = (version: string) =>
  crdOf(
    {
      ...{ kind: KIND, plural: PLURAL, names: { shortNames: ['chat'], categories: ['all'] } },
      description: 'A chat cluster: WebSocket replicas behind HAProxy with all they need.',
      ...{ spec: ChatClusterSpec, status: ChatClusterStatus },
      schema: { 'x-kubernetes-validations': [...nameRules, backupNameRule, ...sizeRules] },
      scale: {
        specReplicasPath: '.spec.chat.replicas',
        statusReplicasPath: '.status.replicas',
        labelSelectorPath: '.status.selector',
      },
      columns,
    },
    version,
  );
