import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { MsgSend, MsgSendResponse } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { AuthInfo, TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { AddressCodec } from '../address.ts';
import { StateError } from '../errors.ts';
import { MessageRouter, messageRoute } from '../message.ts';
import { TxCache } from './cache.ts';
import { decodeTx, TX_MESSAGES_MAX } from './decode.ts';

const addresses = new AddressCodec('open');
const alice = addresses.toText(new Uint8Array(20).fill(1));
const bob = addresses.toText(new Uint8Array(20).fill(2));
const router = new MessageRouter([
  messageRoute<MsgSend, MsgSendResponse, void>({
    type: MsgSend,
    response: MsgSendResponse,
    signers: ({ fromAddress }) => [fromAddress],
    validate: () => undefined,
    check: () => undefined,
    execute: () => ({}),
  }),
]);
const ports = { router, addresses };

const send = {
  typeUrl: MsgSend.typeUrl,
  value: MsgSend.encode({ fromAddress: alice, toAddress: bob, amount: [] }),
};
const body = TxBody.create({ messages: [send], memo: 'hello' });
const fee = { amount: [{ denom: 'uopen', amount: '5' }], gasLimit: 7n, payer: '', granter: '' };
const authInfo = AuthInfo.create({ fee });

function raw(parts: { readonly body?: Uint8Array; readonly authInfo?: Uint8Array } = {}): Uint8Array {
  const bodyBytes = parts.body ?? TxBody.encode(body);
  return TxRaw.encode({
    bodyBytes,
    authInfoBytes: parts.authInfo ?? AuthInfo.encode(authInfo),
    signatures: [],
  });
}

function decode(bytes: Uint8Array): ReturnType<typeof decodeTx> {
  return decodeTx(bytes, sha256(bytes), ports);
}

/** A length-delimited field. */
function field(number: number, content: Uint8Array): Uint8Array {
  const tag = number < 16 ? [number * 8 + 2] : [((number * 8 + 2) & 127) | 128, (number * 8 + 2) >> 7];
  return Uint8Array.of(...tag, content.length, ...content);
}

describe('decoding a transaction', () => {
  it('binds messages to their handlers and finds the signers', () => {
    const tx = decode(raw());
    expect(tx.required).toEqual([addresses.toBytes(alice)]);
    expect(tx.fee).toMatchObject({
      coins: [{ denom: 'uopen', amount: 5n }],
      gasLimit: 7n,
      payer: addresses.toBytes(alice),
    });
    expect([tx.memo, tx.timeoutHeight]).toEqual(['hello', 0n]);
  });

  it('puts a fee payer who is not among the signers last', () => {
    const named = AuthInfo.encode(AuthInfo.create({ fee: { ...fee, payer: bob } }));
    expect(decode(raw({ authInfo: named })).required).toEqual(
      [alice, bob].map((text) => addresses.toBytes(text)),
    );
  });

  it.each<[string, Uint8Array, string]>([
    [
      'fields out of order',
      concatBytes(field(2, AuthInfo.encode(authInfo)), field(1, TxBody.encode(body))),
      'must follow ADR-027',
    ],
    ['a number among its fields', Uint8Array.of(8, 1), 'expected 2 wire type, got 0'],
    ['a length that is longer than needed', Uint8Array.of(10, 0x80, 0), 'not as short as possible'],
    ['a tag that is longer than needed', Uint8Array.of(0x8a, 0, 0), 'not as short as possible'],
    ['bytes after its end', concatBytes(raw(), Uint8Array.of(26)), 'tx parse error'],
    ['an unknown field in TxRaw', concatBytes(raw(), field(9, utf8('x'))), 'no field number 9'],
    [
      'an unknown critical field in the body',
      raw({ body: concatBytes(TxBody.encode(body), field(9, utf8('x'))) }),
      'no field number 9',
    ],
    [
      'an unknown field in AuthInfo',
      raw({ authInfo: concatBytes(AuthInfo.encode(authInfo), field(2000, utf8('x'))) }),
      'no field number 2000',
    ],
    [
      'an unknown field in a message',
      raw({
        body: TxBody.encode({
          ...body,
          messages: [{ ...send, value: concatBytes(send.value, field(9, utf8('x'))) }],
        }),
      }),
      'no field number 9',
    ],
    [
      'the memo twice',
      raw({ body: concatBytes(TxBody.encode(body), field(2, utf8('x'))) }),
      'memo is given twice',
    ],
    [
      'text that is not UTF-8',
      raw({ body: concatBytes(TxBody.encode({ ...body, memo: '' }), field(2, Uint8Array.of(0xff))) }),
      'tx parse error',
    ],
    [
      'no messages',
      raw({ body: TxBody.encode({ ...body, messages: [] }) }),
      'must contain at least one message',
    ],
    [
      'too many messages',
      raw({
        body: TxBody.encode({ ...body, messages: Array.from({ length: TX_MESSAGES_MAX + 1 }, () => send) }),
      }),
      'more than 1000 messages',
    ],
    ['no fee', raw({ authInfo: AuthInfo.encode(AuthInfo.create({})) }), 'missing fee'],
    [
      'a fee that is no number',
      raw({
        authInfo: AuthInfo.encode(
          AuthInfo.create({ fee: { ...fee, amount: [{ denom: 'uopen', amount: 'x' }] } }),
        ),
      }),
      'invalid amount: x',
    ],
    [
      'a bad fee payer',
      raw({ authInfo: AuthInfo.encode(AuthInfo.create({ fee: { ...fee, payer: 'x' } })) }),
      'invalid address',
    ],
    [
      'a bad signer',
      raw({
        body: TxBody.encode({
          ...body,
          messages: [{ ...send, value: MsgSend.encode({ fromAddress: 'x', toAddress: bob, amount: [] }) }],
        }),
      }),
      'invalid address',
    ],
  ])('refuses one with %s', (_, bytes, message) => {
    expect(() => decode(bytes)).toThrow(message);
    expect(() => decode(bytes)).toThrow(StateError);
  });

  it('takes an unknown non-critical field in the body', () => {
    expect(decode(raw({ body: concatBytes(TxBody.encode(body), field(1024, utf8('x'))) })).memo).toBe(
      'hello',
    );
  });

  it('fails with a StateError on any bytes, and on any damage to good ones', () => {
    const good = raw();
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(good.length - 1), fc.nat(255), (junk, at, byte) => {
        const damaged = good.slice();
        damaged[at] = byte;
        for (const bytes of [junk, damaged, good.slice(0, at)])
          try {
            decode(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(StateError);
          }
      }),
    );
  });

  it('refuses messages nested without end', () => {
    let nested: Uint8Array = new Uint8Array(0);
    // ModeInfo.multi.mode_infos may hold itself.
    for (let i = 0; i < 40; i++) nested = field(2, nested);
    expect(() => decode(raw({ authInfo: field(1, nested) }))).toThrow('nested deeper than');
  });
});

