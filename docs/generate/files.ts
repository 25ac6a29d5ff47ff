// All generated reference files as text: what main.ts writes and what the drift test compares with.
import { describeService } from '@parley/kit/http';
import { authOperations, coreOperations, workerOperations } from '@parley/protocol';
import { stringify } from 'yaml';
import { asyncApi } from './asyncapi.ts';
import { chatClusterPage } from './chat-cluster-page.ts';
import { chatDrillPage } from './chat-drill-page.ts';
import { configurationPage } from './configuration-page.ts';
import { limitsOf, limitsPage } from './limits-page.ts';
import { page } from './markdown.ts';
import { metricsPage } from './metrics-page.ts';
import { protocolPage } from './protocol-page.ts';
import { restPage } from './rest-page.ts';
import { commonMetrics, configOf, gatewayFacts, metricsOf, operatorMetrics, services, sourceText, version } from './sources.ts';

/** Folder of the files, from the root of the repository. */
export const REFERENCE_FOLDER = 'docs/reference';

/** name in docs/reference -> text */
export async function referenceFiles(): Promise<Map<string, string>> {
  const names = services();
  const configs = await Promise.all(names.map(configOf));
  // A program that runs and ends, as that of the backups, has no port for metrics.
  const scraped = configs.filter(({ properties }) => 'adminPort' in properties).map(({ service }) => service);
  const metrics = await Promise.all(scraped.map(metricsOf));
  const limits = limitsOf(sourceText('services/shared/protocol/src/limits.ts'));
  return new Map([
    ['README.md', indexPage()],
    ['protocol.md', protocolPage()],
    ['asyncapi.yaml', `# Written by \`npm run reference\`; edits by hand are lost.\n${stringify(asyncApi(version), { lineWidth: 0 })}`],
    ['rest.md', restPage(restServices)],
    ...(await openApiFiles()),
    ['chat-cluster.md', chatClusterPage()],
    ['chat-drill.md', chatDrillPage()],
    ['configuration.md', configurationPage(configs)],
    ['limits.md', limitsPage(limits, configs)],
    ['metrics.md', metricsPage({ common: commonMetrics(), services: metrics, operator: await operatorMetrics() })],
  ]);
}

const restServices = { auth: authOperations, core: coreOperations, worker: workerOperations };

/** What the services serve at /api/openapi.json. */
async function openApiFiles(): Promise<[string, string][]> {
  const { operations, everywhere } = await gatewayFacts();
  const services = [
    ...Object.entries(restServices).map(([service, own]) => ({ service, version, operations: own })),
    { service: 'gateway', version, operations, everywhere },
  ];
  return services.map((about) => [
    `openapi-${about.service}.yaml`,
    `# Written by \`npm run reference\`; edits by hand are lost.\n${stringify(describeService(about), { lineWidth: 0, aliasDuplicateObjects: false })}`,
  ]);
}

function indexPage(): string {
  return page(
    'Reference',
    `Generated from the schemas and tables in the sources, so it says what the code does. A test fails when a file here is not what
\`npm run reference\` writes.`,
    [
      '- [protocol.md](protocol.md): every WebSocket frame with fields, bounds and an example; error codes; close codes',
      '- [asyncapi.yaml](asyncapi.yaml): the same as an AsyncAPI 3.0 document with JSON Schemas',
      '- [rest.md](rest.md): every REST operation with its fields, answers and errors',
      '- [openapi-gateway.yaml](openapi-gateway.yaml): the same as an OpenAPI 3.1 document, for callers of the gateway; one for each service behind it: [openapi-auth.yaml](openapi-auth.yaml), [openapi-core.yaml](openapi-core.yaml), [openapi-worker.yaml](openapi-worker.yaml)',
      '- [chat-cluster.md](chat-cluster.md): every field of the ChatCluster, its bounds, and what is refused',
      '- [chat-drill.md](chat-drill.md): every field of the ChatDrill',
      '- [configuration.md](configuration.md): every environment variable of every service',
      '- [limits.md](limits.md): every limit, fixed or configured',
      '- [metrics.md](metrics.md): every Prometheus metric',
    ].join('\n'),
    `Results of measurements, written by the programs that measure:`,
    [
      '- [websocket-conformance.md](websocket-conformance.md): RFC 6455 case by case, by `npm run conformance`',
      '- `benchmark.md`: throughput and latency, by `npm run bench`',
      '- `operator-footprint.md`: memory, CPU time and writes of the operator while nothing changes, by `npm run bench:operator`',
    ].join('\n'),
  );
}
