// A little of everything that people do, on a local system: so that every metric of the services has something to tell.
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalFile } from '../../../kind/local/src/local-file.ts';
import { WsClient } from '../../helpers/ws-client.ts';
import { freeze } from '../../helpers/freeze.ts';

/** Goes on until the signal. A request that is refused is part of it. */
export async function peopleAtWork({ urls, users, roomId }: LocalFile, signal: AbortSignal): Promise<void> {
  const [alice, bob, charlie] = users;
  if (!alice || !bob || !charlie) throw new Error('the demo users are missing');
  const entry = `${urls.chat.replace('http', 'ws')}/api/ws`;
  const sockets = [await WsClient.login(entry, alice.token), await WsClient.login(entry, bob.token)];
  for (const socket of sockets) await socket.join(roomId);
  const get = (path: string, base = urls.gateway) =>
    fetch(`${base}${path}`, { headers: { authorization: `Bearer ${alice.token}` }, signal }).then((answer) => answer.text());
  const login = (password: string) =>
    fetch(`${urls.gateway}/api/v1/auth/login`, {
      ...{ method: 'POST', signal, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ email: charlie.email, password }),
    }).then((answer) => answer.text());
  try {
    for (let round = 0; !signal.aborted; round++) {
      await sockets[round % 2]?.say(roomId, `message ${round}`, `load-${round}`);
      sockets[0]?.send({ type: 'typing', room_id: roomId, is_typing: true });
      // A wrong frame now and then: several in a minute close the socket. And soon more logins than an address may try.
      if (round % 20 === 0) sockets[1]?.send({ type: 'nonsense' });
      await login(round === 0 ? charlie.password : 'wrong password');
      await get('/api/v1/users/me');
      await get(`/api/v1/users/${bob.id}`);
      await get('/api/rooms');
      await get(`/api/rooms/${roomId}/messages?limit=5`, urls.chat);
      await get(`/api/presence?user_ids=${bob.id}`, urls.chat);
      // A pace, nothing is waited for.
      await sleep(1500, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

/** One call that fails: core stands still, and the gateway answers in its place. Returns the status. */
export async function callWithoutCore({ urls, users, pids }: LocalFile): Promise<number> {
  const core = pids['core'];
  if (core === undefined) throw new Error('core does not run');
  await freeze(core);
  try {
    const headers = { authorization: `Bearer ${users[0]?.token}` };
    return (await fetch(`${urls.gateway}/api/rooms`, { headers })).status;
  } finally {
    process.kill(core, 'SIGCONT');
  }
}
