// The CustomResourceDefinition of ChatDrill, made from the schema.
import { crdOf } from './crd.ts';
import { ChatDrillSpec, ChatDrillStatus, DRILL_KIND, DRILL_PLURAL } from './drill.ts';

/** One of the conditions is True, always: its reason is the result, or what is being done. */
const RESULT = '.status.conditions[?(@.status=="True")].reason';

const columns = [
  { name: 'Fault', type: 'string', jsonPath: '.spec.fault' },
  { name: 'Result', type: 'string', jsonPath: RESULT, description: 'Passed, why it failed, or what is being done' },
  { name: 'Recovery', type: 'integer', jsonPath: '.status.recoverySeconds', description: 'Seconds after the end of the fault' },
  { name: 'Lost', type: 'integer', jsonPath: '.status.lost' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Cluster', type: 'string', priority: 1, jsonPath: '.spec.cluster' },
];

/** The object to apply. `version` is the version of Parley it belongs to. */
export const chatDrillCrd = (version: string) =>
  crdOf(
    {
      ...{ kind: DRILL_KIND, plural: DRILL_PLURAL },
      description: 'A drill: one fault in a ChatCluster, and what became of its messages.',
      ...{ spec: ChatDrillSpec, status: ChatDrillStatus },
      schema: { required: ['spec'] },
      columns,
    },
    version,
  );
