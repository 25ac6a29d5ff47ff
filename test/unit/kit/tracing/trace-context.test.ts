// Which `traceparent` is gone on with, and what the next service gets.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { traceCallerOf, traceContextOf, traceHeaders } from '@parley/kit/tracing';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

const contextOf = (traceparent: string | undefined, tracestate?: string) => traceContextOf(traceCallerOf(traceparent, tracestate));

describe('trace context', () => {
  test('goes on with the caller’s trace under a part of its own', () => {
    const context = contextOf(`00-${TRACE}-${PARENT}-01`, 'congo=t61rcWkgMzE');
    assert.equal(context.traceId, TRACE);
    assert.match(context.spanId, /^[0-9a-f]{16}$/);
    assert.notEqual(context.spanId, PARENT);
    assert.deepEqual(traceHeaders(context), { traceparent: `00-${TRACE}-${context.spanId}-01`, tracestate: 'congo=t61rcWkgMzE' });
  });

  test('takes what it knows of a later version', () => {
    assert.equal(contextOf(`cc-${TRACE}-${PARENT}-01-what-comes-later`).traceId, TRACE);
  });

  for (const [why, header] of [
    ['nothing', undefined],
    ['an empty text', ''],
    ['the forbidden version', `ff-${TRACE}-${PARENT}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['more than version 00 has', `00-${TRACE}-${PARENT}-01-more`],
    ['too little', `00-${TRACE}-${PARENT}`],
    ['two of them', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
  ] as const)
    test(`begins a trace that nobody has recorded: ${why}`, () => {
      const context = contextOf(header, 'congo=t61rcWkgMzE');
      assert.match(context.traceId, /^[0-9a-f]{32}$/);
      assert.notEqual(context.traceId, TRACE);
      assert.match(traceHeaders(context)['traceparent'] ?? '', /-00$/);
      assert.equal(traceHeaders(context)['tracestate'], undefined);
    });

  test('drops a state that is too long and keeps the trace', () => {
    const context = contextOf(`00-${TRACE}-${PARENT}-00`, 'a='.padEnd(513, 'b'));
    assert.deepEqual([context.traceId, context.state], [TRACE, undefined]);
  });
});
