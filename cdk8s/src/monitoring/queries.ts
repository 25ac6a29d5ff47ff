// PromQL of services and HAProxy, once for alerts and dashboards. Metrics are those of docs/reference/metrics.md and of HAProxy's exporter.
import { OF, type Scope } from './scope.ts';

/** Only what the queries need of a scope. */
type Selectors = Pick<Scope, 'cluster' | 'window'>;

export function chatQueries({ cluster: c, window: w }: Selectors) {
  const each = `${OF}, instance`;
  return {
    sockets: `sum by (${each}) (websocket_connections{${c}})`,
    socketsInAll: `sum(websocket_connections{${c}})`,
    socketsShare: `websocket_connections{${c}} / websocket_connections_max{${c}}`,
    users: `sum(users_online_total{${c}})`,
    rooms: `sum(chat_rooms_active{${c}})`,
    messages: `sum by (service) (rate(chat_messages_sent_total{${c}}[${w}]))`,
    messagesInAll: `sum(rate(chat_messages_sent_total{${c}}[${w}]))`,
    framesSent: `sum(rate(websocket_messages_sent_total{${c}}[${w}]))`,
    framesReceived: `sum(rate(websocket_messages_received_total{${c}}[${w}]))`,
    errorFrames: `sum by (code) (rate(websocket_errors_total{${c}}[${w}]))`,
    closed: `sum by (code) (rate(websocket_closed_total{${c}}[${w}]))`,
    slow: `sum by (${each}) (chat_slow_sockets{${c}})`,
    slowClosed: `sum by (${OF}) (increase(websocket_closed_total{${c},code="4408"}[10m]))`,
    skipped: `sum by (${each}) (rate(chat_ephemeral_skipped_total{${c}}[${w}]))`,
    queueShare: `chat_writer_queue{${c}} / chat_writer_queue_max{${c}}`,
    queued: `sum by (${each}) (chat_writer_queue{${c}})`,
    commitSeconds: (quantile: number) =>
      `histogram_quantile(${quantile}, sum by (le) (rate(chat_commit_duration_seconds_bucket{${c}}[${w}])))`,
    commitMessages: `sum(rate(chat_commit_messages_sum{${c}}[${w}])) / sum(rate(chat_commit_messages_count{${c}}[${w}]))`,
    commitFailures: `sum by (${OF}, service, failure) (rate(chat_commit_failures_total{${c}}[${w}]))`,
    repaired: `sum by (${each}) (rate(chat_repaired_entries_total{${c}}[${w}]))`,
    presenceEvents: `sum by (outcome) (rate(chat_presence_events_total{${c}}[${w}]))`,
    redisConnected: `min by (${each}) (chat_redis_connected{${c}})`,
    /** seconds until a drain closes what is left; negative or very old where there is none */
    drainLeft: `chat_drain_ends_timestamp_seconds{${c}} - time()`,
  };
}

export function canaryQueries({ cluster: c, window: w }: Selectors) {
  return {
    broken: (kind: string) => `sum by (${OF}) (increase(parley_canary_broken_promises_total{${c},kind="${kind}"}[10m]))`,
    brokenInRange: `sum by (kind) (increase(parley_canary_broken_promises_total{${c}}[$__range]))`,
    ackedIn: (minutes: number) => `sum by (${OF}) (increase(parley_canary_acked_total{${c}}[${minutes}m]))`,
    acked: `sum(rate(parley_canary_acked_total{${c}}[${w}]))`,
    sockets: `sum(parley_canary_sockets{${c}})`,
    seconds: (quantile: number) => `histogram_quantile(${quantile}, sum by (le) (rate(parley_canary_delivery_seconds_bucket{${c}}[${w}])))`,
  };
}

export function serviceQueries({ cluster: c, window: w }: Selectors) {
  return {
    requests: `sum by (service, status) (rate(http_requests_total{${c}}[${w}]))`,
    requestSeconds: (quantile: number) =>
      `histogram_quantile(${quantile}, sum by (le, service) (rate(http_request_duration_seconds_bucket{${c}}[${w}])))`,
    requestSecondsMean: `sum by (service) (rate(http_request_duration_seconds_sum{${c}}[${w}])) / sum by (service) (rate(http_request_duration_seconds_count{${c}}[${w}]))`,
    serverErrorShare: `sum by (service) (rate(http_requests_total{${c},status=~"5.."}[${w}])) / sum by (service) (rate(http_requests_total{${c}}[${w}]))`,
    logins: `sum by (action, result) (rate(auth_attempts_total{${c}}[${w}]))`,
    hashesWaiting: `sum(auth_password_hashes_waiting{${c}})`,
    refused: `sum by (${OF}, service, event) (rate(rate_limit_exceeded_total{${c}}[${w}]))`,
    decidedAlone: `sum by (${OF}, service) (rate(rate_limit_local_decisions_total{${c}}[${w}]))`,
    cacheHitShare: `sum by (cache) (rate(cache_hits_total{${c}}[${w}])) / sum by (cache) (rate(cache_requests_total{${c}}[${w}]))`,
    checks: `min by (${OF}, service, check) (parley_readiness_check{${c}})`,
    unreached: `min by (${OF}, service, check) (parley_readiness_check{${c},check=~"mysql|postgres"})`,
    memory: `sum by (service, instance) (process_resident_memory_bytes{${c}})`,
    eventLoop: `max by (service, instance) (nodejs_eventloop_lag_p99_seconds{${c}})`,
    cpu: `sum by (service, instance) (rate(process_cpu_seconds_total{${c}}[${w}]))`,
  };
}

