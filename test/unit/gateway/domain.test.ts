// Pure decisions of the gateway.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mayRetry, upstreamError } from '../../../services/gateway/src/domain/failure.ts';
import { answerHeaders, hasBody, requestHeaders } from '../../../services/gateway/src/domain/headers.ts';

const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const context = { requestId: 'r-1', clientIp: '203.0.113.9', trace: { traceparent } };
const failure = (code: string) => Object.assign(new Error(code), { code });

describe('headers of a request', () => {
  test('end-to-end headers pass; those of the connection, also the ones it names, do not', () => {
    const given = {
      accept: 'application/json',
      authorization: 'Bearer t',
      connection: 'keep-alive, X-Private',
      'x-private': '1',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      'transfer-encoding': 'chunked',
      upgrade: 'h2c',
      expect: '100-continue',
      host: 'chat.example.org',
    };
    assert.deepEqual(requestHeaders(given, context), {
      accept: 'application/json',
      authorization: 'Bearer t',
      'x-request-id': 'r-1',
      'x-forwarded-for': '203.0.113.9',
      traceparent,
    });
  });
  test('what a client claims about itself is replaced', () => {
    const claims = {
      'x-forwarded-for': '10.0.0.1',
      forwarded: 'for=10.0.0.1',
      'x-real-ip': '10.0.0.1',
      'x-request-id': 'mine',
      tracestate: 'a=1',
    };
    assert.deepEqual(requestHeaders(claims, context), { 'x-request-id': 'r-1', 'x-forwarded-for': '203.0.113.9', traceparent });
  });
});

test('an answer keeps several cookies and loses what the gateway says itself', () => {
  const given = {
    'set-cookie': ['a=1', 'b=2'],
    connection: 'close',
    'x-request-id': 'other',
    'access-control-allow-origin': '*',
    etag: '"1"',
  };
  assert.deepEqual(answerHeaders(given), { 'set-cookie': ['a=1', 'b=2'], etag: '"1"' });
});

test('a request has a body when its headers say so', () => {
  assert.equal(hasBody({}), false);
  assert.equal(hasBody({ 'content-length': '0' }), false);
  assert.equal(hasBody({ 'content-length': '2' }), true);
  assert.equal(hasBody({ 'transfer-encoding': 'chunked' }), true);
});

describe('failures', () => {
  test('lateness is 504, anything else between gateway and service 502', () => {
    assert.equal(upstreamError(failure('UND_ERR_HEADERS_TIMEOUT')).status, 504);
    assert.equal(upstreamError(failure('UND_ERR_CONNECT_TIMEOUT')).status, 504);
    assert.equal(upstreamError(failure('ECONNREFUSED')).status, 502);
    assert.equal(upstreamError(failure('HPE_INVALID_CONSTANT')).status, 502);
    assert.equal(upstreamError(undefined).status, 502);
  });
  test('only a safe call without a body is made again, once, and not after a time-out of the answer', () => {
    const get = { method: 'GET', hasBody: false, tries: 1 };
    assert.equal(mayRetry(get, failure('ECONNRESET')), true);
    assert.equal(mayRetry({ ...get, tries: 2 }, failure('ECONNRESET')), false);
    assert.equal(mayRetry({ ...get, hasBody: true }, failure('ECONNRESET')), false);
    assert.equal(mayRetry(get, failure('UND_ERR_HEADERS_TIMEOUT')), false);
    for (const method of ['POST', 'PATCH', 'DELETE', 'PUT']) assert.equal(mayRetry({ ...get, method }, failure('ECONNREFUSED')), false);
  });
});
