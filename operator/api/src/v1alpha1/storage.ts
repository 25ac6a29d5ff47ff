// Volumes: what the status tells of them, how their size may change, and what confirms that their data may go.
import { Type } from '@sinclair/typebox';
import { oneOf, type CelRule } from './schema-parts.ts';

/** On a ChatCluster, with its name as the value: it may be deleted although volumes go with it. */
export const CONFIRM_DELETE_ANNOTATION = 'chat.parley.dev/confirm-delete';

/** Parts with volumes of their own whose fate `storage.whenDeleted` decides. */
export const storedParts = ['mysql', 'postgres', 'redis', 'kafka'] as const;

/** Also bounds the cost of the rules below. */
const CLAIMS_MAX = 20;
const QUANTITY_MAX = 32;

const manager = (description: string) => Type.Optional(Type.String({ maxLength: 20, description }));

export const ManagedBy = Type.Object(
  {
    redis: manager('builtin or external'),
    kafka: manager('The mode; none: there is no Kafka'),
    mysql: manager('builtin or external'),
    postgres: manager('builtin or external'),
  },
  { description: 'Who runs each server: the operator (builtin) or somebody else. It never changes by itself' },
);

export const StorageList = Type.Array(
  Type.Object({
    claim: Type.String({ maxLength: 253, description: 'PersistentVolumeClaim' }),
    component: Type.String({ maxLength: 63 }),
    size: Type.String({ maxLength: QUANTITY_MAX, description: 'What the volume has; what is asked for while there is no volume' }),
    whenDeleted: oneOf(['Retain', 'Delete'], { description: 'What happens to it when the ChatCluster is deleted' }),
  }),
  { maxItems: CLAIMS_MAX, description: 'Volumes that hold data, also those of parts that the spec no longer has' },
);

/**
 * A size may grow; it may go back as far as the volumes have not followed, so that a slip, or a class that cannot expand, is no dead
 * end. On the whole resource: only there a rule sees the status.
 */
export const sizeRules: CelRule[] = [...storedParts, 'backup'].map((part) => {
  const size = (of: 'self' | 'oldSelf') => `quantity(${of}.spec.${part}.storage.size)`;
  const absent = part === 'backup' ? `!has(self.spec.${part}) || !has(oldSelf.spec.${part}) || ` : '';
  const ofIt = `volume.component == '${part}'`;
  return {
    // Without filter(): of its result the API server knows no bound, and refuses the rule for its cost.
    rule:
      `!has(self.spec) || !has(oldSelf.spec) || ${absent}${size('self')}.compareTo(${size('oldSelf')}) >= 0 || ` +
      `(has(self.status) && has(self.status.storage) && self.status.storage.exists(volume, ${ofIt}) && ` +
      `self.status.storage.all(volume, !(${ofIt}) || quantity(volume.size).compareTo(${size('self')}) <= 0))`,
    message: `the size of a volume cannot be lowered below what it has (status.storage): leave the larger size, or create a new ChatCluster with the smaller one and move the data`,
    fieldPath: `.spec.${part}.storage.size`,
  };
});
