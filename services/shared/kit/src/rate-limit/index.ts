// Rate limits: the bucket, the port with its two adapters, and what callers are told.
export { LocalBucket, takeTokens, type BucketAnswer, type BucketLimit } from './bucket.ts';
export { LIMIT_HEADERS, limitError, setLimitHeaders } from './http.ts';
export { LocalRateLimiter, type Decision, type RateLimiter, type RateLimitTake } from './limiter.ts';
export { createRateLimitMetrics, type RateLimitMetrics } from './metrics.ts';
export { createRateLimiter, type SharedLimiterOptions } from './shared-limiter.ts';
