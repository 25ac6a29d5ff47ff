// What is found wrong in a page without running it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockProblems } from '../../docs/block-checks.ts';
import { linkProblems } from '../../docs/links.ts';
import { readPage } from '../../docs/page.ts';

const problemsOf = async (language: string, text: string, directive = '') => {
  const found = await blockProblems(
    readPage('docs/x.md', `${directive === '' ? '' : `<!-- docs:${directive} -->\n`}\`\`\`${language}\n${text}\n\`\`\`\n`),
  );
  return found.map(({ path, line, message }) => `${path}:${line} ${message}`);
};

const accepts = async (...args: Parameters<typeof problemsOf>) => assert.deepEqual(await problemsOf(...args), []);
const refuses = async (pattern: RegExp, ...args: Parameters<typeof problemsOf>) => {
  const found = await problemsOf(...args);
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0] ?? '', pattern);
};

test('a block says what it is, by the name that makes it run or be checked', async () => {
  await refuses(/^docs\/x.md:1 a code block without a language: say what it is/, '', 'ls');
  await refuses(/write sh instead of bash/, 'bash', 'ls');
  await refuses(/write yaml instead of yml/, 'yml', 'a: 1');
  await refuses(/write sh instead of SH/, 'SH', 'ls');
  for (const language of ['sh', 'js', 'text', 'sql', 'ts']) await accepts(language, 'x');
});

test('directives fit the block', async () => {
  await refuses(/docs:kind is for blocks that are run/, 'text', 'x', 'kind');
  await refuses(/there is no "room" in the block/, 'sh', 'echo', 'with room=$ROOM');
  const both = readPage('docs/x.md', '<!-- docs:skip why -->\n<!-- docs:seconds 3 -->\n```sh\nx\n```\n');
  assert.match((await blockProblems(both))[0]?.message ?? '', /docs:skip and docs:seconds do not go together/);
});

test('JSON parses, except where a reason says why it does not', async () => {
  await accepts('json', '{"a": [1]}');
  await refuses(/^docs\/x.md:1 not JSON: /, 'json', '{"a": …}');
  await accepts('json', '{"a": …}', 'skip shortened');
});

test('YAML parses, and resources of Parley are valid under their schema, also in a second document', async () => {
  const cluster = (spec: string) => `apiVersion: chat.parley.dev/v1alpha1\nkind: ChatCluster\nmetadata: {name: demo}\nspec: ${spec}`;
  await accepts('yaml', 'a: 1\n---\nb: 2');
  await refuses(/not YAML: /, 'yaml', 'a: [1');
  await accepts('yaml', cluster('{version: 0.1.0, chat: {replicas: 3}}'));
  await refuses(/ChatCluster: spec.chat has no field "replica"/, 'yaml', cluster('{version: 0.1.0, chat: {replica: 3}}'));
  await refuses(
    /ChatCluster: spec.chat.replicas must be integer/,
    'yaml',
    `a: 1\n---\n${cluster('{version: 0.1.0, chat: {replicas: many}}')}`,
  );
  await refuses(/apiVersion must be chat.parley.dev\/v1alpha1/, 'yaml', cluster('{}').replace('v1alpha1', 'v1'));
  const drill = (spec: string) => cluster(spec).replace('ChatCluster', 'ChatDrill');
  await accepts('yaml', drill('{cluster: demo, fault: KillChatPod}'));
  await refuses(/ChatDrill: spec has no field "nothing"/, 'yaml', drill('{nothing: 1, cluster: demo, fault: KillChatPod}'));
});

test('a diagram is one that Mermaid reads', async () => {
  await accepts('mermaid', 'flowchart LR\n  a["chat ×N<br/>8084"] -->|text| b[(MySQL)]');
  await accepts('mermaid', 'sequenceDiagram\n  Client->>Chat: message');
  await refuses(/Mermaid cannot draw it: Parse error on line /, 'mermaid', 'flowchart LR\n  a[[ --> b');
  await refuses(/Mermaid cannot draw it: No diagram type/, 'mermaid', 'flowhcart LR\n  a --> b');
});

test('links lead to files, folders, headings and lines of this repository', () => {
  const text = ['# Top', '[a](#top) [b](../README.md#run-it) [c](../src) [d](../src/a.ts#L2) [e](https://example.com/x#y) [f](/README.md)'];
  const bad = [
    '[a](#tpo)',
    '[b](../README.md#run)',
    '[c](../lib)',
    '[d](../src/a.ts#L9)',
    '[e](../../x)',
    '[f](../src/a.ts#part)',
    '[g](%zz)',
  ];
  const read = (lines: string[]) => readPage('docs/x.md', lines.join('\n'));
  const targets = (page: ReturnType<typeof readPage>) => ({
    files: new Set(['README.md', 'docs/x.md', 'src/a.ts']),
    pages: new Map([page, readPage('README.md', '## Run it')].map((each) => [each.path, each])),
    read: () => 'one\ntwo\n',
  });
  const good = read(text);
  assert.deepEqual(linkProblems(good, targets(good)), []);
  const wrong = read(['# Top', ...bad.flatMap((link) => [link, ''])]);
  assert.deepEqual(
    linkProblems(wrong, targets(wrong)).map(({ line, message }) => `${line} ${message}`),
    [
      '2 there is no heading #tpo in docs/x.md',
      '4 there is no heading #run in README.md; is it #run-it?',
      '6 the link "../lib" leads nowhere: there is no lib',
      '8 src/a.ts has 2 lines, and the link names line 9',
      '10 the link "../../x" leads out of the repository',
      '12 #part is no place in src/a.ts: a file that is no page has #L<line> only',
      '14 the link "%zz" cannot be decoded',
    ],
  );
});
