// Which path goes to which service, and which needs a token. What is not here is 404.

export type UpstreamName = 'auth' | 'core' | 'worker';

export interface GatewayRoute {
  /** Express's pattern: the path itself and everything below it. */
  path: string;
  upstream: UpstreamName;
  /** The token is checked here, before anything is forwarded; the service checks it again. */
  token: boolean;
}

export const routes: readonly GatewayRoute[] = [
  { path: '/api/v1/auth{/*rest}', upstream: 'auth', token: false },
  { path: '/api/v1/api-keys{/*rest}', upstream: 'auth', token: false },
  { path: '/api/v1/webhooks{/*rest}', upstream: 'worker', token: false },
  { path: '/.well-known/jwks.json', upstream: 'auth', token: false },
  { path: '/api/v1/users{/*rest}', upstream: 'core', token: true },
  { path: '/api/rooms{/*rest}', upstream: 'core', token: true },
  { path: '/api/invitations{/*rest}', upstream: 'core', token: true },
  { path: '/api/presence', upstream: 'core', token: true },
  { path: '/api/ws-ticket', upstream: 'core', token: true },
  { path: '/test-client.html', upstream: 'core', token: false },
];
