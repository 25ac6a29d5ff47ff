// The one owner of connections to the chat database: pools, single connections, their sessions, time limits, and what their errors mean.
export * from './failure.ts';
export * from './limits.ts';
export * from './pool.ts';
export * from './single.ts';
