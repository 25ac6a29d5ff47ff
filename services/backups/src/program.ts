// The program around a command: its words, its variables, its exit code.
import { ConfigError, loadConfig, messageOf, type Env, type Log } from '@parley/kit/process';
import { EXIT_CONFIG, EXIT_USAGE, usageText } from '@parley/kit/run';
import { parseCommand, USAGE, type Command } from './command.ts';
import { backupsConfig, type BackupsConfig } from './config.ts';
import { runCommand } from './run.ts';

export interface Program {
  args: readonly string[];
  env: Env;
  instance: string;
  /** ends what is on its way; its reason is told */
  signal: AbortSignal;
  readFile: (path: string) => string;
  logAt: (level: string) => Log;
  say: (text: string) => void;
  complain: (text: string) => void;
}

/** Resolves with the exit code. */
export async function runProgram({ args, env, instance, signal, readFile, logAt, say, complain }: Program): Promise<number> {
  let command: Command | undefined;
  let config: BackupsConfig;
  try {
    command = parseCommand(args);
  } catch (error) {
    complain(`${messageOf(error)}\n\n${USAGE}`);
    return EXIT_USAGE;
  }
  if (!command) {
    // Its first line speaks of services, which take no words.
    say(`${USAGE}${usageText('backups', backupsConfig).split('\n').slice(2).join('\n')}\n`);
    return 0;
  }
  try {
    config = loadConfig(backupsConfig, env, readFile);
  } catch (error) {
    complain(`${messageOf(error)}\n`);
    return EXIT_CONFIG;
  }
  const log = logAt(config.logLevel);
  try {
    await runCommand(command, { config, log, instance, signal, say: (line) => say(`${line}\n`) });
    return 0;
  } catch (error) {
    log.fatal(messageOf(signal.aborted ? signal.reason : error));
    return error instanceof ConfigError ? EXIT_CONFIG : 1;
  }
}
