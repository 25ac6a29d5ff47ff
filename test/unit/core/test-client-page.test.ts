// The page of the test client over HTTP: the file as it is, under a policy with the hashes of what is in it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { test } from 'node:test';
import express from 'express';
import { addTestClient } from '../../../services/core/src/edge/test-client-page.ts';

const text = readFileSync(resolve(import.meta.dirname, '../../../services/chat/test-client.html'), 'utf8');
const between = (from: string, to: string) => text.slice(text.indexOf(from) + from.length, text.lastIndexOf(to));
const hashOf = (part: string) => `'sha256-${createHash('sha256').update(part).digest('base64')}'`;

test('the test client is served as it is, and its policy lets only its own script and style in', async () => {
  const app = express();
  addTestClient(app);
  const server = app.listen(0, '127.0.0.1');
  try {
    await new Promise((done) => server.once('listening', done));
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/test-client.html`);
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), text);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html; charset=utf-8/);
    const policy = new Map((answer.headers.get('content-security-policy') ?? '').split('; ').map((each) => [each.split(' ')[0], each]));
    assert.equal(policy.get('default-src'), "default-src 'none'");
    assert.equal(policy.get('script-src'), `script-src ${hashOf(between('<script>', '</script>'))}`);
    assert.equal(policy.get('style-src'), `style-src ${hashOf(between('<style>', '</style>'))}`);
  } finally {
    server.close();
  }
});

test('the file takes nothing from elsewhere and makes no markup of text', () => {
  assert.doesNotMatch(text, /<(link|img|iframe|object|embed)\b|<script[^>]+src=|@import|\burl\(/);
  assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/);
  assert.doesNotMatch(text, /\son\w+="|\sstyle="/, 'inline handlers and styles would be refused by the policy');
});
