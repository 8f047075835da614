/** What is served over HTTP by somebody who may be an enemy, in bounds. */

/** The address that paths are put behind; undefined when the endpoint is no http or https URI. */
export function httpBase(endpoint: string): string | undefined {
  const uri = URL.parse(endpoint);
  const isHttp = uri !== null && (uri.protocol === 'http:' || uri.protocol === 'https:');
  return isHttp ? `${uri.origin}${uri.pathname.replace(/\/$/, '')}` : undefined;
}

/** Least room for a body whose length nobody told. */
const FIRST_BYTES = 1 << 12;

/**
 * The whole body; undefined when it is longer than it may be. What is held is one buffer that grows with what
 * arrives: of a body as long as it may be it is exactly that.
 */
export async function bodyOf(response: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  let body = new Uint8Array(
    Math.min(bytesMax, Number(response.headers.get('content-length') ?? FIRST_BYTES)),
  );
  let bytes = 0;
  for await (const part of response.body ?? []) {
    const end = bytes + part.length;
    if (end > bytesMax) return undefined;
    if (end > body.length) {
      const larger = new Uint8Array(Math.min(bytesMax, Math.max(end, 2 * body.length)));
      larger.set(body.subarray(0, bytes));
      body = larger;
    }
    body.set(part, bytes);
    bytes = end;
  }
  return body.subarray(0, bytes);
}
