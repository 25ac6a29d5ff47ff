// kubectl parley drill: make one and follow it, list them, show one.
import { ALLOW_DRILLS_LABEL, DRILL_KIND, drillFaults, isFinished, type ChatDrill, type DrillFault } from '@parley/operator-api';
import { chatDrills, isNotFound, pathOf } from '@parley/operator';
import type { CommandContext } from './commands.ts';
import { report, toldBy } from './drill-report.ts';
import { chooseCluster, UserError } from './read.ts';
import { table } from './table.ts';

export interface DrillOptions {
  cluster: string;
  fault: string;
  /** as it was typed: 30 or 30s */
  duration: string | undefined;
  /** without asking */
  yes: boolean;
}

export interface DrillContext extends CommandContext {
  pause: (ms: number) => Promise<void>;
  /** Asks the person; without a terminal the answer is no. */
  confirm: (question: string) => Promise<boolean>;
}

const LOOK_MS = 1000;

/** Exit code 0: it passed; 1: it failed, or was not wanted. */
export async function runDrill(context: DrillContext, { cluster: name, fault, duration, yes }: DrillOptions): Promise<number> {
  const { transport, namespace, print, confirm } = context;
  const known = drillFaults.find((each) => each.toLowerCase() === fault.toLowerCase());
  if (!known) throw new UserError(`There is no fault ${fault}; there are: ${drillFaults.join(', ')}`);
  const durationSeconds = secondsOf(duration);
  const cluster = await chooseCluster(transport, namespace, name);
  if (cluster.metadata.labels?.[ALLOW_DRILLS_LABEL] !== 'true')
    throw new UserError(
      `${name} does not allow drills. Allow them: kubectl -n ${namespace} label chatcluster ${name} ${ALLOW_DRILLS_LABEL}=true`,
    );
  if (!yes && !(await confirm(`${known} breaks ${namespace}/${name} now. Go on?`))) {
    print('Nothing was done. Say --yes to go on without being asked.');
    return 1;
  }
  const made = await make(context, { cluster: name, fault: known, ...(durationSeconds === undefined ? {} : { durationSeconds }) });
  print(`${made} runs. It goes on without this program; to break it off: kubectl -n ${namespace} delete chatdrill ${made}`);
  return follow(context, made);
}

function secondsOf(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined;
  const [, digits, unit] = /^(\d+)(s|m)?$/.exec(duration) ?? [];
  if (digits === undefined) throw new UserError(`--duration ${duration} is no time: say for instance 30s or 2m`);
  return Number(digits) * (unit === 'm' ? 60 : 1);
}

async function make({ transport, namespace }: DrillContext, spec: { cluster: string; fault: DrillFault }): Promise<string> {
  const made = await transport.request<ChatDrill>('POST', pathOf(chatDrills, namespace), {
    body: { apiVersion: 'chat.parley.dev/v1alpha1', kind: DRILL_KIND, metadata: { generateName: `${spec.fault.toLowerCase()}-` }, spec },
  });
  return made.metadata.name;
}

async function follow(context: DrillContext, name: string): Promise<number> {
  const { print, paint, pause } = context;
  let before = '';
  for (;;) {
    const drill = await read(context, name);
    const told = toldBy(drill);
    const line = told ? `${told.reason}: ${told.message}` : 'the operator has not seen it yet';
    const passed = told?.type === 'Complete';
    if (line !== before) print(isFinished(drill) ? (passed ? paint.good : paint.bad)(line) : line);
    if (isFinished(drill)) return passed ? 0 : 1;
    before = line;
    await pause(LOOK_MS);
  }
}

async function read({ transport, namespace }: CommandContext, name: string): Promise<ChatDrill> {
  try {
    return await transport.request<ChatDrill>('GET', pathOf(chatDrills, namespace, name));
  } catch (error) {
    if (isNotFound(error)) throw new UserError(`There is no ChatDrill ${name} in the namespace ${namespace}: kubectl parley drill list`);
    throw error;
  }
}

export async function listDrills({ transport, namespace, print }: CommandContext): Promise<number> {
  const { items } = await transport.request<{ items: ChatDrill[] }>('GET', pathOf(chatDrills, namespace));
  if (items.length === 0) {
    print(`There is no ChatDrill in the namespace ${namespace}.`);
    return 0;
  }
  const rows = items.map((drill) => {
    const { recoverySeconds, lost } = drill.status ?? {};
    const recovery = recoverySeconds === undefined ? '' : `${recoverySeconds} s`;
    return [drill.metadata.name, drill.spec.cluster, drill.spec.fault, toldBy(drill)?.reason ?? '', recovery, String(lost ?? '')];
  });
  print(table([['NAME', 'CLUSTER', 'FAULT', 'RESULT', 'RECOVERY', 'LOST'], ...rows]));
  return 0;
}

/** One line, or the report as Markdown. */
export async function showDrill(context: CommandContext, { name, markdown }: { name: string; markdown: boolean }): Promise<number> {
  const drill = await read(context, name);
  const told = toldBy(drill);
  const line = `${name}: ${told ? `${told.reason}: ${told.message}` : 'the operator has not seen it yet'}`;
  context.print(markdown ? report(drill) : line);
  return told?.type === 'Failed' ? 1 : 0;
}
