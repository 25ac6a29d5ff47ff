// What a service answers to --help: its environment variables, from the schema that reads them.
import type { TObject, TSchema } from '@sinclair/typebox';
import { variableOf } from '../process/config.ts';

/** Exit code of a wrong command line (EX_USAGE of sysexits.h). */
export const EXIT_USAGE = 64;

/** undefined: start. Pure. */
export function answerTo(args: readonly string[], service: string, schema: TObject): { text: string; exitCode: number } | undefined {
  if (args.length === 0) return undefined;
  if (args.some((each) => ['--help', '-h', 'help'].includes(each))) return { text: usageText(service, schema), exitCode: 0 };
  const text = `${service}: there is no option ${args[0]}: all settings are environment variables, "--help" lists them`;
  return { text, exitCode: EXIT_USAGE };
}

/** The text of `--help`: every variable of a schema with its default and meaning. */
export function usageText(service: string, schema: TObject): string {
  const variables = Object.entries(schema.properties).map(([property, field]) => ({ variable: variableOf(property), field }));
  const isRequired = ({ field }: { field: TSchema }) => field['default'] === undefined && !field['optional'];
  const lines = (chosen: typeof variables) => chosen.map(({ variable, field }) => `  ${variable.padEnd(WIDTH)} ${meaning(field)}`);
  return [
    `The service ${service} of Parley. It takes no options: all settings are environment variables, checked as a whole at the start.`,
    '',
    'Required:',
    ...lines(variables.filter(isRequired)),
    '',
    'Optional:',
    ...lines(variables.filter((each) => !isRequired(each))),
    '',
    'A variable marked (or _FILE) may instead be given as <NAME>_FILE, the path of a file that holds the value.',
  ].join('\n');
}

const WIDTH = 30;

function meaning(field: TSchema): string {
  const value = field['default'] as unknown;
  const parts = [
    field.description ?? '',
    rangeOf(field),
    field['type'] === 'boolean' ? 'true or false' : '',
    value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
      ? ''
      : `default ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  ].filter((part) => part !== '');
  return `${parts.join('; ')}${field['secret'] ? ' (or _FILE)' : ''}`;
}

function rangeOf(field: TSchema): string {
  const { minimum, exclusiveMinimum, maximum } = field as { minimum?: number; exclusiveMinimum?: number; maximum?: number };
  const least = minimum === undefined ? (exclusiveMinimum === undefined ? undefined : `more than ${exclusiveMinimum}`) : String(minimum);
  return least === undefined || maximum === undefined ? '' : `${least} to ${maximum}`;
}
