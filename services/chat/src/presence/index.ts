// Presence of users in the whole cluster. Not there yet: nobody is shown as online.
export interface Presence {
  connected(userId: number, name: string): void;
  disconnected(userId: number): void;
  ofRoom(roomId: string): Promise<object>;
  start(): void;
  close(): Promise<void>;
}
export function createPresence(_options: object): Presence {
  return {
    connected() {},
    disconnected() {},
    ofRoom: (room_id) => Promise.resolve({ type: 'room_presence', room_id, online_count: 0 }),
    start() {},
    close: () => Promise.resolve(),
  };
}
