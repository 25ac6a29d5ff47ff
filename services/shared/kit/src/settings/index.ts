// What settings are declared with: the shapes they have, and those that every service has. Apart from `process`, which reads them: to declare
// is as heavy as the library of schemas, to read is not.
export { commonConfig } from './service-settings.ts';
export { httpUrl, list, milliseconds, port, secret, secretUrl, startupTimeoutMs, text, usersDatabaseUrl } from './shapes.ts';
