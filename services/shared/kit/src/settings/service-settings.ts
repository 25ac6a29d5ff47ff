// Settings that every service has.
import { Type } from '@sinclair/typebox';
import { list, milliseconds, port, text } from './shapes.ts';

/** OpenTelemetry's own names. Without an endpoint nothing is recorded, and the library is not even loaded. */
const tracingConfig = {
  otelExporterOtlpEndpoint: Type.String({
    default: '',
    pattern: '^(https?://.+)?$',
    description: 'base URL of a collector for traces by OTLP over HTTP; empty: none',
  }),
  otelExporterOtlpHeaders: Type.String({
    default: '',
    secret: true,
    pattern: '^([^=,\\s]+=[^,]*(,[^=,\\s]+=[^,]*)*)?$',
    description: 'headers for the collector, name=value with commas between',
  }),
  otelTracesSamplerArg: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 1,
    description: 'share of the traces that are recorded; of those with a caller only what the caller records',
  }),
};

/** Variables of every service. */
export function commonConfig(serverPort: number) {
  return {
    serverHost: text('0.0.0.0', 'address of the public port'),
    serverPort: port(serverPort, 'public port'),
    adminHost: text('0.0.0.0', 'address of the admin port'),
    adminPort: port(9464, 'port of /healthz, /readyz and /metrics'),
    instanceName: Type.String({ default: '', description: 'name in logs, metrics and /api/health; default: the host name' }),
    logLevel: Type.Union(
      [Type.Literal('trace'), Type.Literal('debug'), Type.Literal('info'), Type.Literal('warn'), Type.Literal('error')],
      {
        default: 'info',
        description: 'trace, debug, info, warn or error',
      },
    ),
    trustedProxies: list('CIDRs whose X-Forwarded-For is believed'),
    allowedOrigins: list('exact origins that browsers may come from'),
    startupTimeoutMs: milliseconds(60_000, 'how long to wait for a database at start'),
    drainTimeoutMs: milliseconds(70_000, 'after SIGTERM the process ends at the latest after this time'),
    ...tracingConfig,
  };
}
