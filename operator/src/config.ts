// Environment of the operator.

export interface OperatorConfig {
  /** empty: all namespaces */
  watchNamespace: string;
  logLevel: string;
  adminPort: number;
  clusterDomain: string;
  podName: string;
  podNamespace: string;
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];

/** Reads the environment; throws one error that lists every problem. */
export function operatorConfig(env: Readonly<Record<string, string | undefined>>): OperatorConfig {
  const problems: string[] = [];
  const adminPort = Number(env['ADMIN_PORT'] ?? 9464);
  if (!Number.isInteger(adminPort) || adminPort < 0 || adminPort > 65_535) problems.push('ADMIN_PORT is not a port');
  const logLevel = env['LOG_LEVEL'] ?? 'info';
  if (!LEVELS.includes(logLevel)) problems.push(`LOG_LEVEL is none of ${LEVELS.join(', ')}`);
  const podNamespace = env['POD_NAMESPACE'] ?? '';
  if (podNamespace === '') problems.push('POD_NAMESPACE is missing: the namespace of the operator, where its Lease is kept');
  const podName = env['POD_NAME'] ?? '';
  if (podName === '') problems.push('POD_NAME is missing: the name under which this replica takes the Lease');
  if (problems.length > 0)
    throw new Error(`${problems.length} problems in the configuration:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  return {
    watchNamespace: env['WATCH_NAMESPACE'] ?? '',
    logLevel,
    adminPort,
    clusterDomain: env['CLUSTER_DOMAIN'] ?? 'cluster.local',
    podName,
    podNamespace,
  };
}
