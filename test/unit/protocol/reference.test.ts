// docs/reference is what the sources say: no edit by hand, no forgotten `npm run reference`, nothing left out.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { clientFrames, closeCodes, errorCodes, serverFrames } from '@parley/protocol';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import ts from 'typescript';
import { parse } from 'yaml';
import { REFERENCE_FOLDER, referenceFiles } from '../../../docs/generate/files.ts';
import { root } from '../../../docs/generate/sources.ts';
import { sourceFiles, visit } from '../../helpers/source-tree.ts';

let files: Map<string, string>;
const fileOf = (name: string) => files.get(name) ?? assert.fail(`${name} is not generated`);
const committed = (name: string) => {
  const path = join(root, REFERENCE_FOLDER, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
};

describe('the reference', () => {
  before(async () => {
    files = await referenceFiles();
  });

  test('is up to date', () => {
    for (const [name, text] of files)
      assert.ok(committed(name) === text, `${REFERENCE_FOLDER}/${name} differs from the sources: run \`npm run reference\``);
  });

  test('names every frame, error code and close code', () => {
    const page = fileOf('protocol.md');
    const [sent = '', received = ''] = page.split('## What a server sends');
    for (const type of Object.keys(clientFrames)) assert.ok(sent.includes(`### \`${type}\`\n`), type);
    for (const type of Object.keys(serverFrames)) assert.ok(received.includes(`### \`${type}\`\n`), type);
    for (const code of Object.keys(errorCodes)) assert.ok(received.includes(`| \`${code}\` |`), code);
    for (const { code } of Object.values(closeCodes)) assert.ok(received.includes(`| ${code} |`), String(code));
  });

  test('names every metric that a source file defines', () => {
    const page = fileOf('metrics.md');
    const unnamed = metricNames().filter(({ name }) => !page.includes(`| \`${name}\` |`));
    assert.deepEqual(unnamed, []);
  });

  test('names every service that can be started, with its configuration', () => {
    for (const service of ['auth', 'chat', 'core', 'gateway', 'worker'])
      for (const name of ['configuration.md', 'metrics.md']) assert.match(fileOf(name), new RegExp(`^## ${service}$`, 'm'));
    assert.match(fileOf('configuration.md'), /\| `DATABASE_URL` \| string, \*secret\* \| \*\*required\*\* \|/);
  });

  test('links to files that exist', () => {
    for (const [name, text] of files)
      for (const [, target = ''] of text.matchAll(/\]\(([\w.-]+)\)/g))
        assert.ok(files.has(target) || committed(target) !== '', `${name} links to ${target}`);
  });

  test('is a valid AsyncAPI 3.0 document', () => {
    const { document, validate } = asyncApiCheck();
    assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3), null, 1));
  });

  test('a broken AsyncAPI document is not valid', () => {
    const { document, validate } = asyncApiCheck();
    assert.ok(!validate({ ...document, operations: { wrong: { action: 'shout' } } }));
  });

  test('every reference inside the AsyncAPI document leads somewhere, and every example follows its schema', () => {
    const { document } = asyncApiCheck();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    assert.ok(references.length > 0);
    for (const path of references) assert.ok(at(document, path) !== undefined, path);
    const ajv = new Ajv({ strict: false });
    const { messages } = document['components'] as { messages: Record<string, Message> };
    for (const [name, { payload, examples }] of Object.entries(messages)) {
      const check = ajv.compile(at(document, payload.$ref.slice(2)) as object);
      for (const example of examples) assert.ok(check(example.payload), `${name}: ${JSON.stringify(check.errors)}`);
    }
  });
});

interface Message {
  payload: { $ref: string };
  examples: { payload: unknown }[];
}

function asyncApiCheck() {
  const document = parse(fileOf('asyncapi.yaml')) as Record<string, unknown>;
  // The package's own index would load the schemas of all versions.
  const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json') as object;
  const ajv = new Ajv({ strict: false, meta: false, validateSchema: false });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  return { document, validate: ajv.compile(schema) };
}

const at = (document: unknown, path: string) =>
  path.split('/').reduce((node, key) => (node as Record<string, unknown> | undefined)?.[key], document);

/** The names in `new Counter({ name: '…' })` and the like, and in calls of a function `gauge('…', …)`. */
function metricNames(): { path: string; name: string }[] {
  const found: { path: string; name: string }[] = [];
  for (const { path, syntax } of sourceFiles((file) => /^(services|operator)\/.*\/src\//.test(file) || /^operator\/src\//.test(file)))
    visit(syntax, (node) => {
      if (ts.isNewExpression(node) && /^(Counter|Gauge|Histogram|Summary)$/.test(node.expression.getText())) {
        const [options] = node.arguments ?? [];
        if (!options || !ts.isObjectLiteralExpression(options)) return;
        for (const property of options.properties)
          if (ts.isPropertyAssignment(property) && property.name.getText() === 'name' && ts.isStringLiteral(property.initializer))
            found.push({ path, name: property.initializer.text });
      } else if (ts.isCallExpression(node) && node.expression.getText() === 'gauge') {
        const [name] = node.arguments;
        if (name && ts.isStringLiteral(name)) found.push({ path, name: name.text });
      }
    });
  assert.ok(found.length > 20);
  return found;
}
