// Turns the text of one WebSocket frame into a checked client frame, or says which field is wrong.
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import type { TSchema } from '@sinclair/typebox';
import { clientFrames, type ClientFrame } from './client-frames.ts';
import { contentProblem } from './message-content.ts';

/** A frame of a client, or what is wrong with its text: the path of the field as a JSON pointer, and why. */
export type ParsedFrame = { ok: true; frame: ClientFrame } | { ok: false; path: string; message: string };

const checks = new Map<string, TypeCheck<TSchema>>(
  Object.entries(clientFrames).map(([type, schema]) => [type, TypeCompiler.Compile(schema as TSchema)]),
);

/** Parses and validates one text frame. Never throws. */
export function parseClientFrame(text: string): ParsedFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, path: '', message: 'not valid JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, path: '', message: 'expected a JSON object' };
  const type: unknown = (value as Record<string, unknown>)['type'];
  const check = typeof type === 'string' ? checks.get(type) : undefined;
  if (!check) return { ok: false, path: '/type', message: `unknown type; known: ${[...checks.keys()].join(', ')}` };
  if (!check.Check(value)) {
    const first = check.Errors(value).First();
    return { ok: false, path: first?.path ?? '', message: first?.message ?? 'does not match the schema' };
  }
  const frame = value as ClientFrame;
  const problem = frame.type === 'message' ? contentProblem(frame) : undefined;
  return problem ? { ok: false, ...problem } : { ok: true, frame };
}