describe('a transaction of many small things', () => {
  it('is refused before they are all read', () => {
    const many = (number: number): Uint8Array =>
      concatBytes(...Array.from({ length: 20_001 }, () => field(number, utf8(''))));
    for (const bytes of [raw({ body: many(1) }), raw({ authInfo: many(1) }), concatBytes(raw(), many(3))])
      expect(() => decode(bytes)).toThrow('too many elements of repeated fields');
  });
});

describe('the cache of decoded transactions', () => {
  it('decodes the same bytes once, also in another array', () => {
    const cache = new TxCache(ports, 100_000);
    const bytes = raw();
    const first = cache.decode(bytes);
    expect(cache.decode(bytes)).toBe(first);
    expect(cache.decode(Uint8Array.from(bytes))).toBe(first);
    expect(() => cache.decode(utf8('junk'))).toThrow(StateError);
    expect(() => cache.decode(utf8('junk'))).toThrow(StateError);
  });

  it('forgets what came first, and only when it is full', () => {
    const txs = [1, 2, 3].map((number) => raw({ body: TxBody.encode({ ...body, memo: `memo ${number}` }) }));
    const cache = new TxCache(ports, 2 * (3_000 + 3 * raw().length + 100));
    const [first, second] = txs.map((bytes) => cache.decode(bytes));
    expect(cache.decode(txs[1] ?? raw())).toBe(second);
    expect(cache.decode(txs[0] ?? raw())).not.toBe(first);
  });

  it('forgets what a block holds, and has room for others then', () => {
    const txs = [1, 2, 3].map((number) => raw({ body: TxBody.encode({ ...body, memo: `memo ${number}` }) }));
    const cache = new TxCache(ports, 2 * (3_000 + 3 * raw().length + 100));
    const [first, second] = txs.slice(0, 2).map((bytes) => cache.decode(bytes));
    const before = cache.heldBytes;
    if (second !== undefined) cache.forget(second);
    expect(cache.heldBytes).toBeLessThan(before);
    cache.decode(txs[2] ?? raw());
    expect(cache.decode(txs[0] ?? raw())).toBe(first);
    if (second !== undefined) cache.forget(second);
    expect(cache.heldBytes).toBe(before);
  });
});
