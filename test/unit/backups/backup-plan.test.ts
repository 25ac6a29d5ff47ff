// Which backups are copied and which go, by their names alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  backupsIn,
  chosen,
  partBytes,
  sumIn,
  sumLine,
  toCopy,
  toRemove,
  type Listed,
} from '../../../services/backups/src/domain/backup-plan.ts';

const name = (day: number): string => `202601${String(day).padStart(2, '0')}T030000Z.dump`;
const listed = (...days: number[]): Listed[] => days.map((day) => ({ name: name(day), bytes: 1, complete: true }));
const half = (day: number): Listed => ({ name: name(day), bytes: 1, complete: false });
const names = (...days: number[]): string[] => days.map(name);

test('a backup is complete with both of its files, and other files are none', () => {
  const files = new Map([
    [name(2), 5],
    [`${name(2)}.sha256`, 90],
    [name(1), 4],
    [`${name(3)}.sha256`, 90],
    ['.partial-20260101T030000Z.dump-pod', 1],
    ['20260101T030000Z.dump.gz', 1],
    ['2026010AT030000Z.dump', 1],
    ['notes', 1],
  ]);
  assert.deepEqual(backupsIn(files), [
    { name: name(1), bytes: 4, complete: false },
    { name: name(2), bytes: 5, complete: true },
    { name: name(3), bytes: 0, complete: false },
  ]);
});

test('everything that is complete and will stay is copied, the newest first', () => {
  assert.deepEqual(toCopy(listed(1, 2, 3), [], 7), names(3, 2, 1));
  assert.deepEqual(toCopy([...listed(1), half(2)], [], 7), names(1));
  assert.deepEqual(toCopy(listed(1, 2, 3), listed(4), 3), names(3, 2));
  // What is there already is compared, not forgotten.
  assert.deepEqual(toCopy(listed(1, 2), listed(1), 7), names(2, 1));
  assert.deepEqual(toCopy(listed(1), listed(5, 6, 7), 3), []);
});

test('what is older than the newest complete ones goes, marks before files; with too few nothing does', () => {
  assert.deepEqual(toRemove(listed(1, 2, 3), 3), []);
  assert.deepEqual(toRemove([...listed(2, 3), half(1)], 3), []);
  assert.deepEqual(toRemove(listed(1, 2, 3, 4), 2), [`${name(1)}.sha256`, `${name(2)}.sha256`, name(1), name(2)]);
  // One that is half counts for nothing, and goes when it is old.
  assert.deepEqual(toRemove([half(1), ...listed(2, 3), half(4)], 2), [`${name(1)}.sha256`, name(1)]);
});

test('a backup is chosen by its name, or is the newest that is complete', () => {
  const remote = [...listed(1, 2), half(3)];
  assert.deepEqual(chosen('latest', remote, 'there'), { name: name(2) });
  assert.deepEqual(chosen(name(1), remote, 'there'), { name: name(1) });
  assert.deepEqual(chosen(name(3), remote, 'there'), {
    problem: `there is no complete backup ${name(3)} in there; there are ${names(1, 2).join(', ')}`,
  });
  assert.deepEqual(chosen('latest', [half(3)], 'there'), { problem: 'there is no complete backup in there' });
});

test('a checksum counts for the name that it was made for', () => {
  const sum = 'ab'.repeat(32);
  assert.equal(sumIn(sumLine(sum, name(1)), name(1)), sum);
  assert.equal(sumIn(sumLine(sum, name(1)), name(2)), undefined);
  assert.equal(sumIn('', name(1)), undefined);
});

test('a file has no more parts than S3 takes, and small ones while it can', () => {
  assert.equal(partBytes(1), 8 * 1024 ** 2);
  for (const bytes of [80e9, 1e12, 5e12]) assert.ok(Math.ceil(bytes / partBytes(bytes)) <= 10_000);
});
