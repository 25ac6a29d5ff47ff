// For each alert: series under which it is quiet, fires and is quiet again. Time begins at zero, a sample every ten seconds.

export interface RuleCase {
  alert: string;
  /** series without the labels of the ChatCluster -> values in promtool's notation */
  series: Record<string, string>;
  fires: string;
  quiet: readonly string[];
}

/** Ten minutes, half an hour, forty minutes. */
const gauge = (good: number, bad: number): string => `${good}x59 ${bad}x179 ${good}x239`;
const always = (value: number): string => `${value}x479`;
/** Grows by `step` a sample in the half hour. */
const growing = (step: number): string => `0x59 0+${step}x179 ${step * 179}x239`;
const steady = (step: number): string => `0+${step}x479`;
/** Grows but for the half hour. */
const stalling = (step: number): string => `0+${step}x59 ${step * 60}x179 ${step * 60}+${step}x239`;

const WHOLE = { fires: '39m', quiet: ['9m', '78m'] };
/** About what happens once: looked for in the last ten minutes. */
const ONCE = { fires: '15m', quiet: ['9m', '40m'] };
const DAY = 86_400;

const broken = (name: string, kind: string): RuleCase => ({
  ...ONCE,
  alert: name,
  series: { [`parley_canary_broken_promises_total{kind="${kind}"}`]: '0x59 1x419' },
});
const flipping = (alert: string, series: string, bad = 0, good = 1): RuleCase => ({
  ...WHOLE,
  alert,
  series: { [series]: gauge(good, bad) },
});
const expiring = (alert: string, days: number): RuleCase =>
  flipping(alert, 'parley_tls_certificate_expiry_timestamp_seconds{}', days * DAY, 100 * DAY);

