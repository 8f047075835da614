import { expect, test } from 'vitest';
import { bodyOf, httpBase } from './http-body.ts';

/** A response that comes in such parts, whatever its headers say. */
function responseOf(parts: readonly number[], told?: number): Response {
  let value = 0;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const length of parts) {
        const part = Uint8Array.from({ length }, () => value++ % 251);
        controller.enqueue(part);
      }
      controller.close();
    },
  });
  return new Response(body, told === undefined ? {} : { headers: { 'content-length': `${told}` } });
}

function counted(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

test.each([
  ['one part', [10], undefined],
  ['many parts, longer than the first room', [4_000, 4_000, 4_000, 1], undefined],
  ['less than was told', [10], 4_000],
  ['more than was told', [10, 20, 30], 5],
  ['nothing', [], undefined],
])('a body comes whole: %s', async (_, parts, told) => {
  const length = parts.reduce((sum, part) => sum + part, 0);
  expect(await bodyOf(responseOf(parts, told), 20_000)).toEqual(counted(length));
});

test('a body may be as long as the bound and not a byte longer, whatever its header says', async () => {
  for (const told of [undefined, 0, 100, 101, 2 ** 40]) {
    expect(await bodyOf(responseOf([60, 40], told), 100)).toEqual(counted(100));
    expect(await bodyOf(responseOf([60, 41], told), 100)).toBeUndefined();
    expect(await bodyOf(responseOf([101], told), 100)).toBeUndefined();
  }
});

test('what is too long is not read to its end, and holds no more room than the bound', async () => {
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent++;
      controller.enqueue(new Uint8Array(1_000));
    },
  });
  expect(await bodyOf(new Response(endless), 10_000)).toBeUndefined();
  expect(sent).toBeLessThan(20);
  const whole = await bodyOf(responseOf([9_000, 1_000], 2 ** 40), 10_000);
  expect(whole?.buffer.byteLength).toBe(10_000);
});

test('only http and https are addresses of the web; a slash at the end is none of a path', () => {
  expect(httpBase('http://a.example/x/')).toBe('http://a.example/x');
  expect(httpBase('https://a.example')).toBe('https://a.example');
  for (const none of ['ftp://a.example', 'file:///etc/passwd', 'x', ''])
    expect(httpBase(none)).toBeUndefined();
});
