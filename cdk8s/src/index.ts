// Manifests of a ChatCluster, and the HAProxy configuration that local mode uses, too.
export { haproxyConfig } from './haproxy/config.ts';
export type { HaproxyInput, Upstream, UpstreamServer, UpstreamTemplate } from './haproxy/input.ts';
