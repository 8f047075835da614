import { expect, test } from 'vitest';
import { fraudAt, openLeaves } from '../../../../attest/prove/fraud-at.ts';
import { commitLeaves, leavesOfArrays, shardInMemory } from '../../../../attest/prove/memory.ts';
import type { ProvableShard } from '../../../../attest/prove/prove.ts';
import type { ShardArrays, SourceDocument } from '../../../../attest/shard.ts';
import { naiveShard, textDocument } from '../../../../attest/testing/naive-shard.ts';
import { utf8 } from '../../../../core/bytes.ts';
import { contentRoot } from '../../range-proof.ts';
import { leafCount, treeOfShard } from './commitment.ts';
import { NO_FRAUD, verifyFraud } from './fraud.ts';
import type { ShardFraud, StatementFraud } from './fraud-format.ts';
import { decodeTextLeaf, encodeTextLeaf } from './leaves.ts';

const OPTIONS = { datanetId: 1n };
const TEXT = 'abcdefgh'.repeat(40);
const sources = [textDocument(1, TEXT), textDocument(2, 'abc')];
const arrays = naiveShard(sources);
const shard = shardInMemory(arrays, OPTIONS);
const content = (index: number): Uint8Array => sources[index]?.content ?? new Uint8Array(0);

function convicts({ commitment }: ProvableShard, fraud: ShardFraud): boolean {
  const recordAt = (_: bigint, position: bigint) => {
    const source = sources[Number(position)];
    return source && { ...source, byteLength: BigInt(source.byteLength), accepted: true };
  };
  try {
    verifyFraud(commitment, fraud, { recordAt });
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: NO_FRAUD });
    return false;
  }
}

/** A shard of other arrays, of which the trees are made. */
function committed(changed: Partial<ShardArrays>): ProvableShard {
  const wrong = { ...arrays, ...changed };
  return commitLeaves(leavesOfArrays(wrong, OPTIONS), wrong, OPTIONS);
}

test('a text that ends before its last separator is convicted at its end', () => {
  const short = committed({
    tokens: arrays.tokens - 1,
    suffix: (rank) => Math.min(arrays.suffix(rank), 40),
    rank: () => 0,
    document: (index) => ({ ...arrays.document(index), firstToken: 0, tokens: 1 }),
  });
  const at = leafCount(short.commitment, 'text');
  expect(convicts(short, fraudAt(short, { kind: 'text-link', at }, content))).toBe(true);
  expect(convicts(shard, fraudAt(shard, { kind: 'text-link', at }, content))).toBe(false);
});

test('a last document that ends before the text is convicted at the end', () => {
  const short = committed({
    document: (index) => ({ ...arrays.document(index), tokens: arrays.document(index).tokens - index }),
  });
  expect(convicts(short, fraudAt(short, { kind: 'document-range', at: 2 }, content))).toBe(true);
  expect(convicts(shard, fraudAt(shard, { kind: 'document-range', at: 2 }, content))).toBe(false);
});

test('a root convicts by what it is the hash of, and by nothing else', () => {
  const { kind, leaves } = treeOfShard(shard.commitment, 'text');
  const made = {
    kind: 'root',
    tree: 'text',
    boundKind: kind,
    leaves: leaves + 1,
    root: new Uint8Array(32),
  } as const;
  expect(convicts(shard, made)).toBe(false);
});

test('a separator behind the end of its content is convicted', () => {
  const leaves = leavesOfArrays(arrays, OPTIONS);
  const at = arrays.tokens - 1;
  const index = leafCount(shard.commitment, 'text') - 1;
  const leaf = decodeTextLeaf(shard.commitment, index, shard.leaf('text', index));
  const text = [...leaves.text.slice(0, index), encodeTextLeaf({ ...leaf, offset: leaf.offset + 5 })];
  const wrong = commitLeaves({ ...leaves, text }, arrays, OPTIONS);
  const first = arrays.document(0).tokens - 1;
  expect(Math.floor(first / 64)).toBe(index);
  expect(convicts(wrong, fraudAt(wrong, { kind: 'text-token', at: first }, content))).toBe(true);
  expect(convicts(shard, fraudAt(shard, { kind: 'text-token', at: first }, content))).toBe(false);
  expect(convicts(shard, fraudAt(shard, { kind: 'text-token', at }, content))).toBe(false);
});

test('other content convicts nobody', () => {
  const other = utf8(TEXT.toUpperCase());
  expect(
    convicts(
      shard,
      fraudAt(shard, { kind: 'text-token', at: 3 }, () => other),
    ),
  ).toBe(false);
});

test('a content that is longer than the chain says decides no token', () => {
  const byteLength = TEXT.length - 2;
  const indexed: SourceDocument = {
    ...textDocument(1, TEXT.slice(0, byteLength)),
    root: contentRoot(utf8(TEXT)),
  };
  const cut = shardInMemory(naiveShard([indexed]), OPTIONS);
  const at = cut.tokens - 2;
  const proof = fraudAt(cut, { kind: 'text-token', at }, () => utf8(TEXT));
  expect(proof.content.chunks.length).toBeGreaterThan(0);
  expect(convicts(cut, proof)).toBe(false);
});

test('a proof opens the leaves of its kind and no others', () => {
  const swapped = committed({ rank: (position) => arrays.rank((position + 1) % arrays.tokens) });
  const fraud = fraudAt(swapped, { kind: 'permutation', at: 0 }, content);
  expect(convicts(swapped, fraud)).toBe(true);
  const [inverse, suffix] = fraud.opened;
  const more = openLeaves(swapped, 'inverse', [0, 1]);
  const wasteful: StatementFraud = { ...fraud, opened: suffix === undefined ? [more] : [more, suffix] };
  expect(inverse?.indices).toEqual([0]);
  expect(convicts(swapped, wasteful)).toBe(false);
});
