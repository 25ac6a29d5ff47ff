// Golden samples of what clients send. The type asks for one of each frame.
import type { ClientFrame } from '@parley/protocol';
import type { FrameSample } from './frame-sample.ts';

const room_id = '0190a8b0-0000-7000-8000-000000000001';

export const clientSamples: { [Name in ClientFrame['type']]: FrameSample<Extract<ClientFrame, { type: Name }>> } = {
  auth: {
    about:
      'Proves who the user is: as the first frame when the upgrade carried neither a token nor a ticket, and later with a fresh token on the live socket.',
    frame: { type: 'auth', token: 'eyJhbGciOiJFZERTQSJ9.eyJ1c2VyX2lkIjo3fQ.c2lnbmF0dXJl' },
  },
  join_room: {
    about:
      'Asks for the live entries of a room. With `after_seq` the server first sends what came after that position. Members only; the answer is `joined` or `error`.',
    frame: { type: 'join_room', room_id, after_seq: 41, epoch: '01J9ZC' },
  },
  leave_room: {
    about: 'Ends the live entries on this socket. The membership stays. The answer is `left`.',
    frame: { type: 'leave_room', room_id },
  },
  message: {
    about:
      'Sends a message to a room; joining it first is not needed. The answer is `ack` after the commit. With a `client_msg_id` it can be sent again safely: it is stored once.',
    frame: { type: 'message', room_id, content: 'Hello!', message_type: 'text', metadata: { mood: 'fine' }, client_msg_id: 'm-17_a' },
  },
  read: { about: 'Moves the read marker of the user forward, never back.', frame: { type: 'read', room_id, seq: 42 } },
  typing: {
    about: 'Tells the others in the room that the user types or has stopped. What comes too fast is dropped without an answer.',
    frame: { type: 'typing', room_id, is_typing: true },
  },
  ping: { about: 'Asks for a `pong`: for clients that cannot send WebSocket pings, such as browsers.', frame: { type: 'ping' } },
};
