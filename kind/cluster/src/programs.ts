// Runs other programs. Each is the head of a process group of its own: Ctrl-C reaches only this process, which then ends the group.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: Record<string, string>;
  /** text for the standard input, or a file to read it from */
  input?: { text: string } | { file: string };
  /** called for each line on stderr as it comes */
  onLine?: (line: string) => void;
  timeoutMs?: number;
  /** runs to its end even after Ctrl-C, for cleaning up */
  always?: boolean;
}

export class Programs {
  readonly #signal: AbortSignal;
  readonly #env: Record<string, string | undefined>;

  constructor(signal: AbortSignal, env: Record<string, string | undefined>) {
    this.#signal = signal;
    this.#env = env;
  }

  /** The same, with more environment for every program. */
  with(env: Record<string, string>): Programs {
    return new Programs(this.#signal, { ...this.#env, ...env });
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Runs to the end and returns the exit code; a program that does not exist has code 127. */
  run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
    const { input, onLine, timeoutMs, always = false } = options;
    if (!always) this.#signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const file = input && 'file' in input ? openSync(input.file, 'r') : undefined;
      const child = spawn(command, args, {
        detached: true,
        env: { ...this.#env, ...options.env },
        stdio: [file ?? (input ? 'pipe' : 'ignore'), 'pipe', 'pipe'],
      });
      if (file !== undefined) closeSync(file);
      const end = () => endGroup(child.pid);
      const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
      if (!always) this.#signal.addEventListener('abort', end, { once: true });
      const out: string[] = [];
      const err: string[] = [];
      let rest = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => out.push(text));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        err.push(text);
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        if (onLine) lines.filter((line) => line.trim() !== '').forEach(onLine);
      });
      // A program that ends without reading its input is judged by its exit code.
      child.stdin?.on('error', () => {});
      if (input && 'text' in input) child.stdin?.end(input.text);
      const settle = (code: number) => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', end);
        if (this.#signal.aborted && !always) reject(this.#signal.reason as Error);
        else resolve({ code, stdout: out.join(''), stderr: err.join('') });
      };
      child.once('error', () => settle(127));
      child.once('close', (code) => settle(code ?? 128));
    });
  }

  /** Runs and returns what it printed; a failure is an error with the last lines that the program wrote. */
  async must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, args, options);
    if (code !== 0) throw new Error(failureText(command, args, code, `${stderr.trim()}` || stdout));
    return stdout;
  }
}

const LINES_SHOWN = 12;

export function failureText(command: string, args: readonly string[], code: number, output: string): string {
  const shown = [command.split('/').at(-1), ...args].join(' ');
  const lines = output.trim().split('\n').slice(-LINES_SHOWN);
  const why = code === 127 && output.trim() === '' ? ['it is not installed, or not on the PATH'] : lines;
  return [`"${shown.length > 160 ? `${shown.slice(0, 160)}...` : shown}" failed (${code}):`, ...why.map((line) => `  ${line}`)].join('\n');
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
  }
}
