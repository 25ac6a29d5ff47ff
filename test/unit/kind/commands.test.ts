// Every npm command says what it does, and what it needs to run at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';

const root = resolve(import.meta.dirname, '../../..');
interface Command {
  npm: string;
  about: string;
  programs: [string, string[]][];
  help?: string;
}
const { commandsOf, helpText, nodeProblem, nodeWarning, overview } = (await import(join(root, 'kind/tools/commands.mjs'))) as {
  commandsOf: (root: string, rest: string[]) => Record<string, Command>;
  helpText: (command: Command) => string;
  nodeProblem: (version: string) => string | undefined;
  nodeWarning: (version: string, engines: string) => string | undefined;
  overview: (commands: Record<string, Command>) => string;
};
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const commands = commandsOf(root, ['--help']);

describe('npm commands', () => {
  test('each that bootstrap.mjs runs is in the overview, by the name that people type', () => {
    const names = Object.entries(scripts).filter(([, line]) => line.includes('kind/tools/bootstrap.mjs'));
    assert.ok(names.length > 15);
    // npm sends its signals to the shell, which would end alone.
    assert.deepEqual(
      names.filter(([, line]) => !line.startsWith('exec node ')),
      [],
    );
    for (const [script, line] of names) {
      const command = commands[/kind\/tools\/bootstrap\.mjs (\S+)/.exec(line)?.[1] ?? ''];
      assert.ok(command, `${script} runs a command that there is not`);
      assert.ok([`npm run ${script}`, `npm ${script}`].includes(command.npm), `${script} is called ${command.npm}`);
      assert.ok(overview(commands).includes(command.npm));
    }
  });

  test('--help starts nothing but the program that answers it', () => {
    for (const [name, { programs, help }] of Object.entries(commands)) {
      if (help !== undefined) continue;
      assert.equal(programs.length, 1, `${name} --help runs more than one program`);
      assert.ok(programs[0]?.[1].includes('--help'), `${name} does not pass --help on`);
    }
  });

  for (const name of ['check', 'e2e', 'drills', 'conformance'])
    test(`${name} --help answers at once, before anything is installed or built`, () => {
      const { stdout, status } = spawnSync(process.execPath, [join(root, 'kind/tools/bootstrap.mjs'), name, '--help'], {
        encoding: 'utf8',
      });
      assert.equal(status, 0);
      assert.equal(stdout, `${helpText(commands[name] as Command)}\n`);
    });

  test('a Node that is too old is told with the remedy, one past its end of life with a warning; those that are supported pass', () => {
    for (const version of ['18.20.4', '20.18.9']) assert.match(nodeProblem(version) ?? '', /needs Node 22 or 24[\s\S]*nodejs\.org/);
    for (const version of ['20.19.0', '22.1.0', '24.0.0']) assert.equal(nodeProblem(version), undefined);
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
    assert.match(nodeWarning('20.20.2', engines.node) ?? '', /past its end of life[\s\S]*Node 22 and 24/);
    for (const version of ['22.1.0', '24.0.0']) assert.equal(nodeWarning(version, engines.node), undefined);
  });
});
