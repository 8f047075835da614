import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DOCUMENT, reasonFor, surface, surfaceDocument } from './surface.ts';
import { UNSERVED } from './unserved.ts';

const methods = await surface();
const unserved = methods.filter(({ served }) => !served);

test('what is not served has a reason (else name it in unserved.ts)', () => {
  expect(unserved.filter((method) => reasonFor(method) === undefined).map(({ path }) => path)).toEqual([]);
});

test('a reason is given for what is not served, and for nothing else', () => {
  const needed = new Set(
    unserved.map(({ path, service }) => (UNSERVED[path] === undefined ? service : path)),
  );
  expect(Object.keys(UNSERVED).filter((name) => !needed.has(name))).toEqual([]);
});

test('the table says what is served (else run `npm run surface`)', () => {
  expect(readFileSync(DOCUMENT, 'utf8')).toBe(surfaceDocument(methods));
});

test('messages and queries of bank are found by the names that clients use', () => {
  const bank = methods.filter(({ service }) => service.startsWith('cosmos.bank.v1beta1.'));
  expect(bank.find(({ path }) => path === 'cosmos.bank.v1beta1.Msg/Send')?.served).toBe(true);
  expect(bank.find(({ path }) => path === 'cosmos.bank.v1beta1.Query/Balance')?.served).toBe(true);
  expect(methods.length).toBeGreaterThan(150);
});
