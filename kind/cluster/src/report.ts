// What a successful `up` prints: what to type next. Pure.
import type { KindFile } from './kind-file.ts';

interface ReportFacts {
  seconds: number;
  /** folder of kubectl and kind when they were built here */
  bin: string | undefined;
}

export function report({ kubeconfig, namespace, chatCluster, apiKeySecret }: KindFile, { seconds, bin }: ReportFacts): string {
  const room = '<room_id>';
  return [
    '',
    `ChatCluster ${chatCluster} is ready (${seconds} s).`,
    '',
    'For kubectl in this shell:',
    '',
    `  export KUBECONFIG=${kubeconfig}${bin === undefined ? '' : ` PATH=${bin}:$PATH`}`,
    `  kubectl config set-context --current --namespace ${namespace}`,
    '  kubectl get chatclusters',
    '',
    'Reach it from here (leave it running):',
    '',
    `  kubectl -n ${namespace} port-forward service/${chatCluster}-haproxy 8080 8085 8404`,
    '',
    'A user, a token and a room with oneself and another user, then chat:',
    '',
    `  KEY=$(kubectl -n ${namespace} get secret ${apiKeySecret} -o jsonpath='{.data.apiKey}' | base64 -d)`,
    ...['alice', 'bob'].map(
      (name) =>
        `  curl -s localhost:8080/api/auth/register -H "x-api-key: $KEY" -H 'content-type: application/json' -d '{"name":"${name}","email":"${name}@example.com","password":"a-long-password-1"}'`,
    ),
    `  TOKEN=$(curl -s localhost:8080/api/auth/login -H 'content-type: application/json' -d '{"email":"alice@example.com","password":"a-long-password-1"}' | jq -r .access_token)`,
    `  curl -s localhost:8080/api/rooms -H "authorization: Bearer $TOKEN" -H 'content-type: application/json' -d '{"type":"direct","user_id":2}'`,
    `  websocat "ws://localhost:8085/api/ws?token=$TOKEN"`,
    `  {"type":"join_room","room_id":"${room}"}`,
    `  {"type":"message","room_id":"${room}","content":"Hello","message_type":"text","client_msg_id":"first-1"}`,
    '',
    'Everything for scripts: .parley/kind.json. "npm run kind" again brings the newest code on; "npm run kind:down" removes the cluster.',
  ].join('\n');
}
