// Building blocks of the ChatCluster schema: TypeBox types that stay within what a structural OpenAPI schema of a CRD may say.
import { Type, type SchemaOptions, type TObject, type TProperties } from '@sinclair/typebox';

/** A CEL rule of the API server (x-kubernetes-validations). */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
}

export const rules = (...list: CelRule[]): SchemaOptions => ({ 'x-kubernetes-validations': list });

/** A pattern, and the same as a rule: of a pattern alone the API server shows only the expression, not what is wanted. */
export const pattern = (source: string, message: string, ...more: CelRule[]): SchemaOptions => ({
  pattern: source,
  ...rules({ rule: `self.matches(r'${source}')`, message }, ...more),
});

const OBJECT_NAME = '[a-z0-9]([-.a-z0-9]*[a-z0-9])?';

/** Name of an object of Kubernetes. */
export const objectName = (options: SchemaOptions = {}) =>
  Type.String({
    minLength: 1,
    maxLength: 253,
    ...pattern(`^${OBJECT_NAME}$`, 'must be the name of an object: lower-case letters, digits, dashes and dots, for instance chat-mysql'),
    ...options,
  });

/** One of a few words; in the CRD an enum, whose message by the API server lists them. */
export const oneOf = <const T extends string>(values: readonly T[], options: SchemaOptions = {}) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    options,
  );

/** An object that is filled with its fields' defaults when it is left out. */
export const section = <P extends TProperties>(properties: P, options: SchemaOptions = {}): TObject<P> =>
  Type.Object(properties, { default: {}, ...options });

const quantity = (options: SchemaOptions = {}) =>
  Type.String({
    maxLength: 32,
    ...pattern(
      '^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$',
      'must be a quantity: a number with or without a unit, for instance 250m of CPU or 512Mi of memory',
    ),
    ...options,
  });

/** Requests and limits of a component's container; the defaults fit a laptop. */
export const resources = (defaults: { cpu: string; memory: string; memoryLimit: string }) =>
  section(
    {
      requests: section({ cpu: quantity({ default: defaults.cpu }), memory: quantity({ default: defaults.memory }) }),
      limits: section({ cpu: Type.Optional(quantity()), memory: quantity({ default: defaults.memoryLimit }) }),
    },
    {
      description: 'Requests and limits of the container',
      ...rules(
        {
          // What is no quantity has a message of its own.
          rule: '[self.requests.memory, self.limits.memory].exists(one, !isQuantity(one)) || quantity(self.requests.memory).compareTo(quantity(self.limits.memory)) <= 0',
          message: 'requests.memory must not be larger than limits.memory, such a pod is refused: lower the request or raise the limit',
        },
        {
          rule: '!has(self.limits.cpu) || [self.requests.cpu, self.limits.cpu].exists(one, !isQuantity(one)) || quantity(self.requests.cpu).compareTo(quantity(self.limits.cpu)) <= 0',
          message: 'requests.cpu must not be larger than limits.cpu, such a pod is refused: lower the request or raise the limit',
        },
      ),
    },
  );

export const SecretRef = (key: string, what: string) =>
  Type.Object(
    {
      name: objectName({ description: 'Name of a Secret in the same namespace' }),
      key: Type.String({
        default: key,
        minLength: 1,
        maxLength: 253,
        ...pattern('^[-._a-zA-Z0-9]+$', `must be a key of a Secret: letters, digits, dashes, underscores and dots, for instance ${key}`),
      }),
    },
    { description: what },
  );

/** Size and class of a volume: the size may grow (the rule is on the whole resource), the class is fixed when it is made. */
const volumeFields = (size: string) => ({
  size: Type.String({
    default: size,
    maxLength: 16,
    description: 'Size of the volume, for instance 5Gi; it may grow where the storage class allows that',
    ...pattern('^[1-9][0-9]*(Mi|Gi|Ti)$', 'must be a whole number of Mi, Gi or Ti, for instance 5Gi'),
  }),
  class: Type.Optional(
    Type.String({
      maxLength: 253,
      description: 'StorageClass; the default class when left out',
      ...pattern(
        `^(${OBJECT_NAME})?$`,
        'must be the name of a StorageClass (kubectl get storageclass): lower-case letters, digits, dashes and dots',
      ),
    }),
  ),
});
// On the parent: a rule on an optional field is not asked when the field is added or removed.
const sameClass = rules({
  rule: 'has(self.class) == has(oldSelf.class) && (!has(self.class) || self.class == oldSelf.class)',
  message: 'the storage class cannot be changed after the volume was made; create a new ChatCluster with the other class and move the data',
});

export const Storage = (size: string) =>
  section(
    {
      ...volumeFields(size),
      whenDeleted: oneOf(['Retain', 'Delete'], {
        default: 'Retain',
        description: 'What happens to the volume when the ChatCluster is deleted',
      }),
    },
    { description: 'Volume of the data', ...sameClass },
  );

/** A volume that is never deleted with the ChatCluster. */
export const RetainedStorage = (size: string, description: string) => section(volumeFields(size), { description, ...sameClass });

/** Rules that tie `external` to `mode: external`. */
export const externalRules = rules(
  {
    rule: "self.mode != 'external' || has(self.external)",
    message: 'mode external needs the field external, which says where your own server is: add it, or choose another mode',
    reason: 'FieldValueRequired',
  },
  {
    rule: "self.mode == 'external' || !has(self.external)",
    message: 'external is only allowed with mode external: remove it, or set mode to external',
    reason: 'FieldValueForbidden',
  },
  {
    rule: 'self.mode == oldSelf.mode',
    message: 'the mode cannot be changed on a living cluster: data would be left behind; create a new ChatCluster and move the data',
  },
);
