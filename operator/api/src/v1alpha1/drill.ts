// The ChatDrill resource: one fault, once, in a ChatCluster that allows it, and what the canary counted meanwhile.
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { ObjectMeta } from './chat-cluster.ts';
import { objectName, oneOf, rules } from './schema-parts.ts';
import { Condition } from './status.ts';

/** Kind of a drill. */
export const DRILL_KIND = 'ChatDrill';
/** Name of the resource in paths and rights. */
export const DRILL_PLURAL = 'chatdrills';
/** On a ChatCluster, with the value "true": drills may break it. */
export const ALLOW_DRILLS_LABEL = 'chat.parley.dev/allow-drills';

/** What a drill can do to a cluster. */
export const drillFaults = ['KillChatPod', 'KillRedis', 'PauseMySQL', 'CutKafka', 'RollHAProxy'] as const;
/** One of {@link drillFaults}. */
export type DrillFault = (typeof drillFaults)[number];

/** Schema of `spec` of a ChatDrill. */
export const ChatDrillSpec = Type.Object(
  {
    cluster: objectName({ description: 'The ChatCluster, in the same namespace' }),
    fault: oneOf(drillFaults, {
      description:
        'KillChatPod ends the chat replica with the most sockets, KillRedis that of Redis, without a drain; PauseMySQL and CutKafka take all pods away for a while; RollHAProxy replaces the HAProxy pods one after the other',
    }),
    durationSeconds: Type.Integer({
      minimum: 5,
      maximum: 600,
      default: 30,
      description: 'How long PauseMySQL and CutKafka last; the other faults have no length',
    }),
    timeoutSeconds: Type.Integer({
      minimum: 60,
      maximum: 3600,
      default: 600,
      description: 'How long to wait for the recovery, from the start of the drill',
    }),
  },
  {
    description: 'What is broken; it cannot be changed',
    ...rules(
      { rule: 'self == oldSelf', message: 'a drill runs once and cannot be changed: create another one' },
      {
        rule: "!(self.fault in ['PauseMySQL', 'CutKafka']) || self.timeoutSeconds >= self.durationSeconds + 60",
        message: 'timeoutSeconds must leave at least 60 seconds after durationSeconds: raise timeoutSeconds or lower durationSeconds',
      },
    ),
  },
);
export type ChatDrillSpec = Static<typeof ChatDrillSpec>;

const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }));
const count = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }));

/** Condition types in `status` of a ChatDrill. */
export const drillConditions = ['Progressing', 'Complete', 'Failed'] as const;

/** Schema of `status` of a ChatDrill. */
export const ChatDrillStatus = Type.Object(
  {
    observedGeneration: Type.Optional(Type.Integer()),
    startedAt: time('The drill was taken up; the fault follows'),
    faultAt: time('The fault is there'),
    faultEndedAt: time('The fault is taken back, or done'),
    recoveredAt: time('All parts are ready, and the canary had messages acked after the end of the fault'),
    recoverySeconds: count('From the end of the fault to the recovery'),
    acked: count('Messages of the canary that were acked meanwhile'),
    lost: count('Acked messages that did not reach a joined socket in time'),
    duplicated: count('Messages that came twice'),
    misordered: count('Messages that came before their predecessor'),
    targets: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), uid: Type.String() }), { maxItems: 200, description: 'Pods that the fault is for' }),
    ),
    baseline: Type.Optional(
      Type.Object(
        {
          canary: Type.String({ maxLength: 200, description: 'The canary that counts: pod and restarts' }),
          acked: Type.Integer({ minimum: 0 }),
          lost: Type.Integer({ minimum: 0 }),
          duplicated: Type.Integer({ minimum: 0 }),
          misordered: Type.Integer({ minimum: 0 }),
        },
        { description: 'What the canary had counted at the start' },
      ),
    ),
    ackedAtEnd: count('What the canary had acked after the end of the fault, when it was first asked'),
    conditions: Type.Optional(
      Type.Array(Condition, { maxItems: 10, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
    ),
  },
  { description: 'What the operator did and saw' },
);
export type ChatDrillStatus = Static<typeof ChatDrillStatus>;

/** A ChatDrill whose spec has every default filled in. */
export interface ChatDrill {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta & { creationTimestamp?: string; resourceVersion?: string };
  spec: ChatDrillSpec;
  status?: ChatDrillStatus;
}

/** undefined: of a version that this code does not know. The API server has checked what it does know. */
export function parseChatDrill(value: unknown): ChatDrill | undefined {
  const object = value as ChatDrill;
  const spec = Value.Clean(ChatDrillSpec, Value.Default(ChatDrillSpec, structuredClone(object.spec ?? {})));
  return Value.Check(ChatDrillSpec as TSchema, spec) ? { ...object, spec: spec as ChatDrillSpec } : undefined;
}

/** It ended, one way or the other, and is never run again. */
export const isFinished = ({ status }: Pick<ChatDrill, 'status'>): boolean =>
  status?.conditions?.some(({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True') === true;
