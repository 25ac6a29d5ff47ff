// Starts the certificate follower from the environment.
import { runService } from '@parley/kit/run';
import { certificatesConfig } from './config.ts';
import { startCertificates } from './service.ts';

await runService({
  service: 'certificates',
  schema: certificatesConfig,
  env: process.env,
  args: process.argv.slice(2),
  start: startCertificates,
});
