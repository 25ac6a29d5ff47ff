// Starts one chat replica from the environment.
import { runService } from '@parley/kit/run';
import { chatConfig } from './config.ts';
import { startChat } from './service.ts';

await runService({ service: 'chat', schema: chatConfig, env: process.env, args: process.argv.slice(2), start: startChat });
