import { expect, test } from 'vitest';
import { ABSENT_COMMIT_SIG, type Commit } from '../../consensus/types/commit.ts';
import { VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { DecodeError } from '../../core/errors.ts';
import {
  AnswerRoom,
  BLOCKS_PER_REQUEST_MAX,
  BlockSizes,
  decodeBlockRequest,
  decodeBlockResponse,
  encodeBlockRequest,
  encodeBlockResponse,
  type SentBlock,
} from './messages.ts';

const hash = new Uint8Array(32).fill(7);

function sent(height: bigint, { bytes = 100, signatures = 1 } = {}): SentBlock {
  const commit: Commit = {
    height,
    round: 0,
    blockId: { hash, partSetHeader: { total: 1, hash } },
    signatures: new Array(signatures).fill(ABSENT_COMMIT_SIG),
  };
  return { blockBytes: new Uint8Array(bytes).fill(1), commit };
}

test('several blocks travel in one answer, in order', () => {
  const blocks = [sent(5n), sent(6n), sent(7n)];
  const range = decodeBlockRequest(encodeBlockRequest(5n, 3));
  expect(range).toEqual({ height: 5n, blocksMax: 3 });
  expect(decodeBlockResponse(range, encodeBlockResponse(blocks))).toEqual(blocks);
  expect(decodeBlockResponse(range, encodeBlockResponse([]))).toEqual([]);
  expect(decodeBlockRequest(encodeBlockRequest(5n))).toEqual({ height: 5n, blocksMax: 1 });
});

test('answers with more than was asked for, or out of order, and greedy requests are refused', () => {
  const two = { height: 5n, blocksMax: 2 };
  const refused = [[sent(5n), sent(6n), sent(7n)], [sent(6n)], [sent(5n), sent(5n)], [sent(5n), sent(7n)]];
  for (const blocks of refused)
    expect(() => decodeBlockResponse(two, encodeBlockResponse(blocks))).toThrow(DecodeError);
  expect(() => decodeBlockRequest(encodeBlockRequest(5n, BLOCKS_PER_REQUEST_MAX + 1))).toThrow(DecodeError);
});

test('an answer ends before it is too long, but never without a block', () => {
  const large = new AnswerRoom();
  expect(large.take(sent(1n, { bytes: 3_000_000, signatures: VALIDATORS_MAX }))).toBe(true);
  expect(large.take(sent(2n))).toBe(false);
  const small = new AnswerRoom();
  expect([1n, 2n, 3n].map((height) => small.take(sent(height, { bytes: 400_000 })))).toEqual([
    true,
    true,
    false,
  ]);
  const wide = new AnswerRoom();
  const signatures = VALIDATORS_MAX / 2;
  expect([1n, 2n].map((height) => wide.take(sent(height, { signatures })))).toEqual([true, false]);
});

test('of large blocks one is asked for at a time, of small ones many', () => {
  const sizes = new BlockSizes();
  for (let i = 0; i < 20; i++) sizes.received(sent(1n, { bytes: 2_000_000 }));
  expect(sizes.blocksPerAnswer).toBe(1);
  for (let i = 0; i < 60; i++) sizes.received(sent(1n));
  expect(sizes.blocksPerAnswer).toBeGreaterThan(BLOCKS_PER_REQUEST_MAX);
});
