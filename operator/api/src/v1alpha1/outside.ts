// The parts of the spec that name somebody else's services: issuers of tokens, receivers of webhooks and notifications, a
// collector of traces.
import { Type } from '@sinclair/typebox';
import { pattern, rules, SecretRef, section } from './schema-parts.ts';

/** A name that may have a path; the length bounds the cost of the rules that compare it. */
const HttpUrl = (description: string) =>
  Type.String({
    maxLength: 500,
    description,
    ...pattern(
      '^https?://[^\\s/]+(/\\S*)?$',
      'must be a URL that begins with http:// or https://, for instance https://id.example.org/keys',
    ),
  });

const Issuer = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: 253, description: 'The iss claim, exactly' }),
    audience: Type.Optional(
      Type.String({ minLength: 1, maxLength: 253, description: 'The expected aud claim; parley when it is left out' }),
    ),
    jwksUrl: Type.Optional(HttpUrl('Key set for EdDSA, ES256 and RS256')),
    hs256SecretRef: Type.Optional(SecretRef('secret', 'Instead of a key set: a shared secret of at least 32 bytes, for HS256 only')),
    userIdMin: Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description:
        'The least user id that this issuer may name; above the ids of auth, which count from 1, it cannot speak for their users',
    }),
    userIdClaim: Type.String({ minLength: 1, maxLength: 100, default: 'user_id', description: 'Claim with the id of the user, a number' }),
    nameClaim: Type.String({ minLength: 1, maxLength: 100, default: 'name', description: 'Claim with the name of the user' }),
  },
  {
    description: 'An issuer whose tokens are taken beside those of auth',
    ...rules({
      rule: 'has(self.jwksUrl) != has(self.hs256SecretRef)',
      message: 'an issuer needs either jwksUrl or hs256SecretRef, and not both: they say with which keys its tokens are checked',
    }),
  },
);

export const Issuers = Type.Array(Issuer, {
  default: [],
  maxItems: 10,
  description: 'Issuers whose tokens are taken beside those of auth',
  ...rules(
    {
      rule: 'self.all(one, self.exists_one(other, other.issuer == one.issuer))',
      message: 'each issuer may stand in the list once, for the issuer of a token chooses its keys: remove one of the two',
    },
    {
      rule: "self.all(one, one.issuer != 'parley')",
      message: 'the issuer parley is the one of auth: give the other one another name',
    },
  ),
});

export const Webhooks = section(
  {
    allowPrivate: Type.Boolean({
      default: false,
      description: 'Webhooks may go to private addresses; only where everybody with an admin key may reach all that the worker reaches',
    }),
    failuresMax: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 25,
      description: 'Failures in a row after which a webhook is disabled; with 25 after about three hours',
    }),
  },
  { description: 'Webhooks, which people with an admin key make over REST' },
);

export const Notifications = Type.Object(
  {
    url: HttpUrl('Gets a notification for each message to members who are offline; may be private'),
    secretRef: SecretRef('secret', 'Signs the notifications; at least 16 characters'),
  },
  { description: 'Where notifications for offline members go; none are made when it is left out' },
);

export const Tracing = Type.Object(
  {
    endpoint: HttpUrl(
      'Base URL of an OpenTelemetry collector that takes OTLP over HTTP, for instance http://collector.observability.svc.cluster.local:4318',
    ),
    samplePercent: Type.Number({
      minimum: 0,
      maximum: 100,
      default: 1,
      description: 'Share of the traces that are recorded; of those with a caller only what the caller records',
    }),
    headersSecretRef: Type.Optional(SecretRef('secret', 'Headers for the collector, name=value with commas between')),
  },
  { description: 'Where the services send traces; none are recorded when it is left out' },
);
