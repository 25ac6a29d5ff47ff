// A folder of a bucket, over the AWS SDK. Its retries, its checksums: each request carries a SHA-256, which the server checks.
import { Agent } from 'node:https';
import { addAbortSignal, Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { BackupsConfig } from '../config.ts';
import { backupsIn, isBackup, partBytes } from '../domain/backup-plan.ts';
import type { Store } from '../ports.ts';
import { StoreError } from '../ports.ts';
import { s3Failure } from './s3-failure.ts';

const CONNECT_WITHIN_MS = 10_000;
/** Without a byte in either direction. */
const SILENT_MAX_MS = 60_000;
const TRIES = 5;
const CHECKSUM = 'SHA256' as const;

export type S3Settings = Pick<
  BackupsConfig,
  's3Endpoint' | 's3Region' | 's3Bucket' | 's3Prefix' | 's3ForcePathStyle' | 's3AccessKeyId' | 's3SecretAccessKey' | 's3Ca'
>;

/** Everything that matters is said here, and not left to files of AWS's own tools. */
function clientOf(settings: S3Settings): S3Client {
  const { s3Endpoint: endpoint, s3Ca: ca } = settings;
  return new S3Client({
    region: settings.s3Region,
    ...(endpoint === '' ? {} : { endpoint }),
    forcePathStyle: settings.s3ForcePathStyle,
    credentials: { accessKeyId: settings.s3AccessKeyId, secretAccessKey: settings.s3SecretAccessKey },
    requestHandler: {
      connectionTimeout: CONNECT_WITHIN_MS,
      socketTimeout: SILENT_MAX_MS,
      httpsAgent: new Agent({ keepAlive: true, maxSockets: 4, ...(ca === undefined ? {} : { ca }) }),
    },
    retryMode: 'standard',
    maxAttempts: TRIES,
    defaultsMode: 'standard',
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    // A backup that comes back is compared with its mark, which says more than the checksums of its parts.
    responseChecksumValidation: 'WHEN_REQUIRED',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
  });
}

/** `signal` ends what is on its way. */
export function s3Store(settings: S3Settings, signal: AbortSignal): Store & { close(): void } {
  const client = clientOf(settings);
  const { s3Bucket: Bucket, s3Prefix, s3Endpoint } = settings;
  const where = `s3://${Bucket}/${s3Prefix} at ${s3Endpoint === '' ? `AWS in ${settings.s3Region}` : s3Endpoint}`;
  const options = { abortSignal: signal };
  const prefix = `${s3Prefix}/`;
  const keyOf = (name: string) => ({ Bucket, Key: `${prefix}${name}` });
  const attempt = async <T>(did: string, action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      signal.throwIfAborted();
      throw s3Failure(error, did, where);
    }
  };
  const body = async (name: string): Promise<Readable> => {
    const { Body } = await client.send(new GetObjectCommand(keyOf(name)), options);
    if (!(Body instanceof Readable)) throw new Error('the answer has no body');
    return addAbortSignal(signal, Body);
  };

  return {
    where,
    close: () => client.destroy(),
    list: () =>
      attempt('list the backups of', async () => {
        const files = new Map<string, number>();
        for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix, Delimiter: '/' }, options))
          for (const { Key = '', Size = 0 } of Contents) files.set(Key.slice(prefix.length), Size);
        return backupsIn(files);
      }),
    putFile: (name, file, bytes) =>
      attempt(`write ${name} to`, async () => {
        const ended = new AbortController();
        const abort = () => ended.abort();
        signal.addEventListener('abort', abort);
        try {
          const params = { ...keyOf(name), Body: file, ContentLength: bytes, ChecksumAlgorithm: CHECKSUM };
          // One part at a time: the next one is not sent when one fails.
          await new Upload({ client, params, queueSize: 1, partSize: partBytes(bytes), abortController: ended }).done();
        } finally {
          signal.removeEventListener('abort', abort);
        }
        const { ContentLength } = await client.send(new HeadObjectCommand(keyOf(name)), options);
        if (ContentLength !== bytes)
          throw new StoreError(`${name} has ${ContentLength} bytes in ${where}, and ${bytes} were sent: run it again`, { passing: true });
      }),
    putText: (name, text) =>
      attempt(`write ${name} to`, async () => {
        await client.send(
          new PutObjectCommand({ ...keyOf(name), Body: text, ContentType: 'text/plain', ChecksumAlgorithm: CHECKSUM }),
          options,
        );
      }),
    text: (name) => attempt(`read ${name} of`, async () => (await (await body(name)).toArray()).join('')),
    read: (name) => attempt(`read ${name} of`, () => body(name)),
    remove: (names) =>
      attempt('remove old backups of', async () => {
        for (const name of names) await client.send(new DeleteObjectCommand(keyOf(name)), options);
      }),
    endUploads: (before) =>
      attempt('list unfinished uploads of', async () => {
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix }), options);
        const old = Uploads.filter(
          ({ Key = '', Initiated }) => isBackup(Key.slice(prefix.length)) && Initiated !== undefined && Initiated < before,
        );
        for (const { Key, UploadId } of old) await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), options);
        return old.length;
      }),
  };
}
