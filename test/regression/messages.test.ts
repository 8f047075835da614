/** What went wrong elsewhere with votes, parts and bit arrays of peers. `README.md` lists the advisories. */
import { expect, test } from 'vitest';
import { BLOCK_PART_BYTES, BLOCK_PARTS_MAX, VALIDATORS_MAX } from '../../consensus/types/limits.ts';
import { PartSet, partsOf, partToMessage } from '../../consensus/types/part-set.ts';
import { proposalToMessage } from '../../consensus/types/proposal.ts';
import { verifyVote, voteToMessage } from '../../consensus/types/vote.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { BlockAssembly } from '../../node/engine/block-assembly.ts';
import { decodeDataMessage, decodeStateMessage, decodeVoteMessage } from '../../node/gossip/messages.ts';
import { Message } from '../../proto/gen/tendermint/consensus/types.ts';
import { CHAIN_ID, firstBlock, validators, verify, voteOf } from './signed-chain.ts';

const bytesOf = (message: Partial<Message>): Uint8Array => Message.encode(Message.create(message));

/**
 * Sent: a precommit whose validator index is outside the set. There: the index was used before it was
 * checked, and the node panicked. Here: impossible indexes do not decode, others are nobody's vote.
 */
test('ASA-2024-011 (GHSA-p7mv-53f2-4cwj): a vote with a validator index out of range', () => {
  const against = { chainId: CHAIN_ID, validators, verify };
  expect(verifyVote(voteOf(2), against)).toBe(true);
  for (const validatorIndex of [4, 5, VALIDATORS_MAX - 1, -1, 2 ** 31 - 1, 0.5])
    expect(verifyVote({ ...voteOf(2), validatorIndex }, against)).toBe(false);
  for (const validatorIndex of [-1, VALIDATORS_MAX, 2 ** 31 - 1]) {
    const vote = { ...voteToMessage(voteOf(2)), validatorIndex };
    expect(() => decodeVoteMessage(bytesOf({ vote: { vote } }))).toThrow('index out of range');
  }
});

/**
 * Sent: a block part whose index is not that of its proof. There: the proof was checked for its own index,
 * the bytes were stored at the other: the block never came together and the network stalled. Here: refused,
 * on the wire and in the set.
 */
test('ASA-2025-002 (GHSA-r3r4-g7hq-pq4f): a part whose index is not that of its proof', () => {
  const { header, parts } = partsOf(new Uint8Array(2 * BLOCK_PART_BYTES).fill(7));
  const first = defined(parts[0], 'part');
  const blockPart = { height: 1n, round: 0, part: { ...partToMessage(first), index: 1 } };
  expect(() => decodeDataMessage(bytesOf({ blockPart }))).toThrow('not that of its proof');
  const set = new PartSet(header, 2 * BLOCK_PART_BYTES);
  expect(set.add({ ...first, index: 1 })).toBe('invalid');
  const early = new BlockAssembly();
  early.reset(-1n);
  expect(early.add({ ...first, index: 1 }, 'peer').outcome).toBe('invalid');
  expect(set.add(first)).toBe('added');
});

/**
 * Sent: bit arrays whose number of bits and of words disagree. There: the count was believed and a read past
 * the words panicked. Here: they do not decode; nothing is allocated before.
 */
test('ASA-2025-003 (GHSA-hrhf-2vcr-ghch): bits and words of a bit array must agree', () => {
  const place = { height: 1n, round: 0, type: 2 as const, blockId: firstBlock.blockId };
  const right = { ...place, votes: { bits: 70n, elems: [1n, 0n] } };
  expect(decodeStateMessage(bytesOf({ voteSetBits: right })).kind).toBe('votesHeld');
  for (const votes of [
    { bits: 70n, elems: [1n] },
    { bits: 70n, elems: [1n, 0n, 0n] },
    { bits: 70n, elems: [] },
    { bits: 0n, elems: [1n] },
    { bits: -1n, elems: [] },
    { bits: 1n << 62n, elems: [1n] },
    { bits: 65n, elems: [0n, 2n] },
  ]) {
    expect(() => decodeStateMessage(bytesOf({ voteSetBits: { ...place, votes } }))).toThrow(/bit/);
    const newValidBlock = {
      height: 1n,
      round: 0,
      blockPartSetHeader: { total: 70, hash: sha256(new Uint8Array(1)) },
      blockParts: votes,
      isCommit: false,
    };
    expect(() => decodeStateMessage(bytesOf({ newValidBlock }))).toThrow(/bit|part/);
  }
});

/**
 * Sent: a vote message without a vote. There: the missing vote was dereferenced. Here: no message of the
 * channel; the same for other messages with nothing in them.
 */
test('#5777: a vote message without a vote', () => {
  expect(() => decodeVoteMessage(bytesOf({ vote: { vote: undefined } }))).toThrow('no message of the votes');
  expect(() => decodeVoteMessage(bytesOf({}))).toThrow('no message of the votes');
  expect(() => decodeVoteMessage(new Uint8Array(0))).toThrow('no message of the votes');
  expect(() => decodeDataMessage(bytesOf({}))).toThrow('no message of the data');
  expect(() => decodeStateMessage(bytesOf({}))).toThrow('no message of the state');
});

/**
 * Sent: a proposal of more parts than a block may have, and more bytes than the parameters allow. There: the
 * parts were collected as long as they came. Here: the proposal is refused before room is made for its parts,
 * a set has room for as many parts as the parameters need, and a block beyond them is never put together.
 */
test('#5324: an oversized proposal', () => {
  const of = (total: number): Uint8Array => {
    const hash = sha256(new Uint8Array(2));
    const proposal = proposalToMessage({
      height: 1n,
      round: 0,
      polRound: -1,
      blockId: { hash, partSetHeader: { total, hash } },
      timestamp: { seconds: 1_700_000_000n, nanos: 0 },
      signature: new Uint8Array(64),
    });
    return bytesOf({ proposal: { proposal } });
  };
  expect(decodeDataMessage(of(BLOCK_PARTS_MAX)).kind).toBe('proposal');
  for (const total of [BLOCK_PARTS_MAX + 1, 2 ** 32 - 1])
    expect(() => decodeDataMessage(of(total))).toThrow('impossible block id');
  const assembly = new BlockAssembly();
  assembly.reset(1_048_576n);
  const hash = sha256(new Uint8Array(3));
  expect(() => assembly.want({ total: 17, hash })).toThrow('impossible header');
  assembly.want({ total: 16, hash });
  const { header, parts } = partsOf(new Uint8Array(2 * BLOCK_PART_BYTES));
  const set = new PartSet(header, 2 * BLOCK_PART_BYTES - 1);
  expect(parts.map((part) => set.add(part))).toEqual(['added', 'added']);
  expect(() => set.assemble()).toThrow('too large');
});
