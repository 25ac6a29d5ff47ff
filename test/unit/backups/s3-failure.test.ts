// What went wrong with S3, in words: where, the cause, the next step, and whether it can pass by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { s3Failure } from '../../../services/backups/src/adapters/s3-failure.ts';
import { StoreError } from '../../../services/backups/src/ports.ts';

const WHERE = 's3://chat/demo at https://s3.example';
const answered = (name: string, status: number, message = 'said') =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
const broken = (code: string, message = code) => Object.assign(new Error(message), { code });

for (const [error, message, passing] of [
  [
    answered('NoSuchBucket', 404, 'The bucket is not there.'),
    /^cannot list s3:\/\/chat\/demo at .*: NoSuchBucket: The bucket is not there \(status 404\); make the bucket/,
    false,
  ],
  [answered('InvalidAccessKeyId', 403), /accessKeyId in the Secret that spec\.backup\.s3\.credentialsSecretRef names/, false],
  [answered('AccessDenied', 403), /the rights that docs\/operating\/backup-and-restore\.md lists/, false],
  [answered('UnknownError', 403, ''), /\(status 403\); give the account/, false],
  [answered('NoSuchUpload', 404), /NoSuchUpload: said \(status 404\)$/, false],
  [answered('InternalError', 500), /InternalError: said \(status 500\); the next run copies what is missing/, true],
  [answered('SlowDown', 503), /the next run/, true],
  [answered('UnknownError', 502, ''), /status 502/, true],
  [answered('Busy', 429), /the next run/, true],
  [broken('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'), /: connect ECONNREFUSED 127\.0\.0\.1:1; nothing listens there/, true],
  [broken('ECONNRESET', 'socket hang up'), /: ECONNRESET: socket hang up; the next run/, true],
  [new AggregateError([broken('ECONNREFUSED'), broken('ECONNREFUSED')]), /ECONNREFUSED; nothing listens/, true],
  [broken('ENOTFOUND'), /correct spec\.backup\.s3\.endpoint/, false],
  [broken('SELF_SIGNED_CERT_IN_CHAIN'), /spec\.backup\.s3\.caSecretRef/, false],
  [broken('ERR_TLS_CERT_ALTNAME_INVALID'), /for another name/, false],
  ['odd', /^cannot list .*: odd$/, false],
] as const)
  test(`${error instanceof AggregateError ? 'two addresses' : error instanceof Error ? `${error.name} ${(error as { code?: string }).code ?? error.message}` : error}`, () => {
    const failure = s3Failure(error, 'list', WHERE);
    assert.match(failure.message, message);
    assert.equal(failure.passing, passing);
  });

test('what was told once is not told twice', () => {
  const told = new StoreError('it is so', { passing: true });
  assert.equal(s3Failure(told, 'list', WHERE), told);
});
