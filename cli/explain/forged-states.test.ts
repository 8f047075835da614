/** The verifier against states that no chain has: headers, trees and rows that lead to the block that is trusted. */
import { expect, test } from 'vitest';
import type { Bundle, ProvedPair, ProvedRow } from '../../client/verifier/types.ts';
import { BUNDLE_FORM, bundleText, verifyBundle } from '../../client/verifier/verify-payout.ts';
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { merkleRoot } from '../../core/merkle.ts';

const bytes = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits, 'hex'));
const hashOf = (...digits: readonly string[]): string => toHex(sha256(bytes(digits.join(''))));
const EMPTY: Bundle = {
  form: BUNDLE_FORM,
  states: [],
  targets: [],
  claims: [],
  epochs: [],
  attributions: [],
};

type Step = readonly [before: string, behind: string];

/** Verifies a bundle of a header with this height field and a store `x` of this root, below such steps. */
function verified(
  height: string,
  root = '',
  { rows = [], path = [] }: { readonly rows?: readonly ProvedRow[]; readonly path?: readonly Step[] } = {},
): () => unknown {
  const leaf = hashOf('00', '01', '78', '20', hashOf(root));
  const appHash = path.reduce((child, [before, behind]) => hashOf(before, child, behind), leaf);
  const header = Array.from({ length: 14 }, (_, i) => (i === 2 ? height : i === 10 ? `0a20${appHash}` : ''));
  const stores = [{ name: 'x', root, path, rows }];
  const trusted = { height: 1n, hash: toHex(merkleRoot(header.map(bytes))) };
  return () => verifyBundle(bundleText({ ...EMPTY, states: [{ header, stores }] }), trusted);
}

test.each([
  ['0a', 'a varint is cut short'],
  ['08ffffffffffffffffffffff01', 'a varint is too long'],
  ['0900', 'a field of an unknown wire type'],
  ['0a05', 'a field is cut short'],
  ['0802', 'a header is not of height 1'],
  ['0801', 'a bundle has more than it needs'],
])('height %s: %s', (height, refusal) => {
  expect(verified(height)).toThrow(refusal);
});

test('what stands above a store is a node of two hashes', () => {
  const other = '11'.repeat(32);
  const below = (...path: readonly Step[]) => verified('0801', '', { path });
  expect(below(['01', other], [`01${other}`, ''])).toThrow('a bundle has more than it needs');
  const malformed: readonly Step[] = [
    ['00', other],
    ['01', ''],
    [`01${'11'.repeat(16)}`, '11'.repeat(16)],
    [`01${other}`, other],
  ];
  for (const step of malformed)
    expect(below(['01', other], step), `${step}`).toThrow('the path of store x is malformed');
});

const leafOf = (key: string, value: string): string => hashOf('000202', '01', key, '20', hashOf(value));

function pairOf(key: string, value: string, path: ProvedPair['path']): ProvedPair {
  return { key, value, prefix: '000202', path };
}

/** A pair in a store of just it, below such a step. */
function pairBelow(value: string, step?: Step): () => unknown {
  const leaf = leafOf('aa', value);
  const root = step === undefined ? leaf : hashOf(step[0], leaf, step[1]);
  const found = pairOf('aa', value, step === undefined ? [] : [step]);
  return verified('0801', root, { rows: [{ key: 'aa', found, left: null, right: null }] });
}

test('a row is not empty, and what stands above it is a node of the tree', () => {
  expect(pairBelow('01')).toThrow('a bundle has more than it needs');
  expect(pairBelow('')).toThrow('a row is empty');
  const other = `20${'11'.repeat(32)}`;
  expect(pairBelow('01', ['02040220', other])).toThrow('a bundle has more than it needs');
  expect(pairBelow('01', [`020402${other}20`, ''])).toThrow('a bundle has more than it needs');
  for (const before of ['00040220', '02040221'])
    expect(pairBelow('01', [before, other]), before).toThrow('a node is malformed');
  expect(pairBelow('01', ['02040220', `${other}00`])).toThrow('a node is malformed');
  expect(pairBelow('01', [`020402${other}20`, other])).toThrow('a node is malformed');
  expect(pairBelow('01', [`020402${other}2020`, ''])).toThrow('a node is malformed');
  expect(pairBelow('01', ['02040220', `21${'11'.repeat(32)}`])).toThrow('a node is malformed');
  expect(pairBelow('01', [`020402${other}21`, ''])).toThrow('a node is malformed');
});

