// The benchmark's report, command line and the texts of the kernel that it reads.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarise, type CpuProfile } from '../../load/cpu-profile.ts';
import { setupText } from '../../load/generator.ts';
import { parseRollup } from '../../load/memory.ts';
import { parseOptions } from '../../load/options.ts';
import { busySeconds, processSeconds } from '../../load/quiet.ts';
import { markdown, merged, numberText, table, type Report } from '../../load/report.ts';

const report: Report = {
  date: '2026-01-02T03:04:05.000Z',
  machine: { cpu: 'A processor', cores: 2, memoryGiB: 8, kernel: '6', node: '24', database: 'MySQL 9', pinned: true, ownNetwork: true },
  runs: 1,
  timing: { warm: 1, window: 4, step: 1 },
  cells: [
    {
      ...{ workload: 'fan100', subject: 'parley', round: 1, others: 1.5, generatorCores: 0.9, seconds: 4, faults: 0, problem: 'odd' },
      ...{ cpu: { chat: 1, mysql: 0.5, redis: 0.1, generator: 3.6 }, messages: 800, deliveries: 80_000 },
      ...{ ack: { p50: 1, p99: 2, max: 3 }, delivery: { p50: 1.5, p99: 2.5, max: 3.5 } },
    },
  ],
  profiles: { fan100: { busy: 0.5, lines: [{ share: 0.25, name: 'publish', where: 'services/chat/dist/sockets/ws.js:10' }] } },
};

describe('report', () => {
  const text = markdown(report);

  it('shows a measure with its target and verdict', () => {
    assert.match(text, /\| fan100: CPU per delivery, total \| 20 µs \| – \| – \| ≤ 12 \| misses \|/);
  });
  it('splits the cost by process', () => {
    assert.match(text, /\| fan100 \| Parley \| 200 \| 20,000 \| 1,250 \+ 625 \+ 125 \| 12.5 \+ 6.25 \+ 1.25 \|/);
  });
  it('says when the generator may be the limit, and when others disturbed', () => {
    assert.match(text, /0\.90 \(the generator may be the limit\)/);
    assert.match(text, /disturbed \(others used 1\.5 cores\)/);
  });
  it('lists problems and profiles', () => {
    assert.match(text, /- fan100, Parley, run 1: odd/);
    assert.match(text, /\| 25\.0 % \| publish \| services\/chat\/dist\/sockets\/ws\.js:10 \|/);
  });
  it('replaces what was measured anew, and keeps the rest', () => {
    const [cell] = report.cells;
    assert.ok(cell);
    const small = { ...cell, workload: 'small' as const };
    const old = { ...report, cells: [cell, small] };
    const again = merged(old, { ...report, runs: 3, cells: [{ ...cell, faults: 7 }], profiles: {} }, ['fan100']);
    assert.deepEqual(
      [again.runs, again.cells.map(({ workload, faults }) => [workload, faults])],
      [
        3,
        [
          ['fan100', 7],
          ['small', 0],
        ],
      ],
    );
    assert.ok(again.profiles.fan100);
    assert.equal(merged(old, { ...report, runs: 3, cells: [] }, []).cells.length, 2);
  });
  it('writes numbers with three digits that matter', () => {
    assert.deepEqual([1234.5, 56.78, 1.2345, NaN].map(numberText), ['1,235', '56.8', '1.23', '–']);
    assert.equal(table(['a'], [['b']]), '| a |\n| --- |\n| b |');
  });
});

describe('command line', () => {
  it('measures everything three times unless told otherwise', () => {
    const options = parseOptions([]);
    assert.equal(options.runs, 3);
    assert.equal(options.only.length, 7);
  });
  it('knows connect by the name of what measures it, and runs quickly once', () => {
    const { only, runs } = parseOptions(['--only', 'connect,fan100', '--quick']);
    assert.deepEqual([only, runs], [['fan100', 'idle'], 1]);
  });
  it('measures nothing else when only a profile is wanted', () => {
    const { only, profile } = parseOptions(['--profile', 'small']);
    assert.deepEqual([only, profile], [[], ['small']]);
  });
  it('refuses what it does not know', () => {
    assert.throws(() => parseOptions(['--only', 'huge']), /no workload "huge"/);
    assert.throws(() => parseOptions(['--profile', 'max']), /cannot be profiled/);
    assert.throws(() => parseOptions(['--runs', '0']), /at least 1/);
  });
});

describe('texts of the kernel', () => {
  it('reads memory', () => {
    assert.deepEqual(parseRollup('Rss:      2 kB\nPss: 9 kB\nAnonymous:    1 kB\n'), { rssBytes: 2048, anonymousBytes: 1024 });
  });
  it('adds up what is not idle, steal included', () => {
    assert.equal(busySeconds('cpu  100 0 100 900 900 0 0 100 0 0\ncpu0 1 1 1 1\n'), 3);
  });
  it('finds the time of a process whose name has spaces and brackets', () => {
    assert.equal(processSeconds('1 (a b) c) S 1 1 1 0 -1 4194560 1 1 1 1 150 50 0 0 20 0'), 2);
  });
});

describe('generator setup', () => {
  it('gives each member of each room a token of its own', () => {
    const text = setupText({
      port: 1,
      sendersPerRoom: 1,
      roomIds: ['a', 'b'],
      members: 2,
      tokens: ['1', '2', '3', '4'],
      watch: { chat: 5 },
    });
    assert.match(text, /watch chat 5\nroom a\nroom b\nmember 0 1\nmember 0 2\nmember 1 3\nmember 1 4\n$/);
  });
});

describe('CPU profile', () => {
  const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: frame('(idle)') },
      { id: 2, callFrame: frame('publish', 'file:///somewhere/else/services/chat/dist/sockets/ws.js', 9) },
      { id: 3, callFrame: frame('query', 'file:///somewhere/else/node_modules/mysql2/lib/connection.js', 1) },
    ],
    startTime: 1000,
    samples: [2, 1, 2, 3, 2],
    timeDeltas: [0, 100, 100, 100, 100],
  };
  it('gives shares of the busy time in the window, and no path of the machine', () => {
    const { busy, lines } = summarise(profile, { from: 1000, to: 1400 }, 5);
    assert.equal(busy, 0.75);
    assert.deepEqual(
      lines.map(({ name, where }) => [name, where]),
      [
        ['publish', 'services/chat/dist/sockets/ws.js:10'],
        ['query', 'mysql2/lib/connection.js:2'],
      ],
    );
  });
});
