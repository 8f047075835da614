import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitArray } from '../../consensus/types/bit-array.ts';
import { partToMessage } from '../../consensus/types/part-set.ts';
import { voteToMessage } from '../../consensus/types/vote.ts';
import { concatBytes } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { encodeUvarint } from '../../core/varint.ts';
import { Message } from '../../proto/gen/tendermint/consensus/types.ts';
import {
  decodeDataMessage,
  decodeStateMessage,
  decodeVoteMessage,
  encodeConsensusMessage,
  encodeStateMessage,
  type StateMessage,
} from './messages.ts';
import { testBlock, testProposal, testVote } from './testing.ts';

const HEADER = testBlock(5n, 0).blockId.partSetHeader;
const decoders = [
  ['state', decodeStateMessage],
  ['data', decodeDataMessage],
  ['votes', decodeVoteMessage],
] as const;

const stateMessages: readonly StateMessage[] = [
  { kind: 'roundStep', height: 5n, round: 2, step: 'prevote', lastCommitRound: -1 },
  {
    kind: 'partsHeld',
    height: 5n,
    round: 0,
    header: HEADER,
    bits: bitArray(HEADER.total, [0, 3]),
    decided: true,
  },
  { kind: 'hasVote', height: 5n, round: 1, type: 'precommit', index: 99 },
  { kind: 'votesHeld', height: 5n, round: 1, type: 'prevote', bits: bitArray(130, [0, 64, 129]) },
  { kind: 'votesHeld', height: 5n, round: 1, type: 'prevote', bits: bitArray(0) },
];

test.each(stateMessages)('a state message comes out as it went in: $kind', (message) => {
  const bytes = encodeStateMessage(message);
  const decoded = decodeStateMessage(bytes);
  expect(decoded.kind).toBe(message.kind);
  expect(encodeStateMessage(decoded)).toEqual(bytes);
});

test('proposals, parts and votes come out as they went in', () => {
  const proposal = encodeConsensusMessage({ kind: 'proposal', proposal: testProposal(5n, 1) });
  expect(encodeConsensusMessage(decodeDataMessage(proposal))).toEqual(proposal);
  for (const part of testBlock(5n, 0).parts) {
    const bytes = encodeConsensusMessage({ kind: 'blockPart', height: 5n, round: 0, part });
    expect(encodeConsensusMessage(decodeDataMessage(bytes))).toEqual(bytes);
  }
  const vote = encodeConsensusMessage({ kind: 'vote', vote: testVote(5n, 0, 'prevote', 3) });
  expect(encodeConsensusMessage(decodeVoteMessage(vote))).toEqual(vote);
});

/** Protobuf field 1, length-delimited, around itself. */
function nested(depth: number): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < depth; i++)
    bytes = concatBytes(Uint8Array.of(0x0a), encodeUvarint(BigInt(bytes.length)), bytes);
  return bytes;
}

