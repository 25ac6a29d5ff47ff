// Starts the crowd in the network of a node of the kind cluster: its sockets take the way of a Service, not that of one port-forward.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { program } from '../helpers/program.ts';
import type { CrowdOptions, CrowdReport } from './crowd.ts';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;

export class CrowdProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor(child: ChildProcess) {
    if (!child.stdout) throw new Error('no output');
    this.#child = child;
    this.#reader = createInterface({ input: child.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Resolves when all clients have joined. `engine` is docker or podman. */
  static async start(engine: string, node: string, options: CrowdOptions): Promise<CrowdProcess> {
    const { stdout } = await run(engine, ['container', 'inspect', '--format', '{{.State.Pid}}', node]);
    const child = spawn(
      'nsenter',
      [...[`--net=/proc/${stdout.trim()}/ns/net`, '--', process.execPath], ...program('test/disruptions/crowd-main.ts')],
      { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const crowd = new CrowdProcess(child);
    await crowd.#ask(JSON.stringify(options));
    return crowd;
  }

  async report(): Promise<CrowdReport> {
    const { report } = await this.#ask('report');
    if (!report) throw new Error('no report');
    return report;
  }

  stop(): void {
    this.#child.stdin?.end('stop\n');
    this.#reader.close();
  }

  async #ask(line: string): Promise<{ report?: CrowdReport }> {
    this.#child.stdin?.write(`${line}\n`);
    const { value, done } = (await this.#lines.next()) as IteratorResult<string, undefined>;
    if (done) throw new Error('the crowd has ended');
    const answer = JSON.parse(value) as { report?: CrowdReport; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }
}
