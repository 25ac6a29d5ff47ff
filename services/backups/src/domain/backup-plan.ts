// Which backups there are by their names, which are copied, and which go. A name begins with its time, so names sort by age.

/** As the scripts of the CronJobs name a backup: the time in UTC and the kind. Nothing else in a folder or a bucket is ever touched. */
const NAME = /^\d{8}T\d{6}Z\.(sql\.gz|dump)$/;
const MARK = '.sha256';
/** What a file of checksums says: 64 hex digits, two spaces, the name. */
const SUM_LINE = /^([0-9a-f]{64}) {2}(\S+)\n?$/;

export const markOf = (name: string): string => `${name}${MARK}`;
export const sumLine = (sum: string, name: string): string => `${sum}  ${name}\n`;
export const isBackup = (name: string): boolean => NAME.test(name);

/** The checksum that a mark gives for the name; undefined: it is not the mark of that backup. */
export function sumIn(text: string, name: string): string | undefined {
  const [, sum, of] = SUM_LINE.exec(text) ?? [];
  return of === name ? sum : undefined;
}

export interface Listed {
  name: string;
  bytes: number;
  /** Both the file and its mark are there. Of a bucket the mark is written last, so that half of a backup never has one. */
  complete: boolean;
}

/** Files and marks of a listing, the oldest first. A mark alone is listed as well, so that it can go. */
export function backupsIn(files: ReadonlyMap<string, number>): Listed[] {
  const names = new Set([...files.keys()].map((file) => (file.endsWith(MARK) ? file.slice(0, -MARK.length) : file)).filter(isBackup));
  return [...names].sort().map((name) => {
    const bytes = files.get(name);
    return { name, bytes: bytes ?? 0, complete: bytes !== undefined && files.has(markOf(name)) };
  });
}

const complete = (listed: readonly Listed[]): string[] => listed.filter((each) => each.complete).map(({ name }) => name);
const newest = (names: readonly string[], keep: number): string[] => [...new Set(names)].sort().slice(-keep);

/** Backups of the volume that belong into the bucket, the newest first: what would go at once is not copied. */
export function toCopy(local: readonly Listed[], remote: readonly Listed[], keep: number): string[] {
  const wanted = new Set(newest([...complete(local), ...complete(remote)], keep));
  return complete(local)
    .filter((name) => wanted.has(name))
    .reverse();
}

/** Objects of everything that is older than the newest `keep` complete backups, also of what is not complete. Marks go first. */
export function toRemove(remote: readonly Listed[], keep: number): string[] {
  const kept = newest(complete(remote), keep);
  const [oldest] = kept;
  if (oldest === undefined || kept.length < keep) return [];
  const old = remote.map(({ name }) => name).filter((name) => name < oldest);
  return [...old.map(markOf), ...old];
}

/** The name that somebody asks for; a problem in words when there is no such backup. */
export function chosen(asked: string, remote: readonly Listed[], where: string): { name: string } | { problem: string } {
  const names = complete(remote);
  const last = names.at(-1);
  if (last === undefined) return { problem: `there is no complete backup in ${where}` };
  if (asked === 'latest') return { name: last };
  if (names.includes(asked)) return { name: asked };
  return { problem: `there is no complete backup ${asked} in ${where}; there are ${names.join(', ')}` };
}

const MEBIBYTE = 1024 * 1024;
const PART_MIN = 8 * MEBIBYTE;
/** An object has at most this many parts. */
const PARTS_MAX = 10_000;

/** A part is held in memory while it is on its way: so small, but never too many of them. */
export const partBytes = (bytes: number): number => Math.max(PART_MIN, Math.ceil(bytes / PARTS_MAX));
