// Progress lines with the seconds since the start; colour only on a terminal.

const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';

/** `   7 s  text`; further lines of the text are indented below its first. */
export function progressLine(elapsedMs: number, text: string, colour: boolean): string {
  const time = `${String(Math.floor(elapsedMs / 1000)).padStart(5)} s`;
  const [first = '', ...rest] = text.split('\n');
  const indent = ' '.repeat(time.length + 2);
  return [`${colour ? `${DIM}${time}${PLAIN}` : time}  ${first}`, ...rest.map((line) => `${indent}${line}`)].join('\n');
}

export class Progress {
  readonly #started = performance.now();
  readonly #out: NodeJS.WriteStream;
  readonly #quiet: boolean;

  constructor(out: NodeJS.WriteStream, quiet: boolean) {
    this.#out = out;
    this.#quiet = quiet;
  }

  /** A step of the way. */
  say(text: string): void {
    const colour = this.#out.isTTY && process.env['NO_COLOR'] === undefined;
    this.#out.write(`${progressLine(performance.now() - this.#started, text, colour)}\n`);
  }

  /** What a step waits for or is doing just now; not shown when quiet. */
  detail(text: string): void {
    if (!this.#quiet) this.say(text);
  }
}
