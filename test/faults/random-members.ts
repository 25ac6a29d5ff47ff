// Members of the run's rooms who leave, are removed and come back: by REST as users do it, or in the database without any news of it,
// as when core dies between commit and announcement.
import type { RowDataPacket } from 'mysql2';
import { toBinary } from '@parley/chat-store';
import type { ChatCluster } from '../helpers/chat-cluster.ts';
import { changeMembership } from '../helpers/membership.ts';
import type { CoreProcess } from './core-process.ts';

/** Part of the changes that nobody announces. */
const SILENT = 0.2;

export interface RandomMembersOptions {
  cluster: ChatCluster;
  core: CoreProcess;
  random: () => number;
  /** who is in each room at the start; the first one is its admin and stays */
  members: ReadonlyMap<string, readonly number[]>;
  onBack: (room: string, userId: number) => void;
}

export class RandomMembers {
  readonly #options: RandomMembersOptions;
  readonly #active: Map<string, Set<number>>;
  /** rooms with a change under way: one at a time, so that the next one knows who is a member */
  readonly #changing = new Set<string>();

  constructor(options: RandomMembersOptions) {
    this.#options = options;
    this.#active = new Map([...options.members].map(([room, ids]) => [room, new Set(ids)]));
  }

  get busy(): boolean {
    return this.#changing.size > 0;
  }

  /** Changes one membership of the room; outages are part of the run. */
  async change(room: string): Promise<void> {
    if (this.#changing.has(room)) return;
    this.#changing.add(room);
    try {
      await this.#change(room);
    } finally {
      this.#changing.delete(room);
    }
  }

  async #change(room: string): Promise<void> {
    const { random, members, onBack } = this.#options;
    const [admin = 0, ...others] = members.get(room) ?? [];
    const active = this.#active.get(room) as Set<number>;
    const away = others.filter((user) => !active.has(user));
    const here = others.filter((user) => active.has(user));
    const comesBack = away.length > 0 && (here.length === 0 || random() < 0.5);
    const user = pick(comesBack ? away : here, random);
    if (user === undefined) return;
    const event = comesBack ? 'member_joined' : random() < 0.5 ? 'member_left' : 'member_removed';
    const silent = random() < SILENT;
    try {
      if (silent) await changeMembership(this.#options.cluster.pool, { roomId: room, userId: user, event });
      else await this.#byRest({ room, user, admin, event });
    } catch {
      // Nothing was answered: the database says below what has happened.
    }
    await this.#readActive(room, user);
    if (comesBack && active.has(user)) onBack(room, user);
  }

  async #byRest({ room, user, admin, event }: { room: string; user: number; admin: number; event: string }): Promise<void> {
    const { core } = this.#options;
    if (event === 'member_left') return void (await core.call(user, 'POST', `/api/rooms/${room}/leave`));
    if (event === 'member_removed') return void (await core.call(admin, 'DELETE', `/api/rooms/${room}/members/${user}`));
    const { body } = await core.call(admin, 'POST', `/api/rooms/${room}/members`, { body: { user_ids: [user] } });
    const [invitation] = (body['invitations'] ?? []) as { id: string }[];
    if (invitation) await core.call(user, 'POST', `/api/invitations/${invitation.id}/accept`);
  }

  async #readActive(room: string, user: number): Promise<void> {
    const active = this.#active.get(room) as Set<number>;
    try {
      const [rows] = await this.#options.cluster.pool.query<RowDataPacket[]>(
        "SELECT 1 FROM room_members WHERE room_id = ? AND user_id = ? AND state = 'active'",
        [toBinary(room), user],
      );
      if (rows.length > 0) active.add(user);
      else active.delete(user);
    } catch {
      // Away: the next change of this user finds out.
    }
  }
}

export function pick<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)];
}
