// What the entries of a room's log say that tell of a change. Clients that know the event show their own words.
import type { Role } from '@parley/protocol';

/** Width of messages.sender_name; names of users are shorter, those of foreign identity providers may not be. */
const NAME_MAX = 120;

export const shortName = (name: string): string => name.slice(0, NAME_MAX);

export const systemTexts = {
  joined: (name: string) => `${name} joined`,
  left: (name: string) => `${name} left`,
  removed: (name: string, by: string) => `${by} removed ${name}`,
  role: (name: string, role: Role, by: string) => `${by} made ${name} ${role === 'admin' ? 'an admin' : 'a member'}`,
  renamed: (name: string, by: string) => `${by} named the room ${name}`,
  deleted: (by: string) => `${by} deleted the room`,
};
