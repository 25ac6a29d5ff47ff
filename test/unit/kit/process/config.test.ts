// Configuration: every problem at once, secrets from files, no value of a secret in a message.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Type } from '@sinclair/typebox';
import { ConfigError, loadConfig } from '@parley/kit/process';
import { list, port, secretUrl, text } from '@parley/kit/settings';

const schema = Type.Object({
  serverPort: port(8084),
  databaseUrl: secretUrl('chat database', 'mysql'),
  allowedOrigins: list('origins'),
  jwksUrl: Type.String({ pattern: '^https?://.+' }),
  jwtIssuer: text('parley', 'issuer'),
});
const noFile = () => {
  throw new Error('ENOENT');
};
const problemsOf = (env: Record<string, string>) => {
  try {
    loadConfig(schema, env, noFile);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
};

describe('configuration', () => {
  test('defaults, numbers and lists', () => {
    const config = loadConfig(
      schema,
      { DATABASE_URL: 'mysql://x', JWKS_URL: 'http://auth', SERVER_PORT: '99', ALLOWED_ORIGINS: 'https://a, null' },
      noFile,
    );
    assert.deepEqual(config, {
      serverPort: 99,
      databaseUrl: 'mysql://x',
      allowedOrigins: ['https://a', 'null'],
      jwksUrl: 'http://auth',
      jwtIssuer: 'parley',
    });
  });

  test('all problems at once, each with the variable and what is expected', () => {
    const problems = problemsOf({ SERVER_PORT: 'eighty', JWKS_URL: 'ftp://x' });
    assert.equal(problems.length, 3);
    assert.match(
      problems.join('\n'),
      /SERVER_PORT is wrong[^]*DATABASE_URL is missing: chat database \(or DATABASE_URL_FILE[^]*JWKS_URL is wrong/,
    );
  });

  test('a wrong secret is not shown', () => {
    assert.ok(!problemsOf({ DATABASE_URL: 'postgres://user:hunter2@x', JWKS_URL: 'http://a' }).join().includes('hunter2'));
  });

  test('a secret may come from a file; a file that cannot be read is named', () => {
    const config = loadConfig(schema, { DATABASE_URL_FILE: '/run/secrets/url', JWKS_URL: 'http://a' }, () => 'mysql://from-file\n');
    assert.equal(config.databaseUrl, 'mysql://from-file');
    assert.deepEqual(problemsOf({ DATABASE_URL_FILE: '/nowhere', JWKS_URL: 'http://a' }), [
      'DATABASE_URL_FILE: cannot read /nowhere: ENOENT',
    ]);
  });
});
