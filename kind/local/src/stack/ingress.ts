// HAProxy's configuration of a local start.
import type { Ports } from '../ports.ts';
import type { Secrets } from '../secrets.ts';

export function ingressConfig({ ports, secrets }: { ports: Ports; secrets: Secrets }): string {
  const chats = ports.chats.map((chat) => `  server ${chat.name} 127.0.0.1:${chat.port} check port ${chat.admin}`).join('\n');
  return `global
  maxconn 8000
defaults
  mode http
  option redispatch
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  option httpchk GET /readyz
  default-server inter 1s fall 2 rise 1
frontend gateway
  bind 127.0.0.1:${ports.gateway}
  http-request set-header X-Forwarded-For %[src]
  default_backend gateway
frontend chat
  bind 127.0.0.1:${ports.chat}
  http-request set-header X-Forwarded-For %[src]
  acl chat path /api/ws /api/health
  use_backend chat if chat
  default_backend core
backend gateway
  server gateway 127.0.0.1:${ports.gatewayInternal} check port ${ports.admin.gateway}
backend core
  server core 127.0.0.1:${ports.core} check port ${ports.admin.core}
backend chat
  balance leastconn
${chats}
frontend stats
  bind 127.0.0.1:${ports.stats}
  http-request use-service prometheus-exporter if { path /metrics }
  stats enable
  stats uri /
  stats auth ${secrets.statsUser}:${secrets.statsPassword}
`;
}
