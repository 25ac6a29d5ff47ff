// kubectl parley as a program, for the tests that run it.
import { execFile } from 'node:child_process';
import { program, root } from './program.ts';

const MAIN = program('operator/plugin/src/main.ts');

export interface Printed {
  code: number;
  out: string;
  err: string;
}

/** `done` has the exit code and what it printed; `printed` what it has printed so far. */
export function startParley(
  kubeconfig: string,
  args: readonly string[],
): { done: Promise<Printed>; printed: () => string; interrupt: () => void } {
  let soFar = '';
  let child: ReturnType<typeof execFile> | undefined;
  const done = new Promise<Printed>((resolved) => {
    child = execFile(process.execPath, [...MAIN, '--kubeconfig', kubeconfig, ...args], { cwd: root }, (error, out, err) =>
      resolved({ code: error ? Number(error.code) : 0, out, err }),
    );
    child.stdout?.on('data', (text: string) => (soFar += text));
  });
  return { done, printed: () => soFar, interrupt: () => void child?.kill('SIGINT') };
}
