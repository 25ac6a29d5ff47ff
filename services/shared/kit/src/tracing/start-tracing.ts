// Switches the recording of spans on when a collector is configured.
import { ConfigError } from '../process/config.ts';
import type { Log } from '../process/log.ts';
import { VERSION } from '../process/version.ts';

/** Variables OTEL_EXPORTER_OTLP_ENDPOINT and so on. */
export interface TracingConfig {
  otelExporterOtlpEndpoint: string;
  otelExporterOtlpHeaders: string;
  otelTracesSamplerArg: number;
}

interface TracingOptions {
  env: Partial<TracingConfig>;
  service: string;
  instance: string;
  log: Log;
}

/** Call it before connections are opened. */
export async function startTracing({ env, service, instance, log }: TracingOptions): Promise<{ close(): Promise<void> }> {
  const { otelExporterOtlpEndpoint: endpoint = '', otelExporterOtlpHeaders: headers = '', otelTracesSamplerArg: ratio = 1 } = env;
  if (endpoint === '') return { close: async () => {} };
  const { startOtel } = await import('./otel.ts');
  const close = startOtel({ endpoint, headers: headersOf(headers), ratio, service, instance, version: VERSION, log });
  log.info({ ratio }, 'traces are recorded');
  return { close };
}

function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())];
    }),
  );
}

/** Values may be percent-encoded, by the specification of the variable. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new ConfigError(['OTEL_EXPORTER_OTLP_HEADERS has a value with a broken percent escape: write % as %25']);
  }
}
