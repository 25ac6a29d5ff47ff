// What a successful `up` prints: what to type next. Pure.
import type { KindFile } from './kind-file.ts';

interface ReportFacts {
  seconds: number;
  /** folder of kubectl and kind when they were built here */
  bin: string | undefined;
}

/** Shell lines that make two users and a room of them; they may run twice. The last one prints the room. */
export function twoUsers({ namespace, apiKeySecret }: Pick<KindFile, 'namespace' | 'apiKeySecret'>, gateway: string): string[] {
  const account = (name: string) => ({ email: `${name.toLowerCase()}@example.com`, password: 'correct horse battery' });
  const user = (name: string) => JSON.stringify({ name, ...account(name) });
  const login = (name: string) => `$(post /api/v1/auth/login '${JSON.stringify(account(name))}' "x-api-key: $KEY"`;
  return [
    `KEY=$(kubectl -n ${namespace} get secret ${apiKeySecret} -o jsonpath='{.data.apiKey}' | base64 -d)`,
    `post() { curl -sS -H 'content-type: application/json' "${gateway}$1" -d "$2" -H "$3"; echo; }`,
    `post /api/v1/auth/register '${user('Alice')}' "x-api-key: $KEY"`,
    `post /api/v1/auth/register '${user('Bob')}' "x-api-key: $KEY"`,
    `TOKEN=${login('Alice')} | sed -E 's/.*"token":"([^"]*)".*/\\1/')`,
    `BOB=${login('Bob')} | sed -E 's/.*"id":([0-9]+).*/\\1/')`,
    `post /api/rooms "{\\"room_type\\":\\"direct\\",\\"member_ids\\":[$BOB]}" "authorization: Bearer $TOKEN"`,
  ];
}

/** Makes kubectl in a shell speak to the cluster. */
export function shellLine(kubeconfig: string, bin: string | undefined): string {
  return `export KUBECONFIG=${kubeconfig}${bin === undefined ? '' : ` PATH=${bin}:$PATH`}`;
}

export function report({ kubeconfig, namespace, chatCluster, apiKeySecret }: KindFile, { seconds, bin }: ReportFacts): string {
  const room = '<room_id>';
  return [
    '',
    `ChatCluster ${chatCluster} is ready (${seconds} s).`,
    '',
    'For kubectl in this shell:',
    '',
    `  ${shellLine(kubeconfig, bin)}`,
    `  kubectl config set-context --current --namespace ${namespace}`,
    '  kubectl get chatclusters',
    '',
    'Reach it from here (leave it running):',
    '',
    `  kubectl -n ${namespace} port-forward service/${chatCluster}-haproxy 8080 8085 8404`,
    '',
    'Two users, a token, a room of the two; the last line prints its id:',
    '',
    ...twoUsers({ namespace, apiKeySecret }, 'http://localhost:8080').map((line) => `  ${line}`),
    '',
    'Chat (then type the two frames):',
    '',
    `  websocat "ws://localhost:8085/api/ws?token=$TOKEN"`,
    `  {"type":"join_room","room_id":"${room}"}`,
    `  {"type":"message","room_id":"${room}","content":"Hello","message_type":"text","client_msg_id":"first-1"}`,
    '',
    'Next: change it, and watch the operator follow:',
    '',
    `  kubectl -n ${namespace} scale chatcluster/${chatCluster} --replicas=5`,
    `  kubectl -n ${namespace} get chatcluster ${chatCluster} --watch`,
    `  kubectl -n ${namespace} describe chatcluster ${chatCluster}`,
    '',
    'Running it for others: docs/operating/. The tests on this cluster: npm run e2e; faults: npm run drills.',
    '',
    'Everything for scripts: .parley/kind.json. "npm run kind" again brings the newest code on; "npm run kind:down" removes the cluster.',
  ].join('\n');
}
