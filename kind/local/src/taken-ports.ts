// Refuses to start on ports that somebody else has, and says who.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { choosePorts, listPorts } from './ports.ts';
import { isTaken } from '#servers/processes/probe';

export interface PortLook {
  what: string;
  port: number;
  /** undefined: it is free */
  holder: { pid: number | undefined; text: string } | undefined;
}

/** Who has which of these ports. */
export async function lookAtPorts(wanted: readonly { what: string; port: number }[]): Promise<PortLook[]> {
  return Promise.all(
    wanted.map(async (each) => {
      if (!(await isTaken(each.port))) return { ...each, holder: undefined };
      const pid = holderOf(each.port);
      return { ...each, holder: { pid, text: pid === undefined ? 'a process that this user cannot see' : `${nameOf(pid)} (pid ${pid})` } };
    }),
  );
}

/** Throws one message that names every port that is taken, who has it, and a row of ports that is free. */
export async function requireFreePorts(wanted: readonly { what: string; port: number }[], chatReplicas: number): Promise<void> {
  const taken = (await lookAtPorts(wanted)).filter(({ holder }) => holder);
  if (taken.length === 0) return;
  const lines = taken.map(({ what, port, holder }) => `  ${port} (${what}) is used by ${holder?.text}`);
  const pids = [...new Set(taken.flatMap(({ holder }) => holder?.pid ?? []))];
  const stop = pids.length === 0 ? 'Stop that' : `Stop that (kill ${pids.join(' ')}; a system service: systemctl stop NAME)`;
  const row = await findFreeRow(chatReplicas);
  throw new Error(`Ports are taken:\n${lines.join('\n')}\n${stop}, or start on other ports:  npm start -- --ports-from ${row}`);
}

const FIRST_ROW = 20_000;
const ROWS = 40;
const ROW_STEP = 100;

/** The first of some rows in which a start finds everything free. */
export async function findFreeRow(chatReplicas: number): Promise<number> {
  for (let row = 0; row < ROWS; row++) {
    const from = FIRST_ROW + row * ROW_STEP;
    const taken = await Promise.all(listPorts(choosePorts({ chatReplicas, from }), { kafka: true }).map(({ port }) => isTaken(port)));
    if (!taken.includes(true)) return from;
  }
  return FIRST_ROW;
}

const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

/** Which process listens on the port: the socket's inode in /proc/net/tcp, then the process that has it open (Linux). */
function holderOf(port: number): number | undefined {
  try {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const sockets = ['tcp', 'tcp6'].flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1));
    const LISTEN = '0A';
    const inodes = sockets
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === LISTEN)
      .map((fields) => `socket:[${fields[9]}]`);
    const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && opens(entry, inodes));
    return pid === undefined ? undefined : Number(pid);
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
