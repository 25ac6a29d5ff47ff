// The results as a page.
import { table } from '../../docs/generate/markdown.ts';
import { autobahnLeftOut, verdictOf } from './autobahn.ts';
import type { Verdict } from './cases/case.ts';
import { clientWrong } from './clients.ts';
import type { Way } from './main.ts';
import { packages } from './python.ts';
import type { Observed } from './run-cases.ts';

const count = <T>(all: readonly T[], verdict: Verdict, of: (each: T) => Verdict) =>
  String(all.filter((each) => of(each) === verdict).length);
const COUNTS = ['ok', 'loose', 'deviation'] as const;

export function report(ways: readonly Way[]): string {
  const [direct, proxied] = ways;
  if (!direct || !proxied) throw new Error('two ways are expected');
  return `${[
    '# Conformance of the WebSocket layer',
    '<!-- Written by `npm run conformance`; edits by hand are lost. -->',
    `RFC 6455 case by case against a running chat service (uWebSockets.js): directly, and through HAProxy with the configuration of the
operator. Three sources: an own table that sends raw bytes; the cases of the Autobahn TestSuite by the package kosoku ${packages.kosoku};
client libraries that were not written for this server.`,
    `Verdicts: **ok**, as the RFC asks, or, where it leaves the choice to the application, as [protocol.md](protocol.md) says; **loose**,
allowed but not what the RFC recommends; **deviation**, not what the RFC requires.`,
    '## Summary',
    table(['Cases', 'Way', ...COUNTS], ways.flatMap(summaryOf)),
    ...deviations(direct, proxied),
    ...looseOnes(direct, proxied),
    '## Client libraries',
    table(
      ['Library', 'Way', 'Steps', 'Seen otherwise than expected'],
      ways.flatMap(({ name, clients }) =>
        Object.entries(clients).map(([library, steps]) => [
          library,
          name,
          Object.keys(steps).join(', '),
          clientWrong(steps).join(', ') || 'none',
        ]),
      ),
    ),
    '## Own table',
    'An outcome is what came back until the answer to a last ping, or until the server closed TCP (`end`). Directly and through HAProxy it is the same where one is given.',
    table(['Section', 'Case', 'Expected', 'Outcome', 'Verdict'], ownRows(direct.own, proxied.own)),
    '## Autobahn TestSuite',
    `Its cases expect a server that echoes. A chat server answers text that is no command with one \`error\` frame, which here stands for
the echo; the order of answers, fragments, pings and the closing handshake are judged by Autobahn as they are. Cases that do not apply:`,
    table(['Cases', 'Why they do not apply'], autobahnLeftOut),
    table(
      ['Case', 'What', 'Directly', 'Through HAProxy'],
      direct.autobahn.map((each, index) => [each.id, plain(each.what), words(each), words(proxied.autobahn[index])]),
    ),
  ].join('\n\n')}\n`;
}

function summaryOf({ name, own, autobahn }: Way): string[][] {
  return [
    [`own table (${own.length})`, name, ...COUNTS.map((verdict) => count(own, verdict, (each) => each.verdict))],
    [`Autobahn (${autobahn.length})`, name, ...COUNTS.map((verdict) => count(autobahn, verdict, verdictOf))],
  ];
}

function deviations(direct: Way, proxied: Way): string[] {
  const rows = direct.own
    .map((each, index) => [each, proxied.own[index] ?? each] as const)
    .filter((pair) => pair.some(({ verdict }) => verdict === 'deviation'))
    .map(([each, other]) => [
      each.section,
      each.what,
      each.expected,
      both(each.outcome, other.outcome),
      each.why ?? other.why ?? '**not known before**',
    ]);
  const autobahn = [direct, proxied].flatMap(({ name, autobahn: results }) =>
    results
      .filter((each) => verdictOf(each) === 'deviation')
      .map((each) => ['Autobahn', `${each.id} ${plain(each.what)}`, '', `${name}: ${words(each)}`, each.resultClose]),
  );
  if (rows.length + autobahn.length === 0) return ['## Deviations', 'None.'];
  return ['## Deviations', table(['Section', 'Case', 'Expected', 'Outcome', 'Why'], [...rows, ...autobahn])];
}

function looseOnes(direct: Way, proxied: Way): string[] {
  const outcomes = new Map<string, number>();
  for (const { outcome, verdict } of [...direct.own, ...proxied.own])
    if (verdict === 'loose') outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  return [
    '## What is loose',
    `uWebSockets.js cuts TCP at a violation instead of sending a close frame with 1002 or 1007 first (§7.1.7 says SHOULD), and answers close
codes that it does not take for valid with a close frame without a code. A client sees 1006 or 1005 then; what it does is the same: see
the table of close codes in [protocol.md](protocol.md). How often, over both ways:`,
    table(
      ['Outcome', 'Times'],
      [...outcomes].map(([outcome, times]) => [outcome, String(times)]),
    ),
  ];
}

function ownRows(direct: readonly Observed[], proxied: readonly Observed[]): string[][] {
  return direct.map((each, index) => {
    const other = proxied[index] ?? each;
    return [
      each.section,
      plain(each.what),
      plain(each.expected),
      plain(both(each.outcome, other.outcome)),
      both(each.verdict, other.verdict),
    ];
  });
}

const both = (direct: string, proxied: string) => (direct === proxied ? direct : `${direct}; HAProxy: ${proxied}`);
const words = (each: Way['autobahn'][number] | undefined) =>
  each ? `${each.behavior}${each.close === each.behavior ? '' : `, close ${each.close}`}` : 'not run';
/** Descriptions and outcomes hold HTML and bytes that are no text. */
const plain = (text: string) =>
  text
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/[^ -~\u0370-\u1fff]/g, '?')
    .slice(0, 160);
