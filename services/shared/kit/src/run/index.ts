// How a service is run: its command line, what it opens and closes, signals and the drain.
export { EXIT_CONFIG, Resources, type Running, runService } from './lifecycle.ts';
export { answerTo, EXIT_USAGE, usageText } from './usage.ts';
