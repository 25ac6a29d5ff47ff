// What copying and fetching need from outside.
import type { Readable } from 'node:stream';
import type { Listed } from './domain/backup-plan.ts';

/** One folder of a bucket. Every method throws a {@link StoreError} that names bucket, endpoint, cause and next step. */
export interface Store {
  /** for people: s3://bucket/folder at endpoint */
  where: string;
  list(): Promise<Listed[]>;
  /** The object appears as a whole or not at all. */
  putFile(name: string, body: Readable, bytes: number): Promise<void>;
  /** Small; the server checks it as well. */
  putText(name: string, text: string): Promise<void>;
  text(name: string): Promise<string>;
  read(name: string): Promise<Readable>;
  remove(names: readonly string[]): Promise<void>;
  /** Ends uploads of backups that began before then and were never finished: their parts are paid for. Returns their number. */
  endUploads(before: Date): Promise<number>;
}

/** The folder of one database on the volume of the backups. */
export interface Folder {
  path: string;
  list(): Promise<Listed[]>;
  /** The checksum beside the backup; undefined: it has gone, or is none. */
  sum(name: string): Promise<string | undefined>;
  /** undefined: it has gone */
  open(name: string): Promise<{ body: Readable; bytes: number } | undefined>;
  /** Writes a backup beside the others; it gets its name when it is whole and has this sum. Returns false when the sum is another. */
  write(name: string, body: Readable, sum: string): Promise<boolean>;
}

/** Why the bucket could not be used, in words for people. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  /** It may work later without anybody doing anything. */
  readonly passing: boolean;
  constructor(message: string, { passing, cause }: { passing: boolean; cause?: unknown }) {
    super(message, { cause });
    this.passing = passing;
  }
}
