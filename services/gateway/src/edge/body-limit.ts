// A body passes in pieces and is never held; one that is too large ends the call to the service before it is complete.
import { Transform, type Readable } from 'node:stream';
import { AppError } from '@parley/kit/process';
import { BODY_MAX_BYTES } from '@parley/protocol';
import type { Request } from 'express';

/** Throws AppError body_too_large when the length is announced; otherwise the stream fails with it at the first byte too many. */
export function limitedBody(request: Request, maxBytes = BODY_MAX_BYTES): Readable {
  if (Number(request.get('content-length') ?? 0) > maxBytes) throw new AppError('body_too_large');
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new AppError('body_too_large'));
      else done(null, chunk);
    },
  });
  // What is left of a refused body is read and dropped, so that the connection can be used for the answer and the next call.
  limit.once('close', () => {
    request.unpipe(limit);
    request.resume();
  });
  request.once('error', (error) => limit.destroy(error));
  request.once('aborted', () => limit.destroy(new Error('the client went away')));
  return request.pipe(limit);
}
