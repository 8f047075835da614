import type { IncomingMessage } from 'node:http';

/** A body that is larger than allowed. */
export class BodyTooLarge extends Error {
  constructor(max: number) {
    super(`request body too large: more than ${max} bytes`);
    this.name = 'BodyTooLarge';
  }
}

/**
 * The body of a request as text; empty when there is none.
 * @throws BodyTooLarge as soon as that is known: before reading, when the length is announced
 */
export function readBody(request: IncomingMessage, max: number): Promise<string> {
  if (request.method === 'GET' || request.method === 'HEAD') {
    if (
      request.headers['content-length'] === undefined &&
      request.headers['transfer-encoding'] === undefined
    ) {
      return Promise.resolve('');
    }
  }
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > max) {
      reject(new BodyTooLarge(max));
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= max) {
        chunks.push(chunk);
      } else {
        // The rest is read and dropped (`http.ts`): a client that still writes would not see why.
        chunks.length = 0;
        reject(new BodyTooLarge(max));
      }
    });
    request.on('end', () => {
      const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      resolve(body?.toString() ?? '');
    });
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(new Error('the connection was closed before the request was complete'));
    });
  });
}