export function eventQueries({ cluster: c, window: w }: Selectors) {
  const group = `${OF}, group, topic`;
  return {
    produced: `sum by (topic) (rate(kafka_messages_produced_total{${c}}[${w}]))`,
    consumed: `sum by (group, topic) (rate(kafka_messages_consumed_total{${c}}[${w}]))`,
    // Every worker measures every partition.
    lag: `sum by (${group}) (max by (${group}, partition) (kafka_consumer_lag{${c}}))`,
    brokerUp: `max by (${OF}) (kafka_broker_up{${c}})`,
    outboxRows: `max by (${OF}, database) (parley_outbox_rows{${c}})`,
    outboxSeconds: `max by (${OF}, database) (parley_outbox_oldest_seconds{${c}})`,
    relays: `sum by (${OF}, database) (parley_outbox_relay_active{${c}})`,
    retries: `sum by (group) (rate(parley_consumer_retries_total{${c}}[${w}]))`,
    restarts: `sum by (group) (increase(parley_consumer_restarts_total{${c}}[${w}]))`,
    webhooksWaiting: `max by (${OF}) (parley_webhook_waiting{${c}})`,
    webhookAttempts: `sum by (result) (rate(parley_webhook_attempts_total{${c}}[${w}]))`,
    notifications: `sum by (result) (rate(parley_notifications_total{${c}}[${w}]))`,
    /** `at`: for instance ` offset 10m` */
    outboxLetters: (at = '') => `sum by (${OF}, topic) (parley_outbox_dead_letters_total{${c}}${at})`,
    consumerLetters: (at = '') => `sum by (${group}) (parley_consumer_dead_letters_total{${c}}${at})`,
  };
}

export function haproxyQueries({ cluster: c, window: w, backends }: Selectors & Pick<Scope, 'backends'>) {
  return {
    sessions: `sum by (proxy) (haproxy_frontend_current_sessions{${c},proxy=~"chat|gateway"})`,
    sessionShare: `haproxy_frontend_current_sessions{${c},proxy=~"chat|gateway"} / haproxy_frontend_limit_sessions{${c},proxy=~"chat|gateway"}`,
    newSessions: `sum by (proxy) (rate(haproxy_frontend_sessions_total{${c},proxy=~"chat|gateway"}[${w}]))`,
    requests: `sum by (proxy) (rate(haproxy_backend_http_requests_total{${c}}[${w}]))`,
    responses: `sum by (proxy, code) (rate(haproxy_backend_http_responses_total{${c},code!="other"}[${w}]))`,
    errorShare: `sum by (${OF}, proxy) (rate(haproxy_backend_http_responses_total{${c},code="5xx"}[${w}])) / sum by (${OF}, proxy) (rate(haproxy_backend_http_responses_total{${c}}[${w}]))`,
    errors: `sum by (${OF}, proxy) (rate(haproxy_backend_http_responses_total{${c},code="5xx"}[${w}]))`,
    connectErrors: `sum by (proxy) (rate(haproxy_backend_connection_errors_total{${c}}[${w}]))`,
    queue: `sum by (proxy) (haproxy_backend_current_queue{${c}})`,
    /** at the HAProxy that sees the fewest */
    servers: `min by (${OF}, proxy) (haproxy_backend_active_servers{${c},proxy=~"${backends}"})`,
    chatServers: `min by (${OF}) (haproxy_backend_active_servers{${c},proxy="chat"})`,
    serverSessions: `sum by (server) (haproxy_server_current_sessions{${c},proxy="chat"}) > 0`,
    bytesIn: `sum by (proxy) (rate(haproxy_frontend_bytes_in_total{${c}}[${w}]))`,
    bytesOut: `sum by (proxy) (rate(haproxy_frontend_bytes_out_total{${c}}[${w}]))`,
    certificateSeconds: `min by (${OF}) (parley_tls_certificate_expiry_timestamp_seconds{${c}} > 0) - time()`,
    certificateFailures: `sum by (${OF}) (increase(parley_tls_certificate_looks_total{${c},result="failed"}[${w}]))`,
  };
}
