import { expect, test } from 'vitest';
import { explainSettings } from './command.ts';

const ADDRESS = 'open139phq6c3ta9ntklre9zg9a7aygx2xegjm09tgn';
const options = { receipts: '100' };

test('what is to be explained is told apart by its form', () => {
  const of = (what: string, since?: string) =>
    explainSettings(what, { ...options, ...(since === undefined ? {} : { since }) }).subject;
  expect(of('ab'.repeat(32))).toEqual({ kind: 'tx', hash: 'AB'.repeat(32) });
  expect(of('12')).toEqual({ kind: 'receipt', id: 12n });
  expect(of('datanet/1/0')).toEqual({ kind: 'slot', pool: 'datanet/1', slot: 0n, height: undefined });
  expect(of('model/7/2@51')).toEqual({ kind: 'slot', pool: 'model/7', slot: 2n, height: 51n });
  expect(of(ADDRESS, '5')).toEqual({ kind: 'account', address: ADDRESS, since: 5n });
});

test.each([
  ['nothing of these', { ...options }, 'is neither a transaction hash'],
  ['pool/1/0', { ...options }, 'is neither a transaction hash'],
  [ADDRESS, { ...options }, 'an address needs --since'],
  [ADDRESS, { ...options, since: 'x' }, 'an address needs --since'],
  [ADDRESS, { ...options, since: '1', proofs: 'f' }, '--proofs goes with one payout'],
  ['12', { ...options, since: '1' }, '--since goes with an address'],
  ['12', { receipts: '5000' }, '--receipts must be'],
  ['12', { ...options, node: 'nowhere' }, 'is not a URL'],
])('%s with %o: %s', (what, given, sentence) => {
  expect(() => explainSettings(what, given)).toThrow(sentence);
});
