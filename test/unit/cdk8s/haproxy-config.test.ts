// Where HAProxy sends traffic and where it asks whether a server is ready, in both forms of an upstream.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { haproxyConfig, type HaproxyInput, type Upstream } from '@parley/cdk8s';

const input = (upstream: (name: string, port: number, adminPort: number) => Upstream): HaproxyInput => ({
  ...{ bindAddress: '*', listen: { gateway: 1, chat: 2, stats: 3 }, resolvers: true, trustedProxies: [] },
  ...{ stats: { user: 'u', password: 'p' }, maxconn: 10, fdHardLimit: 30, perIpConnRate: 0 },
  ...{ runtimeSocket: '/run/haproxy.sock', hardStopAfterSeconds: 10 },
  chat: upstream('chat', 1001, 2001),
  core: upstream('core', 1002, 2002),
  gateway: upstream('gateway', 1003, 2003),
});
/** name -> what its line says of ports */
const serversOf = (config: string) =>
  config
    .split('\n')
    .map((line) => line.trim())
    .flatMap((line) => {
      const [, name, port, check] = /^server(?:-template)? ([a-z]+)\S*(?: \d+)? \S+:(\d+) check port (\d+)( |$)/.exec(line) ?? [];
      return name === undefined ? [] : [`${name} ${port} ${check}`];
    });
const EXPECTED = ['chat 1001 2001', 'core 1002 2002', 'gateway 1003 2003'];

test('known servers: traffic to the port, checks to the admin port', () => {
  const config = haproxyConfig(input((name, port, adminPort) => ({ servers: [{ name, host: '127.0.0.1', port, adminPort }] })));
  assert.deepEqual([...new Set(serversOf(config))].sort(), EXPECTED);
});

test('names that DNS answers: traffic to the port, checks to the admin port', () => {
  const config = haproxyConfig(input((name, port, adminPort) => ({ template: { fqdn: `${name}.team.svc`, port, adminPort, slots: 4 } })));
  assert.deepEqual([...new Set(serversOf(config))].sort(), EXPECTED);
});
