// Environment of the certificate follower, which runs beside each HAProxy.
import { commonConfig, milliseconds, text } from '@parley/kit/settings';
import { Type, type Static } from '@sinclair/typebox';

const { adminHost, adminPort, instanceName, logLevel, drainTimeoutMs } = commonConfig(0);

/** Environment of the renewer of certificates: a variable a property, with its default, bounds and text. */
export const certificatesConfig = Type.Object({
  ...{ adminHost, adminPort, instanceName, logLevel, drainTimeoutMs },
  certificateFile: text('/run/secrets/tls/tls.crt', 'the chain as HAProxy names it; the key is beside it as .key'),
  runtimeSocket: text('/tmp/haproxy.sock', "Unix socket of HAProxy's runtime API"),
  lookIntervalMs: milliseconds(5000, 'how often the files are compared with what HAProxy shows'),
});
/** The environment of the renewer of certificates after it was read and checked. */
export type CertificatesConfig = Static<typeof certificatesConfig>;
