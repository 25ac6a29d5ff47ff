// Environment of the program that copies backups to S3 and back. The CronJobs of a ChatCluster with spec.backup.s3 set it.
import { commonConfig, milliseconds, secret, text } from '@parley/kit/settings';
import { Type, type Static } from '@sinclair/typebox';

const { logLevel } = commonConfig(0);

/** Environment of the copier of backups: a variable a property, with its default, bounds and text. */
export const backupsConfig = Type.Object({
  backupDir: text('/backup', 'folder of the backups of one database'),
  keep: Type.Integer({ minimum: 1, maximum: 365, default: 7, description: 'complete backups that stay in the bucket' }),
  s3Endpoint: Type.String({
    default: '',
    pattern: '^(https?://[^/]+/?)?$',
    description: 'URL of a server that speaks the S3 protocol; empty: AWS',
  }),
  s3Region: text('us-east-1', 'region of the bucket'),
  s3Bucket: Type.String({ minLength: 3, maxLength: 63, description: 'name of the bucket, which must be there' }),
  s3Prefix: Type.String({
    minLength: 1,
    maxLength: 700,
    pattern: '^[^/]+(/[^/]+)*$',
    description: 'folder in the bucket for the backups of this database, without a slash at either end',
  }),
  s3ForcePathStyle: Type.Boolean({ default: false, description: 'name the bucket in the path of a URL, not in its host' }),
  s3AccessKeyId: secret('id of the access key'),
  s3SecretAccessKey: secret('the access key'),
  s3Ca: Type.Optional(
    secret('PEM of the authority that signed the certificate of the endpoint; without it those that Node knows', { optional: true }),
  ),
  retryForMs: milliseconds(900_000, 'how long it tries again when the server cannot be reached or is busy'),
  logLevel,
});
/** The environment of the copier of backups after it was read and checked. */
export type BackupsConfig = Static<typeof backupsConfig>;
