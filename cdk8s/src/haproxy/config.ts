// The HAProxy configuration, one pure function for the operator and for `npm start`.
// Facts behind the choices (what keeps and what closes sockets, DNS, file descriptors) were measured on HAProxy 2.6 and 3.0.
import type { HaproxyInput, Upstream } from './input.ts';
import { problem } from './problem.ts';

/** Returns haproxy.cfg. Same input, same bytes. */
export function haproxyConfig(input: HaproxyInput): string {
  const sections = [
    global(input),
    defaults(),
    input.resolvers ? resolvers() : undefined,
    gatewayFrontend(input),
    chatFrontend(input),
    statsFrontend(input),
    backend('gateway', 'roundrobin', input.gateway),
    backend('core', 'roundrobin', input.core),
    // leastconn: after a restart round robin would leave the new replica with its share of new sockets only. slowstart: a fresh
    // replica does not take a whole reconnect storm. http-reuse never: a socket is one client's for its life.
    backend('chat', 'leastconn', input.chat, ['http-reuse never'], ' slowstart 10s'),
    // The same replicas once more, in turns: asking for health a few times names several instances.
    backend('chat_health', 'roundrobin', input.chat),
  ];
  return sections.filter((section) => section !== undefined).join('\n');
}

function section(head: string, lines: readonly (string | undefined)[]): string {
  return [head, ...lines.filter((line) => line !== undefined).map((line) => `  ${line}`), ''].join('\n');
}

function global(input: HaproxyInput): string {
  return section('global', [
    `maxconn ${input.maxconn}`,
    `fd-hard-limit ${input.fdHardLimit}`,
    `hard-stop-after ${input.hardStopAfterSeconds}s`,
    `stats socket ${input.runtimeSocket} mode 600 level admin`,
    'log stdout format raw local0 info',
    // tls.crt has its key in tls.key, as Kubernetes names them.
    ...(input.tls ? ['ssl-load-extra-del-ext', 'ssl-default-bind-options ssl-min-ver TLSv1.2'] : []),
  ]);
}

/** JSON lines like those of the services. Only the path is logged: a query may hold a token. */
const LOG_FORMAT =
  '{"level":"INFO","time":"%[date,utime(%Y-%m-%dT%H:%M:%SZ)]","service":"haproxy","msg":"request","request_id":"%ID","client":"%ci","frontend":"%f","backend":"%b",' +
  '"server":"%s","method":"%HM","path":"%[var(txn.path),json(utf8s)]","status":%ST,"duration_ms":%Ta,"bytes":%B,"end":"%ts"}';

/** A connection that ended before a request: a handshake that failed, for instance. */
const ERROR_LOG_FORMAT =
  '{"level":"WARN","time":"%[date,utime(%Y-%m-%dT%H:%M:%SZ)]","service":"haproxy","msg":"connection failed","client":"%ci","frontend":"%f",' +
  '"reason":"%[fc_err_str]"}';

function defaults(): string {
  return section('defaults', [
    'mode http',
    'log global',
    `log-format '${LOG_FORMAT}'`,
    `error-log-format '${ERROR_LOG_FORMAT}'`,
    'option dontlognull',
    'option redispatch 1',
    'retries 3',
    'option clitcpka',
    'option srvtcpka',
    'timeout connect 3s',
    'timeout client 60s',
    'timeout server 60s',
    'timeout http-request 10s',
    'timeout http-keep-alive 60s',
    'timeout queue 5s',
    'timeout check 2s',
    'timeout client-fin 5s',
    'timeout server-fin 5s',
    // Replaces the client and server timeouts once a socket is upgraded; far above the ping interval.
    'timeout tunnel 1h',
    ...([400, 408, 500, 502, 503, 504] as const).map((status) => `http-error ${problem(status)}`),
  ]);
}

function resolvers(): string {
  return section('resolvers kube', [
    'parse-resolv-conf',
    'accepted_payload_size 8192',
    'resolve_retries 3',
    'timeout resolve 1s',
    'timeout retry 1s',
    'hold valid 5s',
    'hold obsolete 10s',
  ]);
}

