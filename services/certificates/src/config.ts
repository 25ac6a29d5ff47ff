// Environment of the certificate follower, which runs beside each HAProxy.
import { commonConfig, milliseconds, text } from '@parley/kit/process';
import { Type, type Static } from '@sinclair/typebox';

const { adminHost, adminPort, instanceName, logLevel, drainTimeoutMs } = commonConfig(0);

export const certificatesConfig = Type.Object({
  ...{ adminHost, adminPort, instanceName, logLevel, drainTimeoutMs },
  certificateFile: text('/run/secrets/tls/tls.crt', 'the chain as HAProxy names it; the key is beside it as .key'),
  runtimeSocket: text('/tmp/haproxy.sock', "Unix socket of HAProxy's runtime API"),
  lookIntervalMs: milliseconds(5000, 'how often the files are compared with what HAProxy shows'),
});
export type CertificatesConfig = Static<typeof certificatesConfig>;
