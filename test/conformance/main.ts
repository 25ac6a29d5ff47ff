// npm run conformance: RFC 6455 case by case against chat and through HAProxy; writes docs/reference/websocket-conformance.md.
// Ends with 1 when something deviates from the RFC that the tables do not name as known.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { autobahnCases, runAutobahn, verdictOf, type AutobahnResult } from './autobahn.ts';
import { clientWrong, pythonSteps, undiciSteps, wsSteps, type ClientSteps } from './clients.ts';
import { packages, preparePython } from './python.ts';
import { report } from './report.ts';
import { PATH, runCases, type Observed } from './run-cases.ts';
import { startSubject } from './subject.ts';

export interface Way {
  name: string;
  own: Observed[];
  autobahn: AutobahnResult[];
  /** library -> steps */
  clients: Record<string, ClientSteps>;
}

const python = await preparePython();
const subject = await startSubject();
const ways: Way[] = [];
try {
  const url = (port: number, query: string) => `ws://127.0.0.1:${port}${PATH}${query}`;
  for (const { name, port } of subject.ways) {
    const query = `?token=${await subject.cluster.issuer.token(1)}`;
    ways.push({
      name,
      own: await runCases(port, `${PATH}${query}`),
      // Without a token: no `welcome` comes between the answers.
      autobahn: await runAutobahn(python, url(port, '')),
      clients: {
        'ws (Node.js)': await wsSteps(url(port, query)),
        'undici, the WebSocket of the web platform': await undiciSteps(url(port, query)),
        [`websockets ${packages.websockets} (Python)`]: await pythonSteps(python, url(port, query)),
      },
    });
  }
} finally {
  await subject.stop();
}

const file = 'docs/reference/websocket-conformance.md';
writeFileSync(join(import.meta.dirname, '../..', file), report(ways));
const surprises = ways.flatMap(({ name, own, autobahn, clients }) => [
  ...own.filter(({ verdict, why }) => verdict === 'deviation' && why === undefined).map((each) => `${name}: ${each.what}: ${each.outcome}`),
  ...autobahn
    .filter((each) => verdictOf(each) === 'deviation')
    .map((each) => `${name}: Autobahn ${each.id}: ${each.result} ${each.resultClose}`),
  ...Object.entries(clients).flatMap(([library, steps]) => clientWrong(steps).map((step) => `${name}: ${library}: ${step}`)),
]);
for (const surprise of surprises) console.error(surprise);
console.log(
  `${file}: ${ways[0]?.own.length ?? 0} own cases, ${ways[0]?.autobahn.length ?? 0} of Autobahn (${autobahnCases.join(' ')}), ${ways.length} ways`,
);
if (surprises.length > 0) process.exitCode = 1;
