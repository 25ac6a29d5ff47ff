// The crowd as a process of its own, so that it can run in the network of a node. Its first line of input is its options as JSON (tokens are
// in no argument); then `report` or `stop`. Each answer is a line of JSON.
import { createInterface } from 'node:readline';
import { Crowd, type CrowdOptions } from './crowd.ts';

const answer = (value: object) => void process.stdout.write(`${JSON.stringify(value)}\n`);
let crowd: Crowd | undefined;

for await (const line of createInterface({ input: process.stdin })) {
  try {
    if (!crowd) {
      crowd = new Crowd(JSON.parse(line) as CrowdOptions);
      await crowd.start();
      answer({ ready: true });
    } else if (line === 'report') answer({ report: await crowd.report() });
    else break;
  } catch (error) {
    answer({ error: (error as Error).message });
  }
}
await crowd?.stop();
process.exit(0);
