// Where the chat process spends its time, from V8's sampling profiler, in the window of the load only.
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  /** microseconds of the monotonic clock */
  startTime: number;
  samples: number[];
  timeDeltas: number[];
}

export interface ProfileLine {
  /** share of the busy time spent in the function itself */
  share: number;
  name: string;
  where: string;
}

export interface Profile {
  /** share of the window in which the process was busy */
  busy: number;
  lines: ProfileLine[];
}

export function summarise(profile: CpuProfile, window: { from: number; to: number }, top: number): Profile {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const selfTime = new Map<string, { name: string; where: string; micros: number }>();
  let at = profile.startTime;
  let busy = 0;
  profile.samples.forEach((id, index) => {
    const micros = profile.timeDeltas[index + 1] ?? 0;
    at += profile.timeDeltas[index] ?? 0;
    const frame = frames.get(id);
    if (!frame || at < window.from || at >= window.to || frame.functionName === '(idle)') return;
    busy += micros;
    const where = placeOf(frame.url, frame.lineNumber);
    const key = `${frame.functionName} ${where}`;
    const line = selfTime.get(key) ?? { name: frame.functionName || '(anonymous)', where, micros: 0 };
    line.micros += micros;
    selfTime.set(key, line);
  });
  const lines = [...selfTime.values()]
    .sort((a, b) => b.micros - a.micros)
    .slice(0, top)
    .map(({ name, where, micros }) => ({ share: micros / busy, name, where }));
  return { busy: busy / (window.to - window.from), lines };
}

/** Paths below the repository or a package, never of the machine. */
function placeOf(url: string, lineNumber: number): string {
  if (url === '') return '';
  const path = /(?:.*\/node_modules\/|.*\/(?=services\/))?([^]*)$/.exec(url)?.[1] ?? url;
  return `${path.replace(/^file:\/\//, '')}:${lineNumber + 1}`;
}