export const clusterCases: readonly RuleCase[] = [
  broken('ParleyMessagesLost', 'lost'),
  broken('ParleyMessagesDuplicated', 'duplicated'),
  broken('ParleyMessagesMisordered', 'misordered'),
  { ...WHOLE, alert: 'ParleyCanarySilent', series: { 'parley_canary_acked_total{}': stalling(2) } },
  {
    ...{ ...WHOLE, alert: 'ParleySocketsNearLimit' },
    series: { 'websocket_connections{instance="chat-0"}': gauge(100, 900), 'websocket_connections_max{instance="chat-0"}': always(1000) },
  },
  {
    ...{ ...WHOLE, alert: 'ParleySlowConsumers' },
    series: { 'websocket_closed_total{code="4408"}': growing(1), 'websocket_connections{instance="chat-0"}': always(500) },
  },
  {
    ...{ ...WHOLE, alert: 'ParleyRateLimitStorm' },
    series: { 'rate_limit_exceeded_total{service="chat",event="message"}': growing(200) },
  },
  {
    // It ends at 660 s: one replica has all of its sockets left, the other none.
    ...{ alert: 'ParleyDrainCutsSockets', fires: '10m55s', quiet: ['9m', '10m35s', '12m'] },
    series: {
      'websocket_connections{instance="chat-0"}': always(100),
      'chat_drain_ends_timestamp_seconds{instance="chat-0"}': '0x59 660x419',
      'websocket_connections{instance="chat-1"}': '100x59 80 40 10 0x416',
      'chat_drain_ends_timestamp_seconds{instance="chat-1"}': '0x59 660x419',
    },
  },
  {
    ...{ ...WHOLE, alert: 'ParleyReplicaNotReady' },
    series: {
      ...Object.fromEntries([0, 1, 2].map((ordinal) => [`websocket_connections{instance="chat-${ordinal}"}`, always(10)])),
      'haproxy_backend_active_servers{instance="one",proxy="chat"}': always(3),
      'haproxy_backend_active_servers{instance="two",proxy="chat"}': gauge(3, 2),
    },
  },
  {
    ...{ ...WHOLE, alert: 'ParleyWriterQueueNearBound' },
    series: { 'chat_writer_queue{instance="chat-0"}': gauge(0, 800), 'chat_writer_queue_max{instance="chat-0"}': always(1000) },
  },
  { ...WHOLE, alert: 'ParleyCommitsFail', series: { 'chat_commit_failures_total{service="chat",failure="connection"}': growing(5) } },
  flipping('ParleyBackendWithoutServers', 'haproxy_backend_active_servers{proxy="core"}', 0, 2),
  {
    ...{ ...WHOLE, alert: 'ParleyEntryNearLimit' },
    series: {
      'haproxy_frontend_current_sessions{proxy="chat"}': gauge(10, 900),
      'haproxy_frontend_limit_sessions{proxy="chat"}': always(1000),
    },
  },
  {
    ...{ ...WHOLE, alert: 'ParleyEntryErrors' },
    series: {
      'haproxy_backend_http_responses_total{proxy="core",code="5xx"}': growing(10),
      'haproxy_backend_http_responses_total{proxy="core",code="2xx"}': steady(50),
    },
  },
  expiring('ParleyCertificateExpiresSoon', 10),
  expiring('ParleyCertificateExpires', 2),
  { ...WHOLE, alert: 'ParleyCertificateRefused', series: { 'parley_tls_certificate_looks_total{result="failed"}': growing(1) } },
  flipping('ParleyDatabaseUnavailable', 'parley_readiness_check{service="chat",check="mysql"}'),
  flipping('ParleyRedisAway', 'chat_redis_connected{instance="chat-0"}'),
  {
    ...WHOLE,
    alert: 'ParleyLimitsDecidedAlone',
    series: { 'rate_limit_local_decisions_total{service="chat",event="message"}': growing(20) },
  },
  flipping('ParleyTargetDown', 'up{component="core",instance="core-0"}'),
  flipping('ParleyOutboxOld', 'parley_outbox_oldest_seconds{database="chat"}', 120, 0),
  flipping('ParleyOutboxFull', 'parley_outbox_rows{database="chat"}', 100_000, 0),
  {
    ...{ ...WHOLE, alert: 'ParleyNoRelay' },
    series: { 'parley_outbox_relay_active{database="chat"}': gauge(1, 0), 'parley_outbox_rows{database="chat"}': always(5) },
  },
  {
    ...{ ...WHOLE, alert: 'ParleyConsumerLag' },
    // Both workers measure the same partition: it counts once.
    series: Object.fromEntries(
      ['a', 'b'].map((instance) => [
        `kafka_consumer_lag{instance="${instance}",group="audit",topic="chat.messages",partition="0"}`,
        gauge(600, 1100),
      ]),
    ),
  },
  {
    ...{ ...ONCE, alert: 'ParleyDeadLetters' },
    series: { 'parley_consumer_dead_letters_total{group="webhooks",topic="chat.messages"}': '_x60 1x419' },
  },
  flipping('ParleyKafkaAway', 'kafka_broker_up{}'),
  flipping('ParleyClusterNotAvailable', 'parley_cluster_condition{type="Available",reason="NotServing"}'),
  flipping('ParleyClusterDegraded', 'parley_cluster_condition{type="Degraded",reason="PartsNotReady"}', 1, 0),
  flipping('ParleyBackupFailed', 'parley_backup_failed{cronjob="demo-backup-mysql"}', 1, 0),
  flipping('ParleyBackupOld', 'parley_backup_last_success_timestamp_seconds{cronjob="demo-backup-mysql"}', -9 * DAY, 0),
];

const buckets = (values: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([le, each]) => [`parley_operator_queue_latency_seconds_bucket{le="${le}"}`, each]));

export const operatorCases: readonly RuleCase[] = [
  flipping('ParleyOperatorNoLeader', 'parley_operator_leader{instance="one"}'),
  // Not one replica is left.
  { alert: 'ParleyOperatorNoLeader', series: { 'parley_operator_leader{}': '1x59 _x180 1x239' }, ...WHOLE },
  {
    ...{ ...WHOLE, alert: 'ParleyOperatorReconcilesFail' },
    series: {
      'parley_operator_reconciles_total{result="ok"}': steady(1),
      'parley_operator_reconciles_total{result="error"}': growing(1),
    },
  },
  {
    ...{ ...WHOLE, alert: 'ParleyOperatorNotReconciling' },
    series: {
      'parley_operator_reconciles_total{result="ok"}': stalling(1),
      'parley_cluster_condition{namespace="team",chatcluster="demo",type="Ready",reason="AllReady"}': always(1),
    },
  },
  {
    ...{ ...WHOLE, alert: 'ParleyOperatorQueueWaits' },
    series: buckets({ '2': stalling(1), '10': steady(1), '+Inf': steady(1) }),
  },
  { ...WHOLE, alert: 'ParleyOperatorWatchRestarts', series: { 'parley_operator_watch_restarts_total{kind="ChatDrill"}': growing(1) } },
];
