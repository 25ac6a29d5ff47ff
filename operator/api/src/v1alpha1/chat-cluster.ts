// The resource as the API server stores it, and the way from an unknown object to a checked one with all defaults.
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { ChatClusterSpec } from './spec.ts';
import type { ChatClusterStatus } from './status.ts';

/** API group of ChatCluster and ChatDrill. */
export const GROUP = 'chat.parley.dev';
/** Version of the API group. */
export const VERSION = 'v1alpha1';
/** Kind of a chat installation. */
export const KIND = 'ChatCluster';
/** Name of the resource in paths and rights. */
export const PLURAL = 'chatclusters';

/** The fields of an object's metadata that are used. */
export interface ObjectMeta {
  name: string;
  namespace: string;
  uid: string;
  generation: number;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  deletionTimestamp?: string;
}

/** A ChatCluster whose spec has every default filled in. */
export interface ChatCluster {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: ChatClusterSpec;
  status?: ChatClusterStatus;
}

/** A ChatCluster, or what is wrong with it in words for whoever wrote it. */
export type ParsedChatCluster = { ok: true; cluster: ChatCluster } | { ok: false; problems: string[] };

/** Fills in defaults as the API server does. Fields that the schema does not know are left out, as it prunes them. */
export function resolveSpec(spec: unknown): unknown {
  return Value.Clean(ChatClusterSpec, Value.Default(ChatClusterSpec, structuredClone(spec ?? {})));
}

/** Checks what came from the API server. CEL rules are the API server's job and are not repeated here. */
export function parseChatCluster(value: unknown): ParsedChatCluster {
  const object = value as { metadata?: Partial<ObjectMeta>; spec?: unknown } | null;
  if (!object?.metadata?.name || !object.metadata.namespace)
    return { ok: false, problems: ['metadata.name and metadata.namespace are missing'] };
  const spec = resolveSpec(object.spec);
  const problems = [...Value.Errors(ChatClusterSpec as TSchema, spec)]
    .slice(0, 10)
    .map((error) => `spec${error.path.replaceAll('/', '.')}: ${error.message}`);
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, cluster: { ...(value as ChatCluster), spec: spec as Static<typeof ChatClusterSpec> } };
}