test('a pair is of the key that is asked for, and stands alone', () => {
  const found = pairOf('aa', '01', []);
  const shown = (row: Partial<ProvedRow>) =>
    verified('0801', leafOf('aa', '01'), { rows: [{ key: 'aa', found, left: null, right: null, ...row }] });
  expect(shown({})).toThrow('a bundle has more than it needs');
  for (const other of [{ key: 'ab' }, { left: found }, { right: found }])
    expect(shown(other)).toThrow('a row is another');
});

test('a leaf is of height 0 and size 1, and tells its version and no more', () => {
  const below = (prefix: string) => {
    const root = hashOf(prefix, '01', 'aa', '20', hashOf('01'));
    const found = { key: 'aa', value: '01', prefix, path: [] };
    return verified('0801', root, { rows: [{ key: 'aa', found, left: null, right: null }] });
  };
  expect(below('000202')).toThrow('a bundle has more than it needs');
  expect(below('00028001')).toThrow('a bundle has more than it needs');
  for (const prefix of ['020202', '000402', '00020202'])
    expect(below(prefix), prefix).toThrow('a leaf is malformed');
  expect(below('0002')).toThrow('a varint is cut short');
});

/** What two leaves prove of a key between them in a tree of four with these keys, or one of a key beside it. */
function between(keys: readonly string[], [left, right]: readonly (string | undefined)[]): () => unknown {
  const leaves = keys.map((key) => leafOf(key, '01'));
  const node = (depth: number): string => `0${2 * depth}0402`;
  const join = (depth: number, a = '', b = ''): string => hashOf(node(depth), '20', a, '20', b);
  const [low, high] = [join(1, leaves[0], leaves[1]), join(1, leaves[2], leaves[3])];
  const pair = (key: string | undefined): ProvedPair | null => {
    if (key === undefined) return null;
    const at = keys.indexOf(key);
    const step = (depth: number, isLeft: boolean, sibling = ''): readonly string[] =>
      isLeft ? [`${node(depth)}20`, `20${sibling}`] : [`${node(depth)}20${sibling}20`, ''];
    const path = [step(1, at % 2 === 0, leaves[at ^ 1]), step(2, at < 2, at < 2 ? high : low)];
    return pairOf(key, '01', path);
  };
  const row = { key: '55', found: null, left: pair(left), right: pair(right) };
  return verified('0801', join(2, low, high), { rows: [row] });
}

test('neighbours are leaves that nothing is between', () => {
  const keys = ['10', '20', '60', '70'];
  expect(between(keys, ['20', '60'])).toThrow('a bundle has more than it needs');
  expect(between(keys, ['10', '60'])).toThrow('two rows are not neighbours');
  expect(between(keys, ['20', '70'])).toThrow('two rows are not neighbours');
  expect(between(keys, ['60', '70'])).toThrow('not behind its left neighbour');
  expect(between(keys, ['10', '20'])).toThrow('not before its right neighbour');
  expect(between(['60', '70', '10', '20'], ['20', '60'])).toThrow('two rows are not neighbours');
});

test('who has one neighbour alone is beside the first leaf or the last', () => {
  const [below, above] = [
    ['10', '20', '30', '40'],
    ['60', '70', '80', '90'],
  ] as const;
  expect(between(below, ['40'])).toThrow('a bundle has more than it needs');
  expect(between(above, [undefined, '60'])).toThrow('a bundle has more than it needs');
  for (const key of ['10', '20', '30'])
    expect(between(below, [key]), key).toThrow('two rows are not neighbours');
  for (const key of ['70', '80', '90'])
    expect(between(above, [undefined, key]), key).toThrow('two rows are not neighbours');
  expect(between(above, [])).toThrow('two rows are not neighbours');
});
