// Lists and replays dead letters from the command line: node services/worker/dist/dlq-main.js --help
import { readFileSync } from 'node:fs';
import { ConfigError, loadConfig, messageOf } from '@parley/kit/process';
import { EXIT_CONFIG, EXIT_USAGE } from '@parley/kit/run';
import { parseDlqArguments, runDlq, USAGE, type DlqArguments } from './dlq/command.ts';
import { kafkaClient } from './kafka/client.ts';
import { dlqConfig, kafkaSecurity, type KafkaSecurity } from './kafka/config.ts';
import { kafkaSink } from './kafka/sink.ts';

function fail(text: string, code: number): never {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}

let wanted: DlqArguments | undefined;
try {
  wanted = parseDlqArguments(process.argv.slice(2));
} catch (error) {
  fail(`${messageOf(error)}\n\n${USAGE}`, EXIT_USAGE);
}
if (!wanted) {
  process.stdout.write(USAGE);
  process.exit(0);
}
let brokers: string[];
let security: KafkaSecurity;
try {
  const config = loadConfig(dlqConfig, process.env, (path) => readFileSync(path, 'utf8'));
  brokers = config.kafkaBrokers;
  security = kafkaSecurity(config);
} catch (error) {
  fail(messageOf(error), error instanceof ConfigError ? EXIT_CONFIG : 1);
}
if (brokers.length === 0) fail('KAFKA_BROKERS is empty: there is no Kafka to ask', EXIT_CONFIG);

// A person waits: far fewer tries than a service has.
const options = { brokers, security, clientId: 'parley-dlq', onError: () => undefined, retries: 5 };
const sink = kafkaSink({ ...options, onTrouble: (reason) => process.stderr.write(`waiting for Kafka: ${reason}\n`) });
try {
  await runDlq(wanted, { kafka: kafkaClient(options), sink, say: (line) => process.stdout.write(`${line}\n`) });
  await sink.close();
} catch (error) {
  fail(messageOf(error), 1);
}
process.exit(0);
