// The setting that says where Redis is.
import { FormatRegistry } from '@sinclair/typebox';
import { secret } from '../settings/shapes.ts';
import { isRedisUrl, REDIS_URL_FORMS } from './redis-url.ts';

// A pattern of that length would be all that a message, or the reference, had to say.
const FORMAT = 'redis-url';
FormatRegistry.Set(FORMAT, isRedisUrl);

/** Of a configuration schema. `purpose` says what the service needs it for. */
export const redisUrl = (purpose: string) => secret(`${REDIS_URL_FORMS} (docs/operating/redis.md); ${purpose}`, { format: FORMAT });
