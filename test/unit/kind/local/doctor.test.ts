// npm run doctor: each problem is told with its remedy, and nothing that is well is called a problem.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dataFindings, portFindings, type DataFacts } from '../../../../kind/local/src/doctor/data.ts';
import { findingsText, type Finding } from '../../../../kind/local/src/doctor/finding.ts';
import {
  diskFinding,
  kafkaFinding,
  nodeFinding,
  openFilesFinding,
  programFindings,
  testFinding,
} from '../../../../kind/local/src/doctor/machine.ts';
import { instructions, NEEDS, TEST_NEEDS } from '../../../../kind/local/src/prepare.ts';

const GIGABYTE = 1024 ** 3;
const entry = (name: string, pid: number) => ({ name, pid, start: 'then' });
const folder = '/somewhere/.parley';
const idle: DataFacts = { folder, exists: true, owner: undefined, children: [], expected: undefined, answers: {} };
const statesOf = (findings: readonly Finding[]) => findings.map(({ state }) => state);

describe('doctor', () => {
  test('a Node for which chat has no program is a problem', () => {
    assert.equal(nodeFinding({ version: '24.1.0', abi: '137', abis: ['115', '137'] }).state, 'good');
    const { state, says, remedy } = nodeFinding({ version: '27.0.0', abi: '150', abis: ['115', '137'] });
    assert.equal(state, 'bad');
    assert.match(says, /ABIs 115, 137/);
    assert.match(remedy ?? '', /nvm install/);
    assert.equal(nodeFinding({ version: '24.1.0', abi: '137', abis: [] }).remedy, 'npm ci');
    const old = nodeFinding({ version: '20.20.2', abi: '115', abis: ['115', '137'] });
    assert.match(`${old.state} ${old.says}`, /note .*past its end of life; supported are 22 and 24/);
  });

  test('a missing server is a problem only where npm start cannot install it', () => {
    const [redis, ...others] = NEEDS.map((need, index) => ({ need, version: index === 0 ? undefined : '1.0' }));
    const programs = redis ? [redis, ...others] : [];
    assert.deepEqual(statesOf(programFindings(programs, { installs: true, remedy: '' })), ['note', 'good', 'good', 'good']);
    const [first] = programFindings(programs, { installs: false, remedy: instructions(redis ? [redis.need] : [], true) });
    assert.equal(first?.state, 'bad');
    assert.match(first?.remedy ?? '', /sudo apt-get install redis-server/);
    assert.match(instructions(NEEDS, false), /brew install redis mariadb postgresql haproxy/);
  });

  test('no Java is no problem; few open files and a full disk are', () => {
    assert.match(kafkaFinding({ java: false, maven: true, jars: false, installs: false }).remedy ?? '', /apt-get install .*jre/);
    assert.match(kafkaFinding({ java: true, maven: false, jars: false, installs: false }).remedy ?? '', /apt-get install maven/);
    assert.match(kafkaFinding({ java: false, maven: false, jars: false, installs: true }).says, /npm start installs them/);
    for (const installs of [true, false]) assert.equal(kafkaFinding({ java: true, maven: false, jars: true, installs }).state, 'good');
    assert.equal(openFilesFinding(20_000).state, 'good');
    assert.match(openFilesFinding(1024).remedy ?? '', /ulimit -Hn/);
    assert.equal(diskFinding('/data', 50 * GIGABYTE).state, 'good');
    assert.equal(diskFinding('/data', 2 * GIGABYTE).state, 'note');
    assert.match(diskFinding('/data', 0.1 * GIGABYTE).remedy ?? '', /--data/);
  });

  test('what npm test needs is told: what it installs, what it builds and with which Go, what to install where it cannot', () => {
    const all = { missing: [], built: true, go: false, python: false, installs: false };
    assert.equal(testFinding(all).state, 'good');
    const bare = { missing: TEST_NEEDS, built: false, go: false, python: false };
    assert.match(testFinding({ ...bare, installs: true }).says, /installs .*shellcheck, builds kube-apiserver, .*a Go that it fetches/);
    assert.match(
      testFinding({ ...bare, installs: false }).remedy ?? '',
      /apt-get install prometheus openssl procps shellcheck python3-venv$/,
    );
    assert.match(testFinding({ ...all, built: false, go: true }).says, /builds .*the Go that is there/);
  });

  test('a port of somebody else is named with its holder and a free row; one of our own is not', () => {
    const ports = [
      { what: 'redis', port: 6379, holder: { pid: 7, text: 'redis-server (pid 7)' } },
      { what: 'auth', port: 8081, holder: undefined },
    ];
    assert.deepEqual(statesOf(portFindings(ports, new Set([7]), 20_000)), ['good']);
    const [taken] = portFindings(ports, new Set(), 20_300);
    assert.match(`${taken?.what} ${taken?.says} ${taken?.remedy}`, /6379 .*redis-server \(pid 7\).*--ports-from 20300/);
  });

  test('of a data folder: nothing there, idle, not ready, well, half dead, left over', () => {
    const owner = entry('parley', 1);
    const children = [entry('redis', 2), entry('chat-1', 3)];
    const running = { ...idle, owner, children, expected: { redis: 2, 'chat-1': 3 }, answers: { 'http://chat/': undefined } };
    assert.deepEqual(statesOf(dataFindings({ ...idle, exists: false })), ['good']);
    assert.deepEqual(statesOf(dataFindings(idle)), ['good']);
    assert.deepEqual(statesOf(dataFindings({ ...idle, owner, children })), ['note']);
    assert.deepEqual(statesOf(dataFindings(running)), ['good', 'good']);
    const [, dead, silent] = dataFindings({ ...running, children: children.slice(1), answers: { 'http://chat/': 'status 503' } });
    assert.match(`${dead?.what} ${dead?.remedy}`, /redis .*redis\.log/);
    assert.match(`${silent?.says}`, /status 503/);
    const [left] = dataFindings({ ...idle, children });
    assert.match(`${left?.says} ${left?.remedy}`, /redis \(pid 2\), chat-1 \(pid 3\).*npm start stops them/);
  });

  test('the text counts problems, and has colours only when asked', () => {
    const findings: Finding[] = [
      { state: 'good', what: 'A', says: 'fine' },
      { state: 'bad', what: 'B', says: 'broken', remedy: 'mend it' },
    ];
    assert.equal(
      findingsText(findings, false),
      'ok       A: fine\nPROBLEM  B: broken\n           -> mend it\n\n1 problem. Follow the arrows, then look again: npm run doctor',
    );
    assert.ok(findingsText(findings, true).includes('\u001b[31m'));
    assert.match(findingsText(findings.slice(0, 1), false), /Nothing is wrong\.$/);
  });
});
