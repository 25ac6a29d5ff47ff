// What the doctor thinks of a data folder and of the ports: who runs in it, what a killed start left, who has a port. Pure.
import type { PidEntry } from '#servers/processes/pid-file';
import { bad, good, note, type Finding } from './finding.ts';

export interface DataFacts {
  folder: string;
  exists: boolean;
  owner: PidEntry | undefined;
  children: readonly PidEntry[];
  /** Services and servers that the running start told of; undefined: it is not ready, or there is none. */
  expected: Readonly<Record<string, number>> | undefined;
  /** URL -> undefined when it answered well, else what went wrong. */
  answers: Readonly<Record<string, string | undefined>>;
}

export function dataFindings({ folder, exists, owner, children, expected, answers }: DataFacts): Finding[] {
  const what = 'Data';
  if (!exists) return [good(what, `${folder} is not there; the first npm start makes it`)];
  if (!owner) return [children.length === 0 ? good(what, `${folder}, nothing runs with it`) : leftOver(folder, children)];
  const running = `${folder} is in use by a running npm start (pid ${owner.pid})`;
  if (!expected) return [note(what, `${running}, which is not ready yet`, 'Wait for "Parley is ready", or read its logs: .parley/logs')];
  const pids = new Set(children.map(({ pid }) => pid));
  const dead = Object.entries(expected).filter(([, pid]) => !pids.has(pid));
  return [
    good(what, `${running}, ${children.length} processes`),
    ...dead.map(([name]) =>
      bad(
        name,
        'its process has ended',
        `Read ${folder}/logs/${name}.log; a database comes back with Ctrl-C and npm start, a service by itself`,
      ),
    ),
    ...Object.entries(answers).map(([url, problem]) =>
      problem === undefined ? good('Answers', url) : bad('Answers', `${url}: ${problem}`, `Read the logs in ${folder}/logs`),
    ),
  ];
}

function leftOver(folder: string, children: readonly PidEntry[]): Finding {
  const names = children.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
  return bad(
    'Data',
    `${folder}: a start that was killed left ${names}`,
    'npm start stops them first; npm run clean stops them and removes the data',
  );
}

export interface PortFacts {
  what: string;
  port: number;
  /** undefined: it is free */
  holder: { pid: number | undefined; text: string } | undefined;
}

/** Ports of our own processes are as they should be. */
export function portFindings(ports: readonly PortFacts[], own: ReadonlySet<number>, freeRow: number): Finding[] {
  const foreign = ports.filter(({ holder }) => holder && !(holder.pid !== undefined && own.has(holder.pid)));
  if (foreign.length === 0) {
    const used = ports.filter(({ holder }) => holder).length;
    return [good('Ports', used === 0 ? `all ${ports.length} are free` : `${used} in use by this Parley, ${ports.length - used} free`)];
  }
  return foreign.map(({ what, port, holder }) =>
    bad(
      `Port ${port}`,
      `wanted for ${what}, in use by ${holder?.text ?? ''}`,
      `Stop that, or take other ports: npm start -- --ports-from ${freeRow}`,
    ),
  );
}
