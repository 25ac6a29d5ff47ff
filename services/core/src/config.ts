// Environment of the core service.
import { commonConfig, secretUrl, tokenConfig } from '@parley/kit';
import { Type, type Static } from '@sinclair/typebox';

export const coreConfig = Type.Object({
  ...commonConfig(8082),
  ...tokenConfig,
  databaseUrl: secretUrl('chat database, mysql://user:password@host:3306/name', 'mysql'),
  usersDatabaseUrl: secretUrl('user database, postgres://user:password@host:5432/name', 'postgres', 'postgresql'),
  redisUrl: secretUrl('redis://:password@host:6379', 'redis', 'rediss'),
});
export type CoreConfig = Static<typeof coreConfig>;
