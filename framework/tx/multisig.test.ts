import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../core/bytes.ts';
import { LegacyAminoPubKey } from '../../proto/gen/cosmos/crypto/multisig/keys.ts';
import { MultiSignature } from '../../proto/gen/cosmos/crypto/multisig/v1beta1/multisig.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import { MULTISIG_VECTORS } from '../../test/vectors/multisig/vectors.ts';
import { type SignatureData, signatureDataOf, signingKinds, signingPairs } from './multisig.ts';
import {
  ed25519PublicKey,
  keyCountOf,
  type MultisigKey,
  multisigPublicKey,
  publicKeyOf,
  secp256k1PublicKey,
  singleKeyOf,
} from './public-key.ts';

const one = secp256k1PublicKey(new Uint8Array(33).fill(2));
const two = secp256k1PublicKey(new Uint8Array(33).fill(3));
const stranger = ed25519PublicKey(new Uint8Array(32).fill(4));
const pair = multisigPublicKey(2, [one, two]);

const single = (fill: number): { readonly mode: number; readonly signature: Uint8Array } => ({
  mode: 127,
  signature: new Uint8Array(64).fill(fill),
});

/** Signatures of several keys with the bits of one byte, as a transaction has them. */
function signatures(
  bits: number,
  count: number,
  parts: readonly { readonly mode: number; readonly signature: Uint8Array }[],
): SignatureData {
  const modeInfos = parts.map(({ mode }) => ({ single: { mode }, multi: undefined }));
  const bitarray = { extraBitsStored: count % 8, elems: Uint8Array.of(bits) };
  const info = { single: undefined, multi: { bitarray, modeInfos } };
  return signatureDataOf(info, MultiSignature.encode({ signatures: parts.map((part) => part.signature) }));
}

function pairsOf(key: MultisigKey, data: SignatureData): ReturnType<typeof signingPairs> {
  if (data.multi === undefined) throw new RangeError('these are not of several keys');
  return signingPairs(key, data.multi);
}

describe('a key of several keys', () => {
  it.each(MULTISIG_VECTORS)("has the SDK's bytes and address: $name", ({ any, amino, address }) => {
    const key = publicKeyOf(Any.decode(fromHex(any)));
    expect(toHex(key.bytes)).toBe(amino);
    expect(toHex(key.address)).toBe(address);
    expect(toHex(Any.encode(key.any))).toBe(any);
  });

  it('counts the keys of one curve at every depth', () => {
    expect(keyCountOf(multisigPublicKey(1, [pair, one, multisigPublicKey(1, [pair])]))).toBe(5);
  });

  it.each([0, 3])(
    'refuses a threshold of %i for two keys, since nobody or anybody could sign',
    (threshold) => {
      const publicKeys = [one.any, two.any];
      const value = LegacyAminoPubKey.encode({ threshold, publicKeys });
      expect(() => publicKeyOf({ typeUrl: LegacyAminoPubKey.typeUrl, value })).toThrow('invalid pubkey');
    },
  );

  it('is read ten deep, and not deeper', () => {
    let key = pair;
    for (let depth = 1; depth < 10; depth++) key = multisigPublicKey(1, [key]);
    expect(publicKeyOf(key.any).address).toEqual(key.address);
    expect(() => publicKeyOf(multisigPublicKey(1, [key]).any)).toThrow('nested too deep');
  });

  it('does not stand where one key is wanted', () => {
    expect(() => singleKeyOf(pair.any)).toThrow('unrecognized public key type');
    expect(singleKeyOf(one.any)).toBe(publicKeyOf(one.any));
  });
});

describe('signatures of several keys', () => {
  it('belong to the keys whose bits are set, in order', () => {
    const key = multisigPublicKey(2, [one, stranger, two]);
    const data = signatures(0b1010_0000, 3, [single(1), single(2)]);
    expect(pairsOf(key, data).map((found) => [found.key, found.signature[0]])).toEqual([
      [one, 1],
      [two, 2],
    ]);
  });

  it('may be of keys of several keys in their turn', () => {
    const key = multisigPublicKey(2, [pair, stranger]);
    const inner = signatures(0b1100_0000, 2, [single(1), single(2)]);
    const outer = single(3);
    const info = {
      single: undefined,
      multi: {
        bitarray: { extraBitsStored: 2, elems: Uint8Array.of(0b1100_0000) },
        modeInfos: [
          {
            single: undefined,
            multi: {
              bitarray: inner.multi?.bits,
              modeInfos: [1, 2].map(() => ({ single: { mode: 127 }, multi: undefined })),
            },
          },
          { single: { mode: 127 }, multi: undefined },
        ],
      },
    };
    const bytes = MultiSignature.encode({ signatures: [inner.signature, outer.signature] });
    const data = signatureDataOf(info, bytes);
    expect(pairsOf(key, data).map((found) => found.signature[0])).toEqual([1, 2, 3]);
    expect(data.multi === undefined ? [] : signingKinds(key, data.multi)).toEqual([
      'secp256k1',
      'secp256k1',
      'ed25519',
    ]);
  });

  it.each<[string, SignatureData, string]>([
    ['a bit too few', signatures(0b1000_0000, 1, [single(1)]), 'bit array size is incorrect, expecting: 2'],
    ['a bit too many', signatures(0b1100_0000, 3, [single(1), single(2)]), 'bit array size is incorrect'],
    ['one signature of two', signatures(0b1100_0000, 2, [single(1)]), 'signature size is incorrect 1'],
    [
      'more signatures than keys',
      signatures(0b1100_0000, 2, [single(1), single(2), single(3)]),
      'signature size is incorrect 3',
    ],
    [
      'too few bits set',
      signatures(0b1000_0000, 2, [single(1), single(2)]),
      'not enough signatures set, have 1, expected 2',
    ],
  ])('are refused with %s', (_, data, problem) => {
    expect(() => pairsOf(pair, data)).toThrow(problem);
  });

  it('are malformed when the bit array contradicts itself, or modes and signatures differ in number', () => {
    expect(() => signatures(0, 2, []).multi).not.toThrow();
    const multi = (extraBitsStored: number, elems: Uint8Array): unknown =>
      signatureDataOf(
        { single: undefined, multi: { bitarray: { extraBitsStored, elems }, modeInfos: [] } },
        new Uint8Array(),
      );
    expect(() => multi(8, Uint8Array.of(1))).toThrow('tx parse error');
    expect(() => multi(1, new Uint8Array())).toThrow('tx parse error');
    const modeInfos = [{ single: { mode: 127 }, multi: undefined }];
    expect(() =>
      signatureDataOf({ single: undefined, multi: { bitarray: undefined, modeInfos } }, new Uint8Array()),
    ).toThrow('0 signatures of several keys, and 1 modes for them');
  });
});
