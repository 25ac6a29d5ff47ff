// The documentation without servers: links, anchors, languages, directives, JSON, YAML and diagrams. `npm run docs:test` runs its commands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageProblems, readPages } from './pages.ts';
import { describeProblem } from './problem.ts';

test('pages lead where they say, say what their blocks are, and hold only data that is valid', async () => {
  const found = readPages();
  assert.ok(found.pages.length > 10, 'the pages are found');
  const problems = await pageProblems(found, () => true);
  assert.ok(problems.length === 0, `${problems.length} problems:\n  ${problems.map(describeProblem).join('\n  ')}`);
});
