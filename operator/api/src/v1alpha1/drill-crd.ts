// The CustomResourceDefinition of ChatDrill, made from the schema.
import { GROUP, VERSION } from './chat-cluster.ts';
import { structural } from './crd.ts';
import { ChatDrillSpec, ChatDrillStatus, DRILL_KIND, DRILL_PLURAL } from './drill.ts';
import { withSchemaHash } from './schema-hash.ts';

/** One of the conditions is True, always: its reason is the result, or what is being done. */
const RESULT = '.status.conditions[?(@.status=="True")].reason';

/** The object to apply. `version` is the version of Parley it belongs to. */
export function chatDrillCrd(version: string) {
  return withSchemaHash({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${DRILL_PLURAL}.${GROUP}`, labels: { 'app.kubernetes.io/name': 'parley', 'app.kubernetes.io/version': version } },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind: DRILL_KIND, listKind: `${DRILL_KIND}List`, plural: DRILL_PLURAL, singular: DRILL_KIND.toLowerCase() },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'A drill: one fault in a ChatCluster, and what became of its messages.',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: structural(ChatDrillSpec),
                status: structural(ChatDrillStatus),
              },
            },
          },
          subresources: { status: {} },
          additionalPrinterColumns: [
            { name: 'Fault', type: 'string', jsonPath: '.spec.fault' },
            { name: 'Result', type: 'string', jsonPath: RESULT, description: 'Passed, why it failed, or what is being done' },
            { name: 'Recovery', type: 'integer', jsonPath: '.status.recoverySeconds', description: 'Seconds after the end of the fault' },
            { name: 'Lost', type: 'integer', jsonPath: '.status.lost' },
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
            { name: 'Cluster', type: 'string', priority: 1, jsonPath: '.spec.cluster' },
          ],
        },
      ],
    },
  });
}
