// The scene of the older system's direct chat demo, on `npm start`, through HAProxy.
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freeRow, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { threePeople } from '../../helpers/three-people.ts';

describe('people on a local system', { timeout: 180_000 }, () => {
  const folder = temporaryFolder();
  let parley: LocalStart;
  before(async () => {
    const ports = String(await freeRow(2));
    parley = startLocal(join(folder, 'data'), ['--no-kafka', '--chat-replicas', '2', '--ports-from', ports]);
    await parley.until('Ctrl-C stops it');
  });
  after(async () => {
    parley.press('SIGINT');
    await parley.exited;
    removeFolder(folder);
  });

  test('Alice and Bob chat; Charlie reads nothing, joins nothing, and nothing of his is stored', async () => {
    const { urls, apiKey } = parley.local();
    await threePeople({ gateway: urls.gateway, chat: urls.chat, apiKey });
  });
});
