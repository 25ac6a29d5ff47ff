// Who may open a socket: decided synchronously at the upgrade, from the address and the Origin.
import { addressGroup, clientIp, type TrustedProxies } from '@parley/kit/http';
import type { ErrorCodeName } from '@parley/protocol';

export interface AdmissionOptions {
  maxConnections: number;
  maxPerAddress: number;
  allowedOrigins: ReadonlySet<string>;
  allowMissingOrigin: boolean;
  trustedProxies: TrustedProxies;
}

export interface Upgrade {
  origin: string;
  /** the TCP peer */
  peer: string;
  forwardedFor: string;
  draining: boolean;
  connections: number;
}

export type Admission = { ok: true; address: string } | { ok: false; code: ErrorCodeName; detail: string };

export class AdmissionControl {
  readonly #options: AdmissionOptions;
  /** open sockets by address */
  readonly #open = new Map<string, number>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  decide({ origin, peer, forwardedFor, draining, connections }: Upgrade): Admission {
    const { allowedOrigins, allowMissingOrigin, maxConnections, maxPerAddress, trustedProxies } = this.#options;
    if (origin === '' ? !allowMissingOrigin : !allowedOrigins.has(origin)) {
      return { ok: false, code: 'forbidden', detail: origin === '' ? 'An Origin is required' : 'This origin is not allowed' };
    }
    if (draining) return { ok: false, code: 'draining', detail: 'This instance takes no new connections' };
    if (connections >= maxConnections) return { ok: false, code: 'overloaded', detail: 'No more connections on this instance' };
    const address = addressGroup(clientIp(peer, forwardedFor, trustedProxies));
    if ((this.#open.get(address) ?? 0) >= maxPerAddress) {
      return { ok: false, code: 'rate_limited', detail: 'Too many connections from this address' };
    }
    return { ok: true, address };
  }

  opened(address: string): void {
    this.#open.set(address, (this.#open.get(address) ?? 0) + 1);
  }

  closed(address: string): void {
    const left = (this.#open.get(address) ?? 1) - 1;
    if (left > 0) this.#open.set(address, left);
    else this.#open.delete(address);
  }
}
