// Subscriptions of one turn travel together, in the order in which they were asked for.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SubscriptionChanges } from '../../../services/chat/src/adapters/subscription-changes.ts';

describe('subscription changes', () => {
  const setUp = () => {
    const sent: string[] = [];
    const answer = (command: string, channels: string[]) => {
      sent.push(`${command} ${channels.join(' ')}`);
      return channels.includes('bad') ? Promise.reject(new Error('refused')) : Promise.resolve();
    };
    const changes = new SubscriptionChanges({
      subscribe: (...channels) => answer('subscribe', channels),
      unsubscribe: (...channels) => answer('unsubscribe', channels),
    });
    return { changes, sent };
  };

  test('what comes in one turn is one command', async () => {
    const { changes, sent } = setUp();
    await Promise.all(['a', 'b', 'c'].map((channel) => changes.add('subscribe', channel)));
    await changes.add('subscribe', 'd');
    assert.deepEqual(sent, ['subscribe a b c', 'subscribe d']);
  });

  test('a change of mind keeps its place', async () => {
    const { changes, sent } = setUp();
    await Promise.all([
      changes.add('subscribe', 'a'),
      changes.add('unsubscribe', 'a'),
      changes.add('subscribe', 'a'),
      changes.add('subscribe', 'b'),
    ]);
    assert.deepEqual(sent, ['subscribe a', 'unsubscribe a', 'subscribe a b']);
  });

  test('a refusal reaches those who asked, not the next ones', async () => {
    const { changes } = setUp();
    await assert.rejects(Promise.all([changes.add('subscribe', 'a'), changes.add('subscribe', 'bad')]), /refused/);
    await changes.add('subscribe', 'c');
  });
});
