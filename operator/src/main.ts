// Starts one replica of the operator from the environment.
import { EXIT_CONFIG } from '@parley/kit/run';
import { operatorConfig } from './config.ts';
import { endWith } from './ending.ts';
import { startOperator, type Operator } from './service.ts';

let operator: Operator;
try {
  operator = await startOperator(operatorConfig(process.env));
} catch (error) {
  process.stderr.write(`operator: ${(error as Error).message}\n`);
  process.exit(EXIT_CONFIG);
}
endWith(operator, { once: (signal, run) => process.once(signal, run), exit: (code) => process.exit(code) }, operator);
