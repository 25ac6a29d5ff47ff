// What core publishes to replicas: every payload of the room and user channels, in order.
import assert from 'node:assert/strict';
import { createRedis, createSubscriber, type RedisClient } from '@parley/kit/redis';
import { decodeFanout, encodeEvents, userChannel, type FanoutHeader } from '@parley/live';
import { serverFrames } from '@parley/protocol';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { log } from './core-stack.ts';
import { eventually } from '../../helpers/eventually.ts';

export type HeardFrame = Record<string, unknown>;
export interface Heard {
  channel: string;
  header: FanoutHeader;
  frames: HeardFrame[];
}

function assertFrame(frame: HeardFrame): void {
  const schema = serverFrames[frame['type'] as keyof typeof serverFrames] as TSchema | undefined;
  assert.ok(schema && Value.Check(schema, frame), `not a frame of the protocol: ${JSON.stringify(frame)}`);
}

export class Channels {
  readonly #heard: Heard[] = [];
  readonly #redis: RedisClient;
  readonly #subscriber: RedisClient;
  #markers = 0;

  constructor(redisUrl: string) {
    this.#redis = createRedis(redisUrl, 'test', log);
    this.#subscriber = createSubscriber(redisUrl, 'test', log);
    this.#subscriber.on('pmessageBuffer', (_pattern: Buffer, channel: Buffer, payload: Buffer) => {
      const decoded = decodeFanout(payload);
      assert.ok(decoded, `payload of ${channel.toString()}`);
      const frames = decoded.frames.map((frame) => JSON.parse(frame.toString()) as HeardFrame);
      for (const frame of frames) assertFrame(frame);
      this.#heard.push({ channel: channel.toString(), header: decoded.header, frames });
    });
  }

  async start(): Promise<this> {
    await this.#subscriber.psubscribe('chat:room:*', 'chat:user:*');
    await eventually('redis client is connected', () => this.#redis.status === 'ready');
    return this;
  }

  /** Frames sent to a user before this call. */
  async toUser(userId: number): Promise<HeardFrame[]> {
    await this.#settled();
    return this.#heard.filter(({ channel }) => channel === userChannel(userId)).flatMap(({ frames }) => frames);
  }
  /** Payloads sent to a room before this call. */
  async onRoom(roomId: string): Promise<Heard[]> {
    await this.#settled();
    return this.#heard.filter(({ channel }) => channel === `chat:room:${roomId}`);
  }
  /** Forgets what was published before this call. */
  async clear(): Promise<void> {
    await this.#settled();
    this.#heard.length = 0;
  }
  stop(): void {
    this.#subscriber.disconnect();
    this.#redis.disconnect();
  }

  /** Redis delivers in order: when the marker is heard, so is everything that was published before it. */
  async #settled(): Promise<void> {
    const marker = `chat:user:marker-${++this.#markers}`;
    await this.#redis.publish(marker, encodeEvents({ from: 'marker' }, [{ type: 'pong' }]));
    await eventually('the marker is heard', () => this.#heard.some(({ channel }) => channel === marker));
  }
}