/** The client's address is what HAProxy saw, unless a proxy that we were told to trust already says it. */
function clientAddress({ trustedProxies }: HaproxyInput): string[] {
  if (trustedProxies.length === 0)
    return ['http-request del-header Forwarded', 'http-request del-header X-Real-IP', 'http-request set-header X-Forwarded-For %[src]'];
  return [
    `acl trusted_proxy src ${trustedProxies.join(' ')}`,
    'http-request del-header Forwarded unless trusted_proxy',
    'http-request del-header X-Real-IP unless trusted_proxy',
    'http-request del-header X-Forwarded-For unless trusted_proxy',
    'http-request set-header X-Forwarded-For %[src] unless { req.hdr(X-Forwarded-For) -m found }',
  ];
}

function connectionRate({ perIpConnRate, trustedProxies }: HaproxyInput): string[] {
  if (perIpConnRate === 0) return [];
  return [
    'stick-table type ipv6 size 100k expire 30s store conn_rate(10s)',
    // A port-forward arrives from loopback whoever it is for; nothing outside can have that source.
    `tcp-request connection track-sc0 src unless { src ${['127.0.0.0/8', '::1', ...trustedProxies].join(' ')} }`,
    `http-request return ${problem(429)} hdr Retry-After 10 if { sc_conn_rate(0) gt ${perIpConnRate} }`,
  ];
}

/** A socket is upgraded from HTTP/1.1, so the chat port offers nothing else. */
const ALPN = { chat: 'http/1.1', gateway: 'h2,http/1.1' };

function frontend(input: HaproxyInput, name: 'chat' | 'gateway', lines: readonly string[]): string {
  const tls = input.tls ? ` ssl crt ${input.tls.certificate} alpn ${ALPN[name]}` : '';
  return section(`frontend ${name}`, [
    `bind ${input.bindAddress}:${input.listen[name]}${tls}`,
    // A twentieth is kept for the stats port: with all connections taken by sockets, probes and scrapes still get in.
    `maxconn ${Math.floor(input.maxconn * 0.95)}`,
    ...connectionRate(input),
    // The id is in the log, in every answer of HAProxy's own and, by the header, in the services' logs.
    'unique-id-format %[uuid()]',
    'unique-id-header X-Request-Id',
    'http-request del-header X-Request-Id',
    'http-request set-var(txn.path) path',
    ...clientAddress(input),
    ...lines,
  ]);
}

function gatewayFrontend(input: HaproxyInput): string {
  return frontend(input, 'gateway', ['default_backend gateway']);
}

function chatFrontend(input: HaproxyInput): string {
  return frontend(input, 'chat', [
    'acl api path_beg /api/',
    'acl page path /test-client.html',
    `http-request return ${problem(404)} unless api or page`,
    'use_backend chat if { path /api/ws }',
    'use_backend chat_health if { path /api/health }',
    'default_backend core',
  ]);
}

function statsFrontend({ bindAddress, listen, stats }: HaproxyInput): string {
  const credentials = 'user' in stats ? `${stats.user}:${stats.password}` : `\${${stats.userEnv}}:\${${stats.passwordEnv}}`;
  return section('frontend stats', [
    `bind ${bindAddress}:${listen.stats}`,
    'option dontlog-normal',
    'monitor-uri /healthz',
    'monitor fail if { stopping }',
    'http-request set-var(txn.path) path',
    'http-request use-service prometheus-exporter if { path /metrics }',
    'stats enable',
    'stats uri /',
    'stats refresh 5s',
    'stats hide-version',
    // Double quotes: HAProxy puts environment variables in.
    `stats auth "${credentials}"`,
  ]);
}

/** Checks ask the admin port: a draining instance is not ready there while its sockets stay. */
const CHECK = [
  'option httpchk',
  'http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host parley',
  'http-check expect status 200',
  'default-server check inter 1s fastinter 500ms fall 2 rise 1',
];

// eslint-disable-next-line max-params -- one call for each backend, read side by side above
function backend(name: string, balance: string, upstream: Upstream, lines: readonly string[] = [], options = ''): string {
  const servers =
    'servers' in upstream
      ? upstream.servers.map(({ name, host, port, adminPort }) => `server ${name} ${host}:${port} check port ${adminPort}${options}`)
      : // Never `resolve-opts allow-dup-ip`: one pod would fill most slots. `init-addr none`: start before the names exist.
        [
          `server-template ${name}- ${upstream.template.slots} ${upstream.template.fqdn}:${upstream.template.port} ` +
            `check port ${upstream.template.adminPort} resolvers kube init-addr none${options}`,
        ];
  return section(`backend ${name}`, [`balance ${balance}`, ...lines, ...CHECK, ...servers]);
}
