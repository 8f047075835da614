import type { IncomingMessage } from 'node:http';

const METHODS = 'HEAD, GET, POST';
const HEADERS = 'Origin, Accept, Content-Type, X-Requested-With, X-Server-Time';

/** The headers that let a browser's page of an allowed origin read the answer. None for other callers. */
export function corsHeaders(
  request: IncomingMessage,
  allowed: readonly string[],
): readonly (readonly [name: string, value: string])[] {
  const origin = request.headers.origin;
  if (allowed.length === 0 || origin === undefined) return [];
  const all = allowed.includes('*');
  if (!all && !allowed.some((pattern) => matchesOrigin(pattern, origin))) return [['Vary', 'Origin']];
  const headers: (readonly [string, string])[] = [
    ['Vary', 'Origin'],
    ['Access-Control-Allow-Origin', all ? '*' : origin],
  ];
  if (request.method === 'OPTIONS') {
    headers.push(['Access-Control-Allow-Methods', METHODS], ['Access-Control-Allow-Headers', HEADERS]);
  }
  return headers;
}

/** One `*` in a pattern stands for anything: `https://*.example.com`. */
function matchesOrigin(pattern: string, origin: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern.toLowerCase() === origin.toLowerCase();
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return origin.length >= before.length + after.length && origin.startsWith(before) && origin.endsWith(after);
}
