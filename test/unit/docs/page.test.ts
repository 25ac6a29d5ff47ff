// Pages as data: blocks with their directives and lines, links, and anchors as GitHub makes them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPage } from '../../docs/page.ts';

const page = (...lines: string[]) => readPage('docs/x.md', lines.join('\n'));
const messages = (...lines: string[]) => page(...lines).problems.map(({ line, message }) => `${line} ${message}`);

test('blocks have their language, text and line, also in a list', () => {
  const { blocks } = page('# A', '', '```sh', 'echo 1', '```', '', '- item', '', '  ```json', '  {}', '  ```', '', '~~~', 'x', '~~~');
  assert.deepEqual(
    blocks.map(({ language, text, line }) => [language, text, line]),
    [
      ['sh', 'echo 1', 3],
      ['json', '{}', 9],
      [undefined, 'x', 13],
    ],
  );
});

test('directives right above a block are taken together, also below text and in a list', () => {
  const [first, second] = page(
    'text',
    '<!-- docs:kind -->',
    '<!-- docs:expect ^ready$ -->',
    '<!-- docs:seconds 5 -->',
    '<!-- docs:with room-uuid=$ROOM user=${USER_ID} -->',
    '```sh',
    'kubectl get room-uuid',
    '```',
    '',
    '1. step',
    '',
    '   <!-- docs:skip it needs a TTY -->',
    '   ```sh',
    '   top',
    '   ```',
  ).blocks;
  assert.deepEqual(first?.directives, {
    kind: true,
    expect: /^ready$/m,
    seconds: 5,
    replacements: [
      { text: 'room-uuid', variable: 'ROOM' },
      { text: 'user', variable: 'USER_ID' },
    ],
  });
  assert.equal(second?.directives.skip, 'it needs a TTY');
});

test('a directive that is not right above a block, or says nothing, is a problem with its line', () => {
  assert.deepEqual(messages('<!-- docs:kind -->', '', '```sh', '```'), ['1 a docs: directive stands on the line right above a code block']);
  assert.deepEqual(messages('```sh', '```', '<!-- docs:kind -->'), ['3 a docs: directive stands on the line right above a code block']);
  const [only = ''] = messages('', '<!-- docs:skip -->', '```sh', '```');
  assert.match(only, /^2 docs:skip needs a reason/);
  assert.match(messages('<!-- docs:skpi why -->', '```sh', '```')[0] ?? '', /^1 unknown directive docs:skpi; there are docs:skip/);
  assert.match(messages('<!-- docs:expect ( -->', '```sh', '```')[0] ?? '', /docs:expect: .*(Unterminated|Invalid)/);
  assert.match(messages('<!-- docs:seconds soon -->', '```sh', '```')[0] ?? '', /whole number from 1 to 300/);
  assert.match(messages('<!-- docs:seconds 301 -->', '```sh', '```')[0] ?? '', /whole number from 1 to 300/);
  assert.match(messages('<!-- docs:with x=y -->', '```sh', '```')[0] ?? '', /TEXT=\$VARIABLE, but there is "x=y"/);
  assert.match(messages('<!-- docs:kind demo -->', '```sh', '```')[0] ?? '', /takes nothing after it/);
  assert.deepEqual(messages('<!-- only a note about docs:skip -->', '```sh', '```'), []);
});

test('anchors are those of GitHub: code and punctuation, twice the same, and places named in HTML', () => {
  const { anchors } = page('# `npm start` — all of it!', '## Same', '## Same', '## [Link](x.md) text', '<a id="here"></a>');
  assert.deepEqual([...anchors], ['npm-start--all-of-it', 'same', 'same-1', 'link-text', 'here']);
});

test('links are those of text, images, definitions and HTML, not those in code', () => {
  const { links } = page(
    '[a](a.md) ![b](b.png) [c][d]',
    '',
    '[d]: d.md#x',
    '',
    '<img src="e.png">',
    '',
    '`[f](f.md)`',
    '',
    '```text',
    '[g](g.md)',
    '```',
  );
  assert.deepEqual(
    links.map(({ url, line }) => [url, line]),
    [
      ['a.md', 1],
      ['b.png', 1],
      ['d.md#x', 3],
      ['e.png', 5],
    ],
  );
});
