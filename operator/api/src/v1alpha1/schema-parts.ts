// Building blocks of the ChatCluster schema: TypeBox types that stay within what a structural OpenAPI schema of a CRD may say.
import { Type, type SchemaOptions, type TLiteral, type TObject, type TProperties, type TUnion } from '@sinclair/typebox';

/** A CEL rule of the API server (x-kubernetes-validations). */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
  reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
}

export const rules = (...list: CelRule[]): SchemaOptions => ({ 'x-kubernetes-validations': list });

/** One of a few words; in the CRD an enum, whose message by the API server lists them. */
export const oneOf = <const T extends string>(values: readonly T[], options: SchemaOptions = {}) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    options,
  );

/** An object that is filled with its fields' defaults when it is left out. */
export const section = <P extends TProperties>(properties: P, options: SchemaOptions = {}): TObject<P> =>
  Type.Object(properties, { default: {}, ...options });

const Quantities = Type.Record(Type.String(), Type.String({ maxLength: 32 }));
export const Resources = Type.Object(
  { requests: Type.Optional(Quantities), limits: Type.Optional(Quantities) },
  { description: 'Requests and limits of the container, as in a pod. Sensible small values when left out.' },
);

export const SecretRef = (key: string, what: string) =>
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 253, description: 'Name of a Secret in the same namespace' }),
      key: Type.String({ default: key, minLength: 1, maxLength: 253 }),
    },
    { description: what },
  );

export const Storage = (size: string) =>
  section(
    {
      size: Type.String({
        pattern: '^[1-9][0-9]*(Mi|Gi|Ti)$',
        default: size,
        maxLength: 16,
        description: 'Size of the volume, for instance 5Gi',
        ...rules({
          rule: 'self == oldSelf',
          message:
            'the size of a volume cannot be changed after it was made; grow the PersistentVolumeClaim by hand where its storage class allows it',
        }),
      }),
      class: Type.Optional(
        Type.String({
          maxLength: 253,
          description: 'StorageClass; the default class when left out',
          ...rules({ rule: 'self == oldSelf', message: 'the storage class cannot be changed after the volume was made' }),
        }),
      ),
      whenDeleted: oneOf(['Retain', 'Delete'], {
        default: 'Retain',
        description: 'What happens to the volume when the ChatCluster is deleted',
      }),
    },
    { description: 'Volume of the data' },
  );

/** Rules that tie `external` to `mode: external`. */
export const externalRules = rules(
  {
    rule: "self.mode != 'external' || has(self.external)",
    message: 'mode external needs the field external',
    reason: 'FieldValueRequired',
  },
  {
    rule: "self.mode == 'external' || !has(self.external)",
    message: 'external is only allowed with mode external',
    reason: 'FieldValueForbidden',
  },
  {
    rule: 'self.mode == oldSelf.mode',
    message: 'the mode cannot be changed on a living cluster: data would be left behind; create a new ChatCluster and move the data',
  },
);
