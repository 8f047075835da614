import { expect, test } from 'vitest';
import type { LoggedInput } from '../../consensus/input.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import type { Proposal } from '../../consensus/types/proposal.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { EMPTY_BYTES, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { inputRecord, partRecord, readRecord } from './wal-codec.ts';

const digest = (text: string): Uint8Array => Uint8Array.from(sha256(utf8(text)));
const blockId: BlockId = {
  hash: digest('block'),
  partSetHeader: { total: 3, hash: digest('parts') },
};
const timestamp = { seconds: 1_700_000_000n, nanos: 5 };
const signature = new Uint8Array(64).fill(7);
const proposal: Proposal = { height: 9n, round: 2, polRound: 1, blockId, timestamp, signature };
const vote: Vote = {
  type: 'precommit',
  height: 9n,
  round: 2,
  blockId,
  validatorAddress: new Uint8Array(20).fill(3),
  validatorIndex: 4,
  timestamp,
  signature,
  extension: EMPTY_BYTES,
  extensionSignature: EMPTY_BYTES,
};
const entry = {
  blockIdFlag: 'commit',
  validatorAddress: vote.validatorAddress,
  timestamp,
  signature,
} as const;

test('every input and a part read back from their records', () => {
  const inputs: readonly LoggedInput[] = [
    { kind: 'proposal', proposal },
    { kind: 'vote', vote },
    { kind: 'value', height: 9n, blockId, validity: 'accepted' },
    { kind: 'value', height: 9n, blockId, validity: 'invalid' },
    { kind: 'proposeValue', height: 9n, round: 2, blockId },
    { kind: 'signedProposal', proposal },
    { kind: 'signedVote', vote: { ...vote, type: 'prevote' } },
    { kind: 'timeoutElapsed', timeout: { kind: 'precommit', height: 9n, round: 3 } },
    { kind: 'decidedBySync', commit: { height: 9n, round: 2, blockId, signatures: [entry] } },
  ];
  for (const input of inputs) {
    const read = readRecord(inputRecord(input));
    expect(read.kind === 'input' && read.input).toEqual(input);
  }
  const [part] = partsOf(utf8('a block')).parts;
  if (part === undefined) throw new Error('one part');
  const read = readRecord(partRecord(part));
  expect(read.kind === 'part' && partRecord(read.part)).toEqual(partRecord(part));
});

test('records of unknown types, cut short or out of range are refused', () => {
  const value = inputRecord({ kind: 'value', height: 9n, blockId, validity: 'accepted' });
  for (const type of [0, 10, 255])
    expect(() => readRecord({ type, payload: value.payload })).toThrow('unknown type');
  expect(() => readRecord({ ...value, payload: value.payload.subarray(0, 5) })).toThrow();
  expect(() => readRecord({ ...value, payload: Uint8Array.of(9, ...value.payload.subarray(1)) })).toThrow(
    'validity',
  );
  expect(() => readRecord({ type: 2, payload: utf8('no vote') })).toThrow();
});
