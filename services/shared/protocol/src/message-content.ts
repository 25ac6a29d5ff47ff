// What a message may hold beyond what its schema says, the same by socket and by REST.
import { METADATA_MAX_BYTES } from './limits.ts';

const utf8 = new TextEncoder();

/** Bytes of the text in UTF-8. */
export const utf8Bytes = (text: string): number => utf8.encode(text).length;

/** Field and reason of what must not be stored; undefined: it may. `path` is a JSON pointer. Never throws. */
export function contentProblem({
  content,
  metadata,
}: {
  content: string;
  metadata?: Record<string, unknown> | null | undefined;
}): { path: '/content' | '/metadata'; message: string } | undefined {
  // JSON text of metadata is what is stored; its size is known only after serialising it.
  if (metadata && utf8Bytes(JSON.stringify(metadata)) > METADATA_MAX_BYTES)
    return { path: '/metadata', message: `more than ${METADATA_MAX_BYTES} bytes` };
  // A lone surrogate has no UTF-8 form: it would be stored as something else than what was sent.
  if (/\p{Surrogate}/u.test(content)) return { path: '/content', message: 'not well-formed Unicode' };
  return undefined;
}