describe.each(decoders)('channel %s', (_name, decode) => {
  test('any bytes give a message or a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('a good message with any byte changed, or cut anywhere, gives a message or a DecodeError', () => {
    const good = [
      ...stateMessages.map(encodeStateMessage),
      encodeConsensusMessage({ kind: 'proposal', proposal: testProposal(5n, 1) }),
      encodeConsensusMessage({ kind: 'vote', vote: testVote(5n, 0, 'prevote', 3) }),
    ];
    const change = fc.record({ which: fc.nat(), at: fc.nat(), to: fc.nat(255), cut: fc.boolean() });
    fc.assert(
      fc.property(change, ({ which, at, to, cut }) => {
        const bytes = Uint8Array.from(good[which % good.length] ?? []);
        const index = at % bytes.length;
        bytes[index] = to;
        try {
          decode(cut ? bytes.subarray(0, index) : bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('deep nesting, an empty message and a message of another channel are refused', () => {
    const foreign = decode === decodeVoteMessage ? stateMessages.map(encodeStateMessage) : [];
    const vote = encodeConsensusMessage({ kind: 'vote', vote: testVote(5n, 0, 'prevote', 3) });
    if (decode !== decodeVoteMessage) foreign.push(vote);
    for (const bytes of [nested(2_000), new Uint8Array(0), Message.encode(Message.create()), ...foreign])
      expect(() => decode(bytes)).toThrow(DecodeError);
  });
});

const bits = (length: bigint, elems: readonly bigint[]) => ({ bits: length, elems });
const roundStep = { height: 5n, round: 0, step: 1, secondsSinceStartTime: 0n, lastCommitRound: 0 };
const hasVote = { height: 5n, round: 0, type: 1, index: 0 };
const validBlock = { height: 5n, round: 0, blockPartSetHeader: HEADER, isCommit: false };
const NIL = { hash: new Uint8Array(0), partSetHeader: { total: 0, hash: new Uint8Array(0) } };
const voteBits = { height: 5n, round: 0, type: 1, blockId: NIL };
const huge = { total: 2_000_000, hash: HEADER.hash };

test.each<readonly [string, Partial<Message>]>([
  ['a negative height', { newRoundStep: { ...roundStep, height: -1n } }],
  ['a negative round', { newRoundStep: { ...roundStep, round: -1 } }],
  ['an unknown step', { newRoundStep: { ...roundStep, step: 9 } }],
  ['a last commit round below -1', { newRoundStep: { ...roundStep, lastCommitRound: -2 } }],
  ['a validator index below 0', { hasVote: { ...hasVote, index: -1 } }],
  ['a validator index past the largest set', { hasVote: { ...hasVote, index: 10_000 } }],
  ['a vote type that is none', { hasVote: { ...hasVote, type: 32 } }],
  ['no part bits', { newValidBlock: { ...validBlock, blockParts: undefined } }],
  ['fewer part bits than parts', { newValidBlock: { ...validBlock, blockParts: bits(1n, [1n]) } }],
  [
    'more parts than any block has',
    { newValidBlock: { ...validBlock, blockPartSetHeader: huge, blockParts: bits(2_000_000n, []) } },
  ],
  ['bits without words', { voteSetBits: { ...voteBits, votes: bits(64n, []) } }],
  ['words without bits', { voteSetBits: { ...voteBits, votes: bits(0n, [1n]) } }],
  ['a bit past the end', { voteSetBits: { ...voteBits, votes: bits(3n, [8n]) } }],
  ['a negative number of bits', { voteSetBits: { ...voteBits, votes: bits(-1n, []) } }],
  ['more bits than the largest set', { voteSetBits: { ...voteBits, votes: bits(1n << 40n, [1n]) } }],
])('state: %s is refused', (_what, message) => {
  expect(() => decodeStateMessage(Message.encode(Message.create(message)))).toThrow(DecodeError);
});

test('a part whose index is not that of its proof is refused, as is an impossible one', () => {
  const [part] = testBlock(5n, 0).parts;
  if (part === undefined) throw new Error('a block has parts');
  const good = partToMessage(part);
  const forged = [
    { ...good, index: 1 },
    { ...good, proof: { ...good.proof, index: 1n } },
    { ...good, proof: { ...good.proof, total: 1n << 40n } },
    { ...good, proof: { ...good.proof, aunts: Array.from({ length: 101 }, () => HEADER.hash) } },
    { ...good, proof: { ...good.proof, leafHash: new Uint8Array(31) } },
    { ...good, bytes: new Uint8Array(65_537) },
  ];
  for (const wrong of forged) {
    const blockPart = { height: 5n, round: 0, part: wrong };
    expect(() => decodeDataMessage(Message.encode(Message.create({ blockPart })))).toThrow(DecodeError);
  }
});

test('a vote with an index, address or block id that cannot be is refused', () => {
  const good = voteToMessage(testVote(5n, 0, 'prevote', 3));
  const forged = [
    { ...good, validatorIndex: -1 },
    { ...good, validatorIndex: 10_000 },
    { ...good, validatorAddress: new Uint8Array(19) },
    { ...good, signature: new Uint8Array(65) },
    { ...good, blockId: { ...good.blockId, hash: new Uint8Array(31) } },
    { ...good, type: 0 },
  ];
  for (const wrong of forged)
    expect(() => decodeVoteMessage(Message.encode(Message.create({ vote: { vote: wrong } })))).toThrow(
      DecodeError,
    );
});
