// The real transport passes the suite of the transport.
import { after, before, describe } from 'node:test';
import type { KubeTransport } from '../../operator/src/kube/transport.ts';
import { transportSuite } from '../contract/operator/transport-suite.ts';
import { startApiServer, type ApiServer } from '../helpers/apiserver.ts';

describe('transport: a real API server', () => {
  let server: ApiServer;
  let transport: KubeTransport;
  before(async () => {
    server = await startApiServer();
    transport = server.transport();
  });
  after(() => server?.stop());
  transportSuite(() => transport);
});
