// The WebSocket test client in a real browser on `npm start`: served and from disk, over a killed replica, a long gap and a used token.
// PARLEY_SCREENSHOTS=<folder> keeps a picture for the documentation.
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { connectWriter, MessageWriter, newId, type AppendResult } from '@parley/chat-store';
import type { Page } from 'playwright-core';
import { startBrowser, type Browser } from '../../helpers/browser.ts';
import { quiet } from '../../helpers/chat-cluster.ts';
import { freeRow, startLocal, type LocalStart } from '../../helpers/local-start.ts';
import { removeFolder, temporaryFolder } from '../../helpers/servers.ts';
import { eventually } from '../../helpers/eventually.ts';

const file = resolve(import.meta.dirname, '../../../services/chat/test-client.html');
const screenshots = process.env['PARLEY_SCREENSHOTS'];
const EACH = 40;
const LONG = 700;

type Entry = { seq: number; text: string };

const entriesOf = (page: Page): Promise<Entry[]> =>
  page.locator('#messages li').evaluateAll((items) =>
    items.map((item) => {
      const { dataset, textContent } = item as unknown as { dataset: { seq: string }; textContent: string };
      return { seq: Number(dataset.seq), text: textContent };
    }),
  );
const numberOf = async (page: Page, name: string) => page.locator(`#numbers dt:text-is("${name}") + dd`).innerText();

/** seq of each is one more than that of the one before it. */
const assertDense = (entries: Entry[]) =>
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => (entries[0]?.seq ?? 0) + index),
  );

async function say(page: Page, text: string, count = 1): Promise<void> {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByLabel('How many').fill(String(count));
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}

