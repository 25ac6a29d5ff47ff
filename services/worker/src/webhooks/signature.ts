// The signature of a delivery: the receiver computes it over the body it got and compares. The time in it bounds replays by others.
import { createHmac } from 'node:crypto';

export const SIGNATURE_HEADER = 'x-parley-signature';

/** `t=<unix seconds>,v1=<hex>` over `t.body` with HMAC-SHA256. */
export function signatureOf(body: string, { secret, at }: { secret: string; at: Date }): string {
  const time = Math.floor(at.getTime() / 1000);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')}`;
}
