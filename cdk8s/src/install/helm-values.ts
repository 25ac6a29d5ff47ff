// What can be set in the Helm chart: one schema, from which values.schema.json and values.yaml are written.
import { Document, Pair, Scalar, YAMLMap } from 'yaml';
import { operatorDefaults } from './operator.ts';

interface Field {
  type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  description: string;
  /** Unless there are properties, which have their own. */
  default?: unknown;
  properties?: Record<string, Field>;
  [keyword: string]: unknown;
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const text = (value: string, description: string, rules: object = {}): Field => ({ type: 'string', description, default: value, ...rules });
const amounts = { type: 'object', additionalProperties: { type: ['string', 'number'] } };

/** Every value, in the order of values.yaml. */
function valuesOf(version: string): Record<string, Field> {
  const options = operatorDefaults(version);
  return {
    watchNamespace: text(
      options.watchNamespace,
      'The one namespace whose ChatClusters the operator looks after, with rights for just that. Empty: all namespaces.',
      { maxLength: 63, pattern: `^(${LABEL})?$` },
    ),
    strimzi: {
      type: 'boolean',
      description: 'Rights for the Kafka objects of Strimzi, for ChatClusters with spec.kafka.mode strimzi.',
      default: false,
    },
    replicas: {
      type: 'integer',
      description: 'One leads, another takes over within 15 seconds. With 0 the ChatClusters go on without an operator.',
      default: options.replicas,
      minimum: 0,
      maximum: 10,
    },
    image: {
      type: 'object',
      description: 'Where the operator comes from. The images of a ChatCluster are in its own spec.images.',
      properties: {
        registry: text(options.registry, 'Registry and path before `/operator`.', { pattern: '^[a-z0-9][a-z0-9./:_-]*[a-z0-9]$' }),
        tag: text('', 'Empty: the version of the chart.', { pattern: '^[A-Za-z0-9_.-]*$' }),
        pullPolicy: text(options.pullPolicy, 'IfNotPresent, Always or Never.', { enum: ['IfNotPresent', 'Always', 'Never'] }),
      },
    },
    imagePullSecrets: {
      type: 'array',
      description: 'Secrets for a private registry, each as `name: …`.',
      default: [],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string', minLength: 1 } }, additionalProperties: false },
    },
    logLevel: text(options.logLevel, 'trace, debug, info, warn or error.', { enum: ['trace', 'debug', 'info', 'warn', 'error'] }),
    clusterDomain: text(options.clusterDomain, 'The DNS domain of the cluster.', { pattern: `^${LABEL}(\\.${LABEL})*$` }),
    resources: {
      type: 'object',
      description: 'Requests and limits of each replica.',
      default: options.resources,
      additionalProperties: amounts,
    },
    nodeSelector: {
      type: 'object',
      description: 'Labels of the nodes that may run it.',
      default: {},
      additionalProperties: { type: 'string' },
    },
    tolerations: { type: 'array', description: 'Taints of nodes that it bears.', default: [], items: { type: 'object' } },
  };
}

/** values.schema.json. A misspelt value is refused; `global` is what Helm itself adds below another chart. */
export function valuesSchema(version: string): object {
  const values = valuesOf(version);
  const closed = (field: Field): object => (field.properties ? { ...field, additionalProperties: false } : field);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart parley-operator',
    type: 'object',
    properties: { ...Object.fromEntries(Object.entries(values).map(([key, field]) => [key, closed(field)])), global: { type: 'object' } },
    additionalProperties: false,
  };
}

/** values.yaml: each value with its description above it. */
export function valuesYaml(version: string): string {
  const document = new Document();
  document.contents = mapOf(valuesOf(version), document);
  return document.toString({ lineWidth: 0 });
}

function mapOf(fields: Record<string, Field>, document: Document): YAMLMap {
  const map = new YAMLMap();
  Object.entries(fields).forEach(([name, field], index) => {
    const key = new Scalar(name);
    key.commentBefore = ` ${field.description}`;
    key.spaceBefore = index > 0 && document.contents === null;
    map.items.push(new Pair(key, field.properties ? mapOf(field.properties, document) : document.createNode(field.default)));
  });
  return map;
}
