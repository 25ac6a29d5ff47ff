// Backups of the databases that the operator makes itself. What is left out of a ChatCluster is not backed up.
import { Type } from '@sinclair/typebox';
import { BackupS3 } from './backup-s3.ts';
import { pattern, resources, RetainedStorage, type CelRule } from './schema-parts.ts';

/** A CronJob's name may have 52 characters, of which `-backup-postgres` takes 16. */
const NAME_MAX = 36;

export const Backup = Type.Object(
  {
    schedule: Type.String({
      default: '0 3 * * *',
      maxLength: 100,
      description: 'When, as five fields of cron, in UTC',
      ...pattern(
        '^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|[0-9A-Za-z*,/?-]+( [0-9A-Za-z*,/?-]+){4})$',
        'must be five fields of cron in UTC, or a word such as @daily, for instance 0 3 * * *',
      ),
    }),
    keep: Type.Integer({
      minimum: 1,
      maximum: 365,
      default: 7,
      description: 'Backups of each database that are kept, on the volume and in the bucket; older ones go when a newer one is complete',
    }),
    storage: RetainedStorage('10Gi', 'Volume of the backups; it stays when the ChatCluster is deleted'),
    s3: Type.Optional(BackupS3),
    resources: resources({ cpu: '50m', memory: '64Mi', memoryLimit: '256Mi' }),
  },
  { description: 'Dumps of the builtin databases on a volume of their own; none are made when it is left out' },
);

/** On the spec. */
export const backupRule: CelRule = {
  rule: "!has(self.backup) || self.mysql.mode == 'builtin' || self.postgres.mode == 'builtin'",
  message:
    'backup needs a builtin database, and mysql and postgres are both external: leave backup out, and back them up where they are run',
  reason: 'FieldValueForbidden',
};

/** On the whole resource: only there a rule sees the name. */
export const backupNameRule = {
  rule: `!has(self.spec) || !has(self.spec.backup) || self.metadata.name.size() <= ${NAME_MAX}`,
  message: `with spec.backup the name may have at most ${NAME_MAX} characters, because a CronJob's may have 52: leave backup out, or choose a shorter name`,
};
