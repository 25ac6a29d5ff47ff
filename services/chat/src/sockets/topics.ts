// The binding's app and its topics. It comes before everything that publishes, and long before anything listens.
import type { TemplatedApp } from 'uWebSockets.js';
import type { Topics } from '../ports.ts';
import { uws } from './uws.ts';

export class SocketTopics implements Topics {
  /** For the edge, which adds its routes. */
  readonly app: TemplatedApp = uws().App();
  /** frames of rooms; what goes to one socket alone is not counted */
  framesSent = 0;

  /** Delivers one encoded frame to every socket of a topic. Frames published in one turn share a write per socket. */
  publish(topic: string, frame: Buffer): void {
    this.app.publish(topic, frame, false);
    this.framesSent += this.app.numSubscribers(topic);
  }
}
