// What S3, the network or TLS answered, as a sentence with the next step. The fields of the spec are named because people set those.
import { messageOf } from '@parley/kit/process';
import { StoreError } from '../ports.ts';

const UNKNOWN_KEY = 'the accessKeyId in the Secret that spec.backup.s3.credentialsSecretRef names is not known there: correct it';

/** By the code of the answer, or of the network. */
const NEXT: Readonly<Record<string, string>> = {
  NoSuchBucket: 'make the bucket, or correct spec.backup.s3.bucket',
  NotFound: 'make the bucket, or correct spec.backup.s3.bucket',
  InvalidAccessKeyId: UNKNOWN_KEY,
  XAdminUserNotFound: UNKNOWN_KEY,
  SignatureDoesNotMatch:
    'the secretAccessKey in the Secret that spec.backup.s3.credentialsSecretRef names is not that of its accessKeyId: correct it',
  AccessDenied: 'give the account of the access key the rights that docs/operating/backup-and-restore.md lists',
  Forbidden: 'give the account of the access key the rights that docs/operating/backup-and-restore.md lists',
  PermanentRedirect: 'the bucket is in another region: correct spec.backup.s3.region',
  AuthorizationHeaderMalformed: 'the bucket is in another region: correct spec.backup.s3.region',
  IllegalLocationConstraintException: 'the bucket is in another region: correct spec.backup.s3.region',
  RequestTimeTooSkewed: 'the clock of the node or of the server is wrong: correct it',
  NoSuchKey: 'it was removed meanwhile: run it again',
  ENOTFOUND: 'the name is not known: correct spec.backup.s3.endpoint, or the DNS of the cluster (for a bucket in the host: forcePathStyle)',
  ECONNREFUSED: 'nothing listens there: start the server, or correct spec.backup.s3.endpoint',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name the certificate in spec.backup.s3.caSecretRef',
  SELF_SIGNED_CERT_IN_CHAIN: 'name the authority that signed its certificate in spec.backup.s3.caSecretRef',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'name the authority that signed its certificate in spec.backup.s3.caSecretRef',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'name the authority that signed its certificate in spec.backup.s3.caSecretRef',
  CERT_HAS_EXPIRED: 'renew the certificate of the server',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name: correct spec.backup.s3.endpoint, or make a certificate for it',
  ENOSPC: 'the volume is full: raise spec.backup.storage.size',
};
const LATER = 'the next run copies what is missing';

const PASSING_CODES = new Set([
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EAI_AGAIN',
    'ERR_STREAM_PREMATURE_CLOSE',
  ],
  ...['TimeoutError', 'RequestTimeout', 'SlowDown', 'ServiceUnavailable', 'InternalError', 'Throttling', 'ThrottlingException'],
]);

interface SdkError {
  name?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number };
}

/** `did`: what was tried, for instance "list". */
export function s3Failure(error: unknown, did: string, where: string): StoreError {
  if (error instanceof StoreError) return error;
  const root = rootOf(error);
  const { name = '', code = '', $metadata } = root as SdkError;
  const status = $metadata?.httpStatusCode ?? 0;
  // A 403 without a body, as to HEAD, has no other name.
  const known = [code, name, ...(status === 403 ? ['Forbidden'] : [])];
  const passing = status >= 500 || status === 429 || known.some((each) => PASSING_CODES.has(each));
  const next = known.map((each) => NEXT[each]).find((each) => each !== undefined) ?? (passing ? LATER : undefined);
  const label = [code, name].find((each) => each !== '' && each !== 'Error') ?? '';
  const said = messageOf(root).replace(/\.$/, '');
  const cause = [label, said].filter((each, index) => each !== '' && (index > 0 || !said.includes(label))).join(': ');
  return new StoreError(`cannot ${did} ${where}: ${cause}${status > 0 ? ` (status ${status})` : ''}${next ? `; ${next}` : ''}`, {
    passing,
    cause: error,
  });
}

/** An address that has two families fails with both errors in one. */
function rootOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors[0] as unknown;
  return error;
}
