import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { corsHeaders } from './cors.ts';

function headers(origin: string | undefined, allowed: readonly string[], method = 'POST'): unknown {
  const request = { headers: origin === undefined ? {} : { origin }, method } as IncomingMessage;
  return Object.fromEntries(corsHeaders(request, allowed));
}

test('pages of allowed origins may read answers, others not', () => {
  expect(headers('https://a.example', [])).toEqual({});
  expect(headers(undefined, ['*'])).toEqual({});
  expect(headers('https://a.example', ['*'])).toMatchObject({ 'Access-Control-Allow-Origin': '*' });
  expect(headers('https://a.example', ['https://A.example'])).toMatchObject({
    'Access-Control-Allow-Origin': 'https://a.example',
    Vary: 'Origin',
  });
  expect(headers('https://b.example', ['https://a.example'])).toEqual({ Vary: 'Origin' });
  expect(headers('https://x.b.example', ['https://*.b.example'])).toHaveProperty(
    'Access-Control-Allow-Origin',
  );
  expect(headers('https://b.example.evil', ['https://*.b.example'])).toEqual({ Vary: 'Origin' });
});

test('a preflight is told the methods and headers', () => {
  expect(headers('https://a.example', ['*'], 'OPTIONS')).toMatchObject({
    'Access-Control-Allow-Methods': 'HEAD, GET, POST',
    'Access-Control-Allow-Headers': expect.stringContaining('Content-Type'),
  });
});
