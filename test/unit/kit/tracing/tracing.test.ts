// Spans: what is recorded when somebody listens, and that nothing is loaded when nobody does.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { ConfigError, createLog } from '@parley/kit/process';
import { isTracing, spanChannel, traced, tracedUntil, type Span } from '@parley/kit/tracing';
import { operationOf } from '../../../../services/shared/kit/src/tracing/sql-operation.ts';
import { sourceLoader } from '../../../helpers/program.ts';

/** Names of spans in the order of their begins and ends, while `run` runs. */
async function recorded(run: () => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  const ends = {
    start: ({ name }: Span) => void seen.push(`> ${name}`),
    asyncEnd: ({ name, error, outcome }: Span) =>
      void seen.push(`< ${name}${error === undefined ? '' : ' failed'}${outcome ? JSON.stringify(outcome) : ''}`),
    end: () => {},
    asyncStart: () => {},
    error: () => {},
  };
  spanChannel.subscribe(ends);
  try {
    await run();
  } finally {
    spanChannel.unsubscribe(ends);
  }
  return seen;
}

test('without a listener the work runs as it is and gets no span', async () => {
  assert.equal(isTracing(), false);
  assert.equal(await traced('work', {}, async (span) => span), undefined);
  let ran = false;
  tracedUntil({ name: 'until', kind: 'server', attributes: {} }, () => (ran = true))({});
  assert.equal(ran, true);
});

test('a span begins before the work and ends after it, also when it fails', async () => {
  const seen = await recorded(async () => {
    assert.equal(await traced('one', {}, async (span) => span?.name), 'one');
    await assert.rejects(
      traced('two', {}, async () => {
        throw new Error('no');
      }),
      /no/,
    );
    const end = tracedUntil({ name: 'three', kind: 'server', attributes: {} }, () => {});
    end({ status: 500 }, 'broken');
  });
  assert.deepEqual(seen, ['> one', '< one', '> two', '< two failed', '> three', '< three failed{"status":500}']);
});

test('headers that cannot be read are a wrong configuration', async () => {
  const { startTracing } = await import('../../../../services/shared/kit/src/tracing/start-tracing.ts');
  const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });
  const env = { otelExporterOtlpEndpoint: 'http://127.0.0.1:9', otelExporterOtlpHeaders: 'authorization=100%zz' };
  await assert.rejects(startTracing({ env, service: 'test', instance: 'test', log }), ConfigError);
});

test('a statement is known by its first word', () => {
  for (const [sql, operation] of [
    ['SELECT 1', 'SELECT'],
    ['  insert INTO x', 'INSERT'],
    ['COMMIT', 'COMMIT'],
    ['(SELECT 1) UNION', 'SQL'],
    ['', 'SQL'],
  ] as const)
    assert.equal(operationOf(sql), operation, sql);
});

test('without an endpoint the library is not loaded, with one it is', () => {
  const script = (endpoint: string) => `
    import { register } from 'node:module';
    import { createLog } from '@parley/kit/process';
    import { startTracing } from './services/shared/kit/src/tracing/start-tracing.ts';
    const log = createLog({ service: 'test', instance: 'test', level: 'fatal' });
    const tracing = await startTracing({ env: { otelExporterOtlpEndpoint: '${endpoint}' }, service: 'test', instance: 'test', log });
    await tracing.close();
    const { createRequire } = await import('node:module');
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    console.log(loaded.some((path) => path.includes('@opentelemetry/sdk-trace')));`;
  const loads = (endpoint: string) =>
    execFileSync(process.execPath, [...sourceLoader, '--input-type=module', '-e', script(endpoint)], { encoding: 'utf8' }).trim();
  assert.deepEqual([loads(''), loads('http://127.0.0.1:9')], ['false', 'true']);
});
