// Refuses to start on ports that somebody else has, and says who.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isTaken } from './processes/probe.ts';

/** Throws one message that names every port that is taken. */
export async function requireFreePorts(wanted: { what: string; port: number }[]): Promise<void> {
  const checks = await Promise.all(wanted.map(async (each) => ({ ...each, taken: await isTaken(each.port) })));
  const taken = checks.filter((each) => each.taken);
  if (taken.length === 0) return;
  const lines = taken.map(({ what, port }) => `  ${port} (${what}) is used by ${holderOf(port) ?? 'a process that this user cannot see'}`);
  throw new Error(`Ports are taken:\n${lines.join('\n')}\nStop that, or start on other ports:  npm start -- --ports-from 20000`);
}

/** Which process listens on the port: the socket's inode in /proc/net/tcp, then the process that has it open (Linux). */
function holderOf(port: number): string | undefined {
  try {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const sockets = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1));
    const LISTEN = '0A';
    const inodes = sockets
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === LISTEN)
      .map((fields) => `socket:[${fields[9]}]`);
    const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && opens(entry, inodes));
    if (pid === undefined) return undefined;
    return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`;
  } catch {
    return undefined;
  }
}

function opens(pid: string, inodes: string[]): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return inodes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
