// The sockets of one user while the subscription to the user's channel is under way: none is welcomed before events for the user arrive here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authenticate } from '../../../services/chat/src/commands/authenticate.ts';
import type { ChatContext } from '../../../services/chat/src/context.ts';
import type { Fanout } from '../../../services/chat/src/ports.ts';
import { Session } from '../../../services/chat/src/sockets/session.ts';
import { LocalUsers } from '../../../services/chat/src/users/local-users.ts';
import { UserEvents } from '../../../services/chat/src/users/user-events.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const subscriptions: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const subscribe = () => new Promise<void>((resolve, reject) => subscriptions.push({ resolve, reject }));
  const fanout: Fanout = { connected: true, subscribe, unsubscribe: () => {}, publish: () => {} };
  const users = new LocalUsers();
  const context = {
    ...{ users, userEvents: new UserEvents({ users, fanout, instance: 'here' }), instance: 'here', messageMaxBytes: 8192 },
    verifier: { verify: () => Promise.resolve({ userId: 7, name: 'seven' }) },
    revocations: { find: () => undefined },
    presence: { connected: () => {} },
    caps: { opened: () => Promise.resolve() },
    metrics: { errors: { inc: () => {} } },
  } as unknown as ChatContext;
  const connect = (id: string) => {
    const session = new Session({ id, address: 'a', credential: undefined, nowMs: 0, pagedLimits: { bufferedMax: 1, turnMax: 1 } });
    const done = authenticate(context, session, { kind: 'token', value: 't' });
    return { session, done };
  };
  return { connect, subscriptions };
}

describe('welcome', () => {
  test('the second socket of a user waits for the subscription that the first one has begun', async () => {
    const { connect, subscriptions } = setUp();
    const [first, second] = [connect('1'), connect('2')];
    await nextTurn();
    assert.deepEqual([first.session.state, second.session.state, subscriptions.length], ['pending', 'pending', 1]);
    subscriptions[0]?.resolve();
    await Promise.all([first.done, second.done]);
    assert.deepEqual([first.session.state, second.session.state], ['open', 'open']);
    const third = connect('3');
    await third.done;
    assert.deepEqual([third.session.state, subscriptions.length], ['open', 1], 'nothing is asked again once it stands');
  });
});
