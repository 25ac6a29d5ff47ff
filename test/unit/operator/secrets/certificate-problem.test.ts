// What is wrong with a certificate in a Secret, told before a client refuses it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateProblem } from '../../../../operator/src/secrets/refs.ts';
import { makeCertificate } from '../../../helpers/certificates.ts';

let dir: string;
let mine: { chain: string; key: string };
let other: { chain: string; key: string };
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'parley-certificate-'));
  mine = makeCertificate(dir);
  other = makeCertificate(dir);
});
after(() => rmSync(dir, { recursive: true }));

const inDays = (days: number): Date => new Date(Date.now() + days * 86_400_000);

test('a good pair has no problem, and a missing part is told elsewhere', () => {
  assert.equal(certificateProblem(mine.chain, mine.key, inDays(0.5)), undefined);
  assert.equal(certificateProblem(mine.chain, '', inDays(0)), undefined);
});

test('the key of another certificate, one that ended, one that has not begun and no PEM are told', () => {
  assert.match(certificateProblem(mine.chain, other.key, inDays(0)) ?? '', /does not belong/);
  assert.match(certificateProblem(mine.chain, mine.key, inDays(2)) ?? '', /ended on .*renew/);
  assert.match(certificateProblem(mine.chain, mine.key, inDays(-2)) ?? '', /begins only on/);
  assert.match(certificateProblem('x', mine.key, inDays(0)) ?? '', /cannot be read/);
});
