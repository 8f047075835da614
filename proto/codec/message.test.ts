import { Tx as CosmTx } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { MsgMultiSend as CosmMultiSend } from 'cosmjs-types/cosmos/bank/v1beta1/tx';
import { Metadata as CosmMetadata } from 'cosmjs-types/cosmos/bank/v1beta1/bank';
import { ResponseFinalizeBlock as CosmFinalize } from 'cosmjs-types/tendermint/abci/types';
import { ConsensusParams as CosmParams } from 'cosmjs-types/tendermint/types/params';
import { Block as CosmBlock } from 'cosmjs-types/tendermint/types/block';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concatBytes, toHex } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { Metadata } from '../gen/cosmos/bank/v1beta1/bank.ts';
import { MsgMultiSend, MsgSend } from '../gen/cosmos/bank/v1beta1/tx.ts';
import { CompactBitArray } from '../gen/cosmos/crypto/multisig/v1beta1/multisig.ts';
import { ModeInfo, Tx } from '../gen/cosmos/tx/v1beta1/tx.ts';
import { ResponseFinalizeBlock } from '../gen/tendermint/abci/types.ts';
import { Block } from '../gen/tendermint/types/block.ts';
import { CanonicalVote } from '../gen/tendermint/types/canonical.ts';
import { BlockID, Part, Vote } from '../gen/tendermint/types/types.ts';
import { ConsensusParams } from '../gen/tendermint/types/params.ts';
import { arbitraryMessage } from './arbitrary.ts';
import { MESSAGE_DEPTH_MAX, type MessageType } from './message.ts';

/** What an independent implementation of the same schemas offers. */
interface Peer {
  decode(bytes: Uint8Array): unknown;
  encode(value: never): { finish(): Uint8Array };
}

const pairs: readonly (readonly [MessageType<never>, Peer])[] = [
  [Tx, CosmTx],
  [MsgMultiSend, CosmMultiSend],
  [Metadata, CosmMetadata],
  [ResponseFinalizeBlock, CosmFinalize],
  [ConsensusParams, CosmParams],
  [Block, CosmBlock],
] as unknown as (readonly [MessageType<never>, Peer])[];

describe('against cosmjs-types, an independent generator over the same schemas', () => {
  for (const [ours, theirs] of pairs) {
    test(`${ours.name}: what we encode, it decodes and encodes to the same bytes`, () => {
      fc.assert(
        fc.property(arbitraryMessage(ours), (value) => {
          const bytes = ours.encode(value as never);
          const again = theirs.encode(theirs.decode(bytes) as never).finish();
          expect(toHex(again)).toBe(toHex(bytes));
        }),
        { numRuns: 60 },
      );
    });
  }
});

test('decoding gives back what was encoded', () => {
  for (const type of [
    ...pairs.map(([ours]) => ours),
    CanonicalVote,
    Vote,
    CompactBitArray,
  ] as MessageType<unknown>[]) {
    fc.assert(
      fc.property(arbitraryMessage(type), (value) => {
        const decoded = type.decode(type.encode(value), { unknown: 'reject' });
        expect(decoded).toEqual(type.create(value));
      }),
      { numRuns: 40 },
    );
  }
});

test('a non-nullable message is written even when empty, a nullable one is not', () => {
  expect(toHex(BlockID.encode(BlockID.create()))).toBe('1200');
  expect(toHex(Part.encode(Part.create()))).toBe('1a00');
  expect(toHex(CanonicalVote.encode(CanonicalVote.create()))).toBe('2a00');
});

test('the length in front of a delimited message is that of its bytes', () => {
  for (const length of [0, 1, 127, 128, 20000]) {
    const value = MsgSend.create({ fromAddress: 'a'.repeat(length) });
    const bytes = MsgSend.encode(value);
    const delimited = MsgSend.encodeDelimited(value);
    expect(toHex(delimited.subarray(delimited.length - bytes.length))).toBe(toHex(bytes));
    expect(delimited.length - bytes.length).toBe(bytes.length < 128 ? 1 : bytes.length < 16384 ? 2 : 3);
  }
});

describe('what is refused', () => {
  const send = MsgSend.encode(MsgSend.create({ fromAddress: 'a', toAddress: 'b' }));

  test('bytes cut short anywhere', () => {
    const block = Block.encode(Block.create());
    for (let length = 1; length < block.length; length++) {
      try {
        const value = Block.decode(block.subarray(0, length));
        // A cut between two fields is a shorter message, not a broken one.
        expect(Block.encode(value).length).toBeGreaterThanOrEqual(length);
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError);
      }
    }
    expect(() => MsgSend.decode(send.subarray(0, send.length - 1))).toThrow(
      /MsgSend: unexpected end of bytes/,
    );
  });

  test('a field twice, a oneof twice, text that is not UTF-8, a wrong wire type, field number 0', () => {
    expect(() => MsgSend.decode(concatBytes(send, send))).toThrow('from_address is given twice');
    const single = ModeInfo.encode(ModeInfo.create({ single: { mode: 1 } }));
    const multi = ModeInfo.encode(ModeInfo.create({ multi: { bitarray: undefined, modeInfos: [] } }));
    expect(() => ModeInfo.decode(concatBytes(single, multi))).toThrow('given twice');
    expect(() => MsgSend.decode(Uint8Array.of(0x0a, 1, 0xff))).toThrow('UTF-8');
    expect(() => MsgSend.decode(Uint8Array.of(0x08, 1))).toThrow('wire type 0, expected 2');
    expect(() => MsgSend.decode(Uint8Array.of(0x02, 0))).toThrow('field number 0');
    expect(() => MsgSend.decode(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f))).toThrow('too large');
    expect(() => MsgSend.decode(Uint8Array.of(0x7b))).toThrow('wire type 3');
  });

  test('unknown fields, as the caller chooses', () => {
    const unknown = Uint8Array.of(0x78, 1);
    const nonCritical = Uint8Array.of(0x80, 0x40, 1);
    expect(MsgSend.decode(concatBytes(send, unknown)).toAddress).toBe('b');
    expect(() => MsgSend.decode(unknown, { unknown: 'reject' })).toThrow('no field number 15');
    expect(() => MsgSend.decode(unknown, { unknown: 'reject-critical' })).toThrow('no field number 15');
    expect(() => MsgSend.decode(nonCritical, { unknown: 'reject' })).toThrow('no field number 1024');
    expect(MsgSend.decode(concatBytes(send, nonCritical), { unknown: 'reject-critical' }).toAddress).toBe(
      'b',
    );
  });

  test('nesting deeper than the limit, without exhausting the stack', () => {
    let bytes = new Uint8Array(0) as Uint8Array;
    const nest = (): void => {
      const multi = concatBytes(Uint8Array.of(0x12), delimited(bytes));
      bytes = concatBytes(Uint8Array.of(0x12), delimited(multi));
    };
    for (let i = 0; i < MESSAGE_DEPTH_MAX; i++) nest();
    expect(() => ModeInfo.decode(bytes)).toThrow('nested deeper');
    for (let i = 0; i < 5000; i++) nest();
    expect(() => ModeInfo.decode(bytes)).toThrow('nested deeper');
  });

  test('random bytes never give anything but a message or a DecodeError', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(Tx, Block, ResponseFinalizeBlock),
        (bytes, type) => {
          try {
            type.decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

function delimited(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = bytes.length;
  while (rest >= 128) {
    length.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return concatBytes(Uint8Array.of(...length, rest), bytes);
}
