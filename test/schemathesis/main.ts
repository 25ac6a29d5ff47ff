// npm run schemathesis: calls made from the OpenAPI documents against the services. Ends with 1 when an answer breaks a promise.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../helpers/servers.ts';
import { help, optionsOf, type Options } from './options.ts';
import { prepareSchemathesis } from './python.ts';
import { startSubject, type ServiceName, type Subject } from './subject.ts';

/**
 * All checks but three. positive_data_acceptance: some rules are no part of a schema, as that a cursor is one of this list. And
 * use_after_free expects 404 of what is gone; a room that is gone is 403, as one that never was or is not the caller's.
 * ensure_resource_availability takes any 404 after a creation for the room of the path; user_not_found speaks of an id in the body.
 */
const EXCLUDED = 'positive_data_acceptance,use_after_free,ensure_resource_availability';
/** Ends the session of all other calls. It has a run of its own, the last one. */
const ALONE = 'logout';
/** Calls with ids that are made up are mostly refused, so these get a room of the caller; without what would take it away. */
const IN_ROOM = [
  '--include-path-regex',
  '^/api/rooms/[{]id',
  '--exclude-operation-id',
  'deleteRoom',
  '--exclude-operation-id',
  'leaveRoom',
];

const SHORT_SECONDS = 3;

interface Run extends Omit<Options, 'services'> {
  program: string;
  url: string;
  token: string;
  apiKey: string;
  select: string[];
  /** More lines of the configuration. */
  more?: string;
}

async function call({ program, url, token, apiKey, select, seconds, examples, seed, more = '' }: Run): Promise<boolean> {
  const folder = temporaryFolder();
  try {
    const config = join(folder, 'schemathesis.toml');
    const keys = ['api_key', 'admin_key'].map((name) => `[auth.openapi.${name}]\napi_key = "${apiKey}"`);
    writeFileSync(config, [`[auth.openapi.bearer]`, `bearer = "${token}"`, ...keys, more, ''].join('\n'), { mode: 0o600 });
    // One worker: ast.parse of Python 3.11 fails now and then when two threads are in it.
    const args = ['--config-file', config, 'run', `${url}/api/openapi.json`, '--exclude-checks', EXCLUDED];
    args.push('--max-time', String(seconds), '--max-examples', String(examples), '--generation-database', 'none', '--no-color', ...select);
    // A warning about calls that are all refused says nothing new: nobody makes up a password.
    args.push('--warnings', 'off', '--request-timeout', '20', ...(seed === undefined ? [] : ['--seed', String(seed)]));
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } finally {
    removeFolder(folder);
  }
}

async function callService(
  subject: Subject,
  service: ServiceName,
  { program, ...options }: Options & { program: string },
): Promise<boolean> {
  const { urls, apiKey } = subject;
  const run = { ...options, program, url: urls[service], apiKey };
  const good = [await call({ ...run, token: await subject.token(), select: ['--exclude-operation-id', ALONE] })];
  if (service === 'gateway' || service === 'core') {
    const token = await subject.token();
    const more = `[parameters]\n"path.id" = "${await subject.room(token)}"`;
    good.push(await call({ ...run, seconds: Math.ceil(options.seconds / 2), token, select: IN_ROOM, more }));
  }
  if (service === 'gateway' || service === 'auth')
    good.push(await call({ ...run, seconds: SHORT_SECONDS, token: await subject.token(), select: ['--include-operation-id', ALONE] }));
  return good.every(Boolean);
}

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (!options) return void process.stdout.write(`${help}\n`);
  const program = await prepareSchemathesis(process.env);
  const subject = await startSubject();
  const failed: string[] = [];
  try {
    for (const service of options.services) {
      process.stdout.write(`\n--- ${service}\n`);
      if (!(await callService(subject, service, { ...options, program }))) failed.push(service);
    }
  } finally {
    await subject.stop();
  }
  process.stdout.write(
    failed.length > 0 ? `\nschemathesis: failed for ${failed.join(', ')}\n` : '\nschemathesis: every answer is as declared\n',
  );
  if (failed.length > 0) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`schemathesis: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
