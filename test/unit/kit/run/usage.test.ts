// --help of a service: every variable with its meaning; another argument is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from '@sinclair/typebox';
import { port, secret, text } from '@parley/kit/settings';
import { answerTo, EXIT_USAGE, usageText } from '@parley/kit/run';

const schema = Type.Object({
  serverPort: port(8084, 'public port'),
  databaseUrl: secret('the database'),
  jwtIssuer: text('parley', 'who signs'),
  helper: Type.Optional(Type.String({ optional: true, description: 'a helper' })),
});

test('what is required stands apart from what has a default or may be left out', () => {
  const [, required = '', optional = ''] = usageText('chat', schema).split(/Required:|Optional:/);
  assert.match(required, /DATABASE_URL +the database \(or _FILE\)/);
  assert.doesNotMatch(required, /SERVER_PORT|HELPER/);
  assert.match(optional, /SERVER_PORT +public port; 0 to 65535; default 8084/);
  assert.match(optional, /JWT_ISSUER +who signs; default parley/);
  assert.match(optional, /HELPER +a helper\n/);
});

test('a service starts without arguments only', () => {
  assert.equal(answerTo([], 'chat', schema), undefined);
  assert.equal(answerTo(['--help'], 'chat', schema)?.exitCode, 0);
  const refused = answerTo(['--port=1'], 'chat', schema);
  assert.equal(refused?.exitCode, EXIT_USAGE);
  assert.match(refused?.text ?? '', /no option --port=1.*--help/);
});
