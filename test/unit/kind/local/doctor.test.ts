// npm run doctor: each problem is told with its remedy, and nothing that is well is called a problem.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dataFindings, portFindings, type DataFacts } from '../../../../kind/local/src/doctor/data.ts';
import { findingsText, type Finding } from '../../../../kind/local/src/doctor/finding.ts';
import { diskFinding, kafkaFinding, nodeFinding, openFilesFinding, programFindings } from '../../../../kind/local/src/doctor/machine.ts';
import { instructions, NEEDS } from '../../../../kind/local/src/prepare.ts';

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
    assert.equal(kafkaFinding({ java: false, maven: true, jars: false }).state, 'note');
    assert.equal(kafkaFinding({ java: true, maven: false, jars: false }).state, 'note');
    assert.equal(kafkaFinding({ java: true, maven: false, jars: true }).state, 'good');
    assert.equal(openFilesFinding(20_000).state, 'good');
    assert.match(openFilesFinding(1024).remedy ?? '', /ulimit -Hn/);
    assert.equal(diskFinding('/data', 50 * GIGABYTE).state, 'good');
    assert.equal(diskFinding('/data', 2 * GIGABYTE).state, 'note');
    assert.match(diskFinding('/data', 0.1 * GIGABYTE).remedy ?? '', /--data/);
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
