// The command line: what to do with the backups of one database.
export const USAGE = `usage: main.js copy            copies backups that the bucket does not have, then removes the oldest from the bucket
       main.js list            shows the backups of the bucket
       main.js fetch [NAME]    brings one back to the volume; the newest unless a name is given
       main.js --help          this text, and the variables

`;

export type Command = { action: 'copy' } | { action: 'list' } | { action: 'fetch'; name: string };

/** undefined: help was asked for. Throws an error with a text for people. Pure. */
export function parseCommand(args: readonly string[]): Command | undefined {
  if (args.some((each) => ['--help', '-h', 'help'].includes(each))) return undefined;
  const [action, name, ...more] = args;
  if (action !== 'copy' && action !== 'list' && action !== 'fetch') throw new Error('say copy, list or fetch');
  if (more.length > 0 || (name !== undefined && action !== 'fetch')) throw new Error(`${action} takes no ${more.at(-1) ?? name}`);
  return action === 'fetch' ? { action, name: name ?? 'latest' } : { action };
}
