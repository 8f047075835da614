import { createBase58check } from '@scure/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { AddressCodec, derivedAddress, moduleAddress } from './address.ts';
import { BoundedMap } from './bounded-map.ts';
import { StateError, sdkErrors, toStateError, wrapError } from './errors.ts';
import { attribute, event, eventOf, withAttribute } from './events.ts';
import { checkGasPrices, parseGasPrices } from './gas-price.ts';
import { publicKeyOf, secp256k1PublicKey } from './tx/public-key.ts';

describe('addresses', () => {
  const codec = new AddressCodec('open');

  it('survive being written and read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        expect(codec.toBytes(codec.toText(bytes))).toEqual(bytes);
      }),
    );
  });

  it('are written in one way, however they were read', () => {
    const text = codec.toText(new Uint8Array(20).fill(7));
    const fresh = new AddressCodec('open');
    expect(fresh.toText(fresh.toBytes(text.toUpperCase()))).toBe(text);
  });

  it.each([
    ['', 'empty address string is not allowed'],
    ['open1xyz', 'decoding bech32 failed'],
    [new AddressCodec('cosmos').toText(new Uint8Array(20)), "expected 'open' got 'cosmos'"],
    [codec.toText(new Uint8Array(256)), 'address max length is 255'],
  ])('refuse %s', (text, message) => {
    expect(() => codec.toBytes(text)).toThrow(message);
  });

  it('of modules and of keys are those of the SDK', () => {
    // cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta is fee_collector on every Cosmos chain.
    expect(new AddressCodec('cosmos').toText(moduleAddress('fee_collector'))).toBe(
      'cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta',
    );
    // cosmos-sdk crypto/keys/secp256k1/secp256k1_test.go (v0.50), its first key; the address is a Bitcoin one.
    const key = fromHex('02950e1cdfcb133d6024109fd489f734eeb4502418e538c28481f22bce276f248c');
    const bitcoin = createBase58check(sha256).decode('1CKZ9Nx4zgds8tU7nJHotKSDr4a9bYJCa3');
    expect(toHex(secp256k1PublicKey(key).address)).toBe(toHex(bitcoin.slice(1)));
    expect(derivedAddress('x', new Uint8Array(1))).toHaveLength(32);
  });
});

describe('public keys', () => {
  it.each([
    [{ typeUrl: '/cosmos.crypto.secp256k1.PubKey', value: Uint8Array.of(10, 1, 1) }, 'expected 33, got 1'],
    [{ typeUrl: '/cosmos.crypto.secp256k1.PubKey', value: Uint8Array.of(255) }, 'tx parse error'],
    [
      { typeUrl: '/cosmos.crypto.secp256r1.PubKey', value: new Uint8Array(0) },
      'unrecognized public key type',
    ],
  ])('are refused when malformed or unknown', (any, message) => {
    expect(() => publicKeyOf(any)).toThrow(message);
  });
});

describe('errors', () => {
  it('read like wrapped Go errors and keep their number', () => {
    const inner = new StateError(sdkErrors.insufficientFunds, '1uopen is smaller than 2uopen');
    const outer = wrapError(inner, 'failed to execute message; message index: 0');
    expect(outer.message).toBe(
      'failed to execute message; message index: 0: 1uopen is smaller than 2uopen: insufficient funds',
    );
    expect(outer.kind).toBe(sdkErrors.insufficientFunds);
  });

  it('of our own making become the code of a panic', () => {
    expect(toStateError(new TypeError('oops')).kind).toEqual({
      codespace: 'undefined',
      code: 111222,
      description: 'panic',
    });
  });
});

describe('events', () => {
  it('keep the order of their attributes', () => {
    expect(eventOf('transfer', attribute('recipient', 'a'), attribute('sender', 'b'))).toEqual(
      event('transfer', { recipient: 'a', sender: 'b' }),
    );
    const made = withAttribute(
      event('transfer', { recipient: 'a', sender: 'b' }),
      attribute('msg_index', '0'),
    );
    expect(made.attributes.map(({ key, value }) => `${key}=${value}`)).toEqual([
      'recipient=a',
      'sender=b',
      'msg_index=0',
    ]);
  });
});

describe('gas prices', () => {
  const prices = parseGasPrices('0.025uopen,1uusd');

  it('ask for the price times the gas, rounded up, in one of the denominations', () => {
    const pay = (denom: string, amount: bigint) => () => checkGasPrices([{ denom, amount }], 1001n, prices);
    expect(pay('uopen', 26n)).not.toThrow();
    expect(pay('uopen', 25n)).toThrow(
      'insufficient fees; got: 25uopen required: 26uopen,1001uusd: insufficient fee',
    );
    expect(pay('uusd', 1001n)).not.toThrow();
    expect(pay('uatom', 9999n)).toThrow('insufficient fee');
  });

  it('of zero or none ask for nothing', () => {
    expect(() => checkGasPrices([], 1000n, parseGasPrices('0uopen'))).not.toThrow();
    expect(parseGasPrices(' ')).toEqual([]);
  });

  it('are by denomination, which each has one price', () => {
    expect(parseGasPrices('0.5uusd,0.1atom').map(({ denom }) => denom)).toEqual(['atom', 'uusd']);
    expect(() => parseGasPrices('1uusd,0.1atom,2uusd')).toThrow('uusd has two prices');
  });

  it.each(['uopen', '0.025', '-1uopen', '1.uopen', '0.0000000000000000001uopen', '1uopen,,'])(
    'refuse %j',
    (text) => {
      expect(() => parseGasPrices(text)).toThrow('invalid gas price');
    },
  );
});

describe('a bounded map', () => {
  it('never holds more than its capacity and never a wrong value', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(30)), (keys) => {
        const map = new BoundedMap<number, string>(8);
        for (const key of keys) {
          map.set(key, `v${key}`);
          expect(map.get(key)).toBe(`v${key}`);
          expect(map.size).toBeLessThanOrEqual(8);
        }
        for (const key of keys) expect([undefined, `v${key}`]).toContain(map.get(key));
      }),
    );
  });
});
