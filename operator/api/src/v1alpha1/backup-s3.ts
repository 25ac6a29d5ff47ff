// Where copies of the backups go: a bucket of S3, or of a server that speaks its protocol.
import { Type } from '@sinclair/typebox';
import { objectName, pattern, rules, SecretRef } from './schema-parts.ts';

/** Keys of the Secret with the credentials. */
export const S3_CREDENTIALS = ['accessKeyId', 'secretAccessKey'] as const;

export const BackupS3 = Type.Object(
  {
    endpoint: Type.Optional(
      Type.String({
        maxLength: 253,
        description: 'URL of a server that speaks the protocol of S3; AWS when it is left out',
        ...pattern(
          '^https?://[^\\s/?#@]+$',
          'must be a URL that begins with https:// and has no path, for instance https://s3.example.com:9000: the bucket is the field bucket',
        ),
      }),
    ),
    allowHttp: Type.Boolean({
      default: false,
      description: 'The endpoint may begin with http://: everybody on the way can read the backups',
    }),
    region: Type.String({
      default: 'us-east-1',
      maxLength: 63,
      description: 'Region of the bucket; most servers other than AWS take any',
      ...pattern(
        '^[a-z0-9]+(-[a-z0-9]+)*$',
        'must be the name of a region: lower-case letters, digits and dashes, for instance eu-central-1',
      ),
    }),
    bucket: Type.String({
      maxLength: 63,
      description: 'Name of the bucket; it must be there',
      ...pattern(
        '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
        'must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes, for instance chat-backups',
      ),
    }),
    prefix: Type.Optional(
      Type.String({
        maxLength: 500,
        description: 'Folder in the bucket; namespace/name of the ChatCluster when it is left out. Two ChatClusters must not share one',
        ...pattern(
          '^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$',
          'must be names of letters, digits, dots, dashes and underscores with single slashes between them, for instance chat/production',
        ),
      }),
    ),
    forcePathStyle: Type.Optional(
      Type.Boolean({
        description: 'Name the bucket in the path of a URL, not in its host; when it is left out: yes with an endpoint, no without',
      }),
    ),
    credentialsSecretRef: Type.Object(
      { name: objectName({ description: `Name of a Secret in the same namespace, with the keys ${S3_CREDENTIALS.join(' and ')}` }) },
      { description: 'The access key' },
    ),
    caSecretRef: Type.Optional(
      SecretRef('ca.crt', 'PEM of the authority that signed the certificate of the endpoint; without it the public ones are trusted'),
    ),
  },
  {
    description: 'A bucket into which each complete backup is copied; none when it is left out',
    ...rules(
      {
        rule: "!has(self.endpoint) || !self.endpoint.startsWith('http://') || self.allowHttp",
        message:
          'an endpoint with http:// sends the backups as they are, readable for everybody on the way: use https://, or set allowHttp to true',
      },
      {
        rule: "!has(self.caSecretRef) || (has(self.endpoint) && self.endpoint.startsWith('https://'))",
        message: 'caSecretRef is for the certificate of an endpoint with https://: name the endpoint, or remove caSecretRef',
        reason: 'FieldValueForbidden',
      },
    ),
  },
);