describe('the test client', { timeout: 280_000 }, () => {
  const folder = temporaryFolder();
  let parley: LocalStart;
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
    const ports = String(await freeRow(2));
    parley = startLocal(join(folder, 'data'), ['--no-kafka', '--chat-replicas', '2', '--ports-from', ports]);
    await parley.until('Ctrl-C stops it');
  });
  after(async () => {
    await browser?.close();
    parley?.press('SIGINT');
    await parley?.exited;
    removeFolder(folder);
  });

  const given = (values: Record<string, string | undefined>) =>
    `#${new URLSearchParams(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()}`;
  const tokenOf = (name: string) => parley.local().users.find((user) => user.name === name)?.token;
  const entry = () => `${parley.local().urls.chat.replace('http', 'ws')}/api/ws`;
  const served = (values: Record<string, string | undefined>) =>
    browser.open(`${parley.local().urls.chat}/test-client.html${given(values)}`);
  const fromDisk = (values: Record<string, string | undefined>, size?: { width: number; height: number }) =>
    browser.open(`${pathToFileURL(file).href}${given({ url: entry(), ...values })}`, size);
  const live = (page: Page) => page.locator('#status[data-state=live]').waitFor();
  const serverOf = async (page: Page) => /Connected to (\S+)/.exec(await page.locator('#status').innerText())?.[1];

  test('is served on both entries under a policy that lets nothing else in', async () => {
    const { urls } = parley.local();
    for (const url of [urls.chat, urls.gateway]) {
      const answer = await fetch(`${url}/test-client.html`);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
      const policy = answer.headers.get('content-security-policy') ?? '';
      assert.match(policy, /default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'sha256-[\w+/]{43}=';/);
      assert.ok(!policy.includes('unsafe'), policy);
    }
    assert.equal((await fetch(`${urls.chat}/other.html`)).status, 404);
    assert.equal((await fetch(`${parley.local().chatInstances[0]?.url}/test-client.html`)).status, 404);
  });

  test('two pages on two replicas send while one replica is killed: the same list on both, nothing lost, nothing twice', async () => {
    const { roomId: room } = parley.local();
    const alice = await served({ token: tokenOf('Alice'), room, auth: 'ticket', connect: '1' });
    await live(alice.page);
    const bob = await fromDisk({ token: tokenOf('Bob'), room, auth: 'frame', connect: '1' });
    await live(bob.page);
    // HAProxy gives a socket to the replica with the fewest.
    const victim = await serverOf(alice.page);
    assert.notEqual(victim, await serverOf(bob.page));
    assert.ok(!alice.page.url().includes('token='), 'the token is taken out of the address');

    await Promise.all([say(alice.page, 'from Alice', EACH), say(bob.page, 'from Bob', EACH)]);
    await eventually('ten of each are acked', async () =>
      (await Promise.all([alice, bob].map(async ({ page }) => Number(await numberOf(page, 'Acked'))))).every((acked) => acked >= 10),
    );
    const { pid = 0 } = parley.local().chatInstances.find(({ name }) => name === victim) ?? {};
    assert.ok(pid > 0);
    process.kill(pid, 'SIGKILL');
    await eventually('the page of the killed replica reconnects', async () => Number(await numberOf(alice.page, 'Reconnects')) >= 1);

    const total = 2 * EACH;
    await eventually('both show all', async () =>
      (await Promise.all([alice, bob].map(({ page }) => entriesOf(page)))).every((list) => list.length >= total),
    );
    await eventually(
      'all is acked',
      async () => (await numberOf(alice.page, 'Not acked')) === '0' && (await numberOf(bob.page, 'Not acked')) === '0',
    );
    const [seen, others] = [await entriesOf(alice.page), await entriesOf(bob.page)];
    assert.deepEqual(seen, others);
    assertDense(seen);
    const said = (name: string) => Array.from({ length: EACH }, (_, index) => `${name}: from ${name} ${index + 1}`);
    const texts = seen.map(({ text }) => text.replace(/^\d+\s+/, ''));
    assert.deepEqual(
      texts.filter((text) => text.startsWith('Alice:')),
      said('Alice'),
    );
    assert.deepEqual(
      texts.filter((text) => text.startsWith('Bob:')),
      said('Bob'),
    );
    if (screenshots !== undefined) await alice.page.screenshot({ path: join(screenshots, 'test-client.png') });

    // Written while there is no socket: it waits in the outbox.
    await alice.page.getByRole('button', { name: 'Disconnect' }).click();
    await say(alice.page, 'written while away', 2);
    await eventually(
      'the outbox shows both',
      async () => (await alice.page.locator('#outbox li', { hasText: /waits {2}written while away [12]$/ }).count()) === 2,
    );
    await alice.page.getByRole('button', { name: 'Connect', exact: true }).click();
    await eventually(
      'both arrive, in their order',
      async () =>
        (await entriesOf(bob.page))
          .slice(total)
          .map(({ text }) => text.slice(-1))
          .join('') === '12',
    );

    await alice.page.getByRole('button', { name: /same id/ }).click();
    await eventually('the duplicate is acked as one', async () => (await numberOf(alice.page, 'Acked as duplicate')) !== '0');
    await say(bob.page, '<img src=x onerror="document.title=1"><b>bold</b>');
    await eventually('markup is shown as text', async () => (await entriesOf(alice.page)).at(-1)?.text.includes('<b>bold</b>') === true);
    assert.equal(await alice.page.locator('#messages b, #messages img').count(), 0);
    assert.equal((await entriesOf(alice.page)).length, total + 3);
    assert.deepEqual([...alice.wrongs, ...bob.wrongs], []);
  });

  test('a part of the history that is too long for the socket is read by REST, from disk and on a phone', async () => {
    const { urls, databases } = parley.local();
    const created = await fetch(`${urls.chat}/api/rooms`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf('Alice')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ room_type: 'group', name: 'Long', member_ids: [] }),
    });
    const { id: room } = (await created.json()) as { id: string };
    await fill(room, databases['mysql'] ?? '');
    const { page, wrongs } = await fromDisk({ token: tokenOf('Alice'), room, connect: '1' }, { width: 360, height: 740 });
    await eventually('all entries are there', async () => (await page.locator('#messages li').count()) >= LONG);
    assertDense(await entriesOf(page));
    assert.equal((await entriesOf(page))[0]?.seq, 1);
    // The gap frame itself has left the list: it keeps the newest 500.
    assert.match(await page.locator('#frames').innerText(), /messages\?after_seq=0&limit=100: 200/);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), true);
    assert.deepEqual(wrongs, []);
  });

  test('a token that is no good stops it with a word, a new one connects; each way of giving it works', async () => {
    const { page } = await fromDisk({ token: 'no.good.token', connect: '1' });
    await page.locator('#status[data-state=stopped]').waitFor();
    assert.match(await page.locator('#status').innerText(), /4401.*new token/);
    for (const way of ['frame', 'ticket', 'token']) {
      await page.getByLabel('Access token').fill(tokenOf('Charlie') ?? '');
      await page.locator(`input[name=auth][value=${way}]`).check();
      await page.getByRole('button', { name: 'Connect', exact: true }).click();
      await live(page);
      await page.getByRole('button', { name: 'Disconnect' }).click();
      await page.locator('#status[data-state=stopped]').waitFor();
    }
    assert.ok(!(await page.locator('#frames').innerText()).includes(tokenOf('Charlie') ?? '-'), 'the list of frames shows no token');
  });

  /** Straight through the writer: the rate limit would take minutes for so many. */
  async function fill(roomId: string, url: string): Promise<void> {
    const writer = new MessageWriter({ connect: () => connectWriter(url), onCommit: () => {}, log: quiet });
    await writer.open();
    const senderId = parley.local().users[0]?.id ?? 0;
    const append = (index: number) => {
      const message = { id: newId(), roomId, senderId, senderName: 'Alice', content: `entry ${index}` };
      const kind = { messageType: 'text' as const, metadata: null, clientMsgId: undefined };
      return new Promise<AppendResult | string>((settle) => {
        // Refused as overloaded, on a busy machine: until it is taken.
        const submit = () => void (writer.submit({ message: { ...message, ...kind }, settle }).ok || setTimeout(submit, 20));
        submit();
      });
    };
    try {
      for (let from = 1; from <= LONG; from += 50) await Promise.all(Array.from({ length: 50 }, (_, index) => append(from + index)));
    } finally {
      await writer.close();
    }
  }
});
