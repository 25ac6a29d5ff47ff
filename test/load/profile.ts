// One more run of a workload with the profiler on. Its figures are not reported: the profiler itself costs time.
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { connectAll, HANDSHAKES_AT_ONCE, runLoad, startGenerator, warmUp } from './cell.ts';
import type { Generator } from './generator.ts';
import { summarise, type CpuProfile, type Profile } from './cpu-profile.ts';
import { untilAtRest } from './quiet.ts';
import type { Workload } from './workloads.ts';

const TOP = 15;
const SECONDS = 8;
const SAMPLE_MICROS = 250;
const monotonicMicros = () => Number(process.hrtime.bigint() / 1000n);

/** Runs the load and returns when it was, by the clock that the profile uses. Of connections, the connects are the load. */
async function loadWindow(generator: Generator, workload: Workload, pids: readonly number[]): Promise<{ from: number; to: number }> {
  const { load } = workload;
  if (load.kind !== 'connections') {
    await connectAll(generator, workload);
    await untilAtRest(pids);
    await warmUp(generator, load, { warm: 1, window: SECONDS, step: 1 });
  }
  const from = monotonicMicros();
  if (load.kind === 'connections') await generator.connect(HANDSHAKES_AT_ONCE, load.counts[0] ?? 0);
  else await runLoad(generator, load, { warm: 0, window: SECONDS, step: 1 });
  return { from, to: monotonicMicros() };
}

export async function profileOf(bed: Bed, workload: Workload): Promise<Profile> {
  const folder = mkdtempSync(join(bed.servers.dir, 'profile-'));
  const server = await bed.start('parley', {
    nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLE_MICROS}`],
  });
  try {
    const generator = await startGenerator(bed, workload, { subject: 'parley', server });
    try {
      const window = await loadWindow(generator, workload, Object.values(server.pids));
      await generator.stop();
      await server.terminate();
      const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
      if (!file) throw new Error('the chat process has written no profile');
      return summarise(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, window, TOP);
    } finally {
      await generator.stop();
    }
  } finally {
    await server.kill();
  }
}
