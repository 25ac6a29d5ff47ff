// One at a time for what rewrites the checkout: npm packages and built files. Nothing but Node, as bootstrap.mjs.
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 100;

/**
 * Runs `work` while nobody else holds the lock file. `onWait` is told once who has it. A lock whose process is gone is taken over;
 * should two do so in the same instant, both work: what they write is put in place file by file, so that is slow and not wrong.
 */
export async function withCheckoutLock(path, { onWait = () => {}, stopped = () => false }, work) {
  let told = false;
  while (!take(path)) {
    if (stopped()) return undefined;
    const holder = holderOf(path);
    if (holder === undefined) setAside(path);
    else {
      if (!told) onWait(holder);
      told = true;
      await sleep(LOOK_MS);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(path, 'wx');
    writeSync(file, `${process.pid} ${startOf(process.pid)}`);
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST' || error.code === 'ENOENT') return false;
    // A folder that somebody else made, as root for instance: without the lock two builds are slow and not wrong.
    if (error.code === 'EACCES' || error.code === 'EROFS') return true;
    throw error;
  }
}

/** Pid of the process that has the lock; undefined when it is gone. */
function holderOf(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  const [pid, start] = text.split(/ (.*)/s);
  // Empty for the moment between its making and its first byte.
  if (text === '') return Number.NaN;
  return isAlive(Number(pid)) && startOf(Number(pid)) === start ? Number(pid) : undefined;
}

function setAside(path) {
  const mine = `${path}.${process.pid}`;
  try {
    renameSync(path, mine);
    rmSync(mine, { force: true });
  } catch {
    // Somebody else was quicker.
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Pids are used again: the start time tells two processes apart (Linux, /proc/<pid>/stat field 22); empty elsewhere. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return '';
  }
}
