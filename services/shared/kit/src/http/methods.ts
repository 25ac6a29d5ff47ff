// Which methods a path has: OPTIONS is answered, and a method it has not is refused with 405 and Allow (RFC 9110 §15.5.6).
import type { Operations } from '@parley/protocol';
import type { RequestHandler } from 'express';
import { AppError } from '../process/errors.ts';

/** Middleware. Paths without an operation go on. */
export function refuseOtherMethods(operations: Operations): RequestHandler {
  const paths = pathsOf(operations);
  return (request, response, next) => {
    // In letters before with a field, as in OpenAPI: /users/me is not a /users/{id}.
    const found = paths.find(({ pattern }) => pattern.test(request.path));
    if (!found || found.methods.has(request.method)) return next();
    const allowed = [...found.methods];
    response.setHeader('Allow', [...allowed, 'OPTIONS'].join(', '));
    if (request.method !== 'OPTIONS') throw new AppError('method_not_allowed', `Allowed here: ${allowed.join(', ')}`);
    response.status(204).end();
  };
}

function pathsOf(operations: Operations): { pattern: RegExp; methods: Set<string> }[] {
  const byPath = new Map<string, Set<string>>();
  for (const { path, method } of Object.values(operations)) {
    const methods = byPath.get(path) ?? new Set();
    byPath.set(path, methods.add(method.toUpperCase()));
    if (method === 'get') methods.add('HEAD');
  }
  const fields = (path: string) => path.split('{').length;
  return [...byPath].sort(([a], [b]) => fields(a) - fields(b)).map(([path, methods]) => ({ pattern: patternOf(path), methods }));
}

/** As express matches by default: in upper or lower case, also with a slash at the end. */
function patternOf(path: string): RegExp {
  const escaped = path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${escaped}/?$`, 'i');
}
