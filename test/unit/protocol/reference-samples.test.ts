// Golden samples: one of each frame, valid; and what is not valid is refused with the path of the wrong field.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clientFrames, parseClientFrame, serverFrames } from '@parley/protocol';
import { Value } from '@sinclair/typebox/value';
import { clientSamples } from '../../../docs/generate/samples/client.ts';
import { serverSamples } from '../../../docs/generate/samples/server.ts';
import type { Schema } from '../../../docs/generate/schema-text.ts';

type Frame = Record<string, unknown>;
const sampleOf = (type: string) => (clientSamples as Record<string, { frame: Frame }>)[type]?.frame ?? assert.fail(type);
const schemas = Object.entries<Schema>(clientFrames);
const parse = (frame: Frame) => parseClientFrame(JSON.stringify(frame));
const pathOf = (frame: Frame) => {
  const parsed = parse(frame);
  return parsed.ok ? 'accepted' : parsed.path;
};

describe('golden samples', () => {
  test('there is one of each frame and no other', () => {
    assert.deepEqual(Object.keys(clientSamples).sort(), Object.keys(clientFrames).sort());
    assert.deepEqual(Object.keys(serverSamples).sort(), Object.keys(serverFrames).sort());
  });

  test('what a server sends follows its schema, also with fields of a later version', () => {
    for (const [type, { frame }] of Object.entries(serverSamples)) {
      const schema = serverFrames[type as keyof typeof serverFrames];
      for (const each of [frame, { ...frame, field_of_a_later_version: [{}] }]) assert.deepEqual([...Value.Errors(schema, each)], [], type);
    }
  });

  test('what a client sends is accepted as it is, also with fields of a later version', () => {
    for (const [type] of schemas)
      for (const frame of [sampleOf(type), { ...sampleOf(type), field_of_a_later_version: { a: 1 } }])
        assert.deepEqual(parse(frame), { ok: true, frame });
  });

  test('a sample shows every field of its frame that a client may send', () => {
    for (const [type, schema] of schemas) assert.deepEqual(Object.keys(sampleOf(type)).sort(), Object.keys(schema.properties ?? {}).sort());
  });
});

describe('a wrong field of a client frame is refused with its path', () => {
  for (const [type, schema] of schemas) {
    const fields = Object.entries(schema.properties ?? {}).filter(([field]) => field !== 'type');
    test(type, () => {
      assert.equal(pathOf({ ...sampleOf(type), type: 'no_such_frame' }), '/type');
      for (const [field, fieldSchema] of fields) {
        for (const value of wrongValues(fieldSchema))
          assert.equal(
            pathOf({ ...sampleOf(type), [field]: value }),
            `/${field}`,
            `${field}: ${String(JSON.stringify(value)).slice(0, 60)}`,
          );
        const { [field]: _, ...without } = sampleOf(type);
        assert.equal(pathOf(without), schema.required?.includes(field) ? `/${field}` : 'accepted', `without ${field}`);
      }
    });
  }
});

/** Values of each other type, and those just outside of the bounds. */
function wrongValues(schema: Schema): unknown[] {
  const ofOtherTypes = [null, true, 7, 'a word', [], {}].filter((value) => !Value.Check(schema as never, value));
  assert.ok(ofOtherTypes.length >= 4);
  const { minLength, maxLength, minimum, maximum, type } = schema;
  return [
    ...ofOtherTypes,
    ...(minLength === undefined ? [] : ['x'.repeat(minLength - 1)]),
    ...(maxLength === undefined ? [] : ['x'.repeat(maxLength + 1)]),
    ...(minimum === undefined ? [] : [minimum - 1]),
    ...(maximum === undefined ? [] : [maximum + 1]),
    ...(type === 'integer' ? [1.5] : []),
  ];
}
