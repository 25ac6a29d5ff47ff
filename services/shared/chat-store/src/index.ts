// The MySQL side of chat: migrations, ids, the message-log writer (group commit) and readers.
export * from './connection/index.ts';
export * from './entries.ts';
export * from './ids.ts';
export * from './memberships.ts';
export * from './migrations.ts';
export * from './read-marks.ts';
export * from './room-updates.ts';
export * from './rooms.ts';
export * from './system-entry.ts';
export * from './writer-plan.ts';
export * from './writer.ts';
