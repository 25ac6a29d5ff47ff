// The wire protocol of Parley as schemas: frames, REST shapes, events, error and close codes, limits. No I/O.
export * from './client-frames.ts';
export * from './close-codes.ts';
export * from './error-codes.ts';
export * from './events.ts';
export * from './limits.ts';
export * from './parse-frame.ts';
export * from './rest.ts';
export * from './room-events.ts';
export * from './server-frames.ts';
export * from './system-event.ts';
export * from './user-events.ts';
