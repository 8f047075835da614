import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { toBech32 } from '../../../core/bech32.ts';
import type { ChannelConfig } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { closeBytes, closeText } from './agreement.ts';
import { channelId } from './configuration.ts';
import { hashChainOf, leadsTo } from './hash-chain.ts';
import { resourceOf } from './resource.ts';
import {
  baseOf,
  largestClaim,
  problemOfVoucher,
  type VoucherContent,
  voucherBytes,
  voucherText,
} from './voucher.ts';

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte);
const hex = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '');
const ascii = (text: string): string => toHex(utf8(text));

const CONFIG: ChannelConfig = {
  payer: toBech32('open', filled(0xa1, 20)),
  payerAuthorizer: { kind: 1, key: filled(0xa2) },
  receiverKind: 1,
  receiver: toBech32('open', filled(0xa3, 20)),
  receiverAuthorizer: { kind: 2, key: filled(0xa4, 33) },
  denom: 'uopen',
  withdrawDelay: 900,
  openBefore: 1_700_003_600n,
  salt: filled(0xa5),
};

const VOUCHER: VoucherContent = {
  channelId: filled(0xb1),
  lane: 0x0102,
  keyVersion: 3,
  cumulative: 1_000_000n,
  ceiling: 2_500n,
  resource: filled(0xb2),
  hashChain: { root: filled(0xb3), unit: 7n, links: 4096 },
};

test('vectors: the bytes are what the tables say, written out by hand', () => {
  const configuration = hex(
    ascii('openledger/channels/channel'),
    '00 06',
    ascii('open-1'),
    `14 ${'a1'.repeat(20)} 01 20 ${'a2'.repeat(32)} 01 14 ${'a3'.repeat(20)} 02 21 ${'a4'.repeat(33)}`,
    '05',
    ascii('uopen'),
    `00000384 000000006553ff10 ${'a5'.repeat(32)}`,
  );
  expect(toHex(channelId('open-1', CONFIG))).toBe(toHex(sha256(fromHex(configuration))));
  expect(toHex(voucherBytes(VOUCHER, 'open-1'))).toBe(
    hex(
      ascii('openledger/channels/voucher'),
      '00 06',
      ascii('open-1'),
      `${'b1'.repeat(32)} 0102 00000003 000000000000000000000000000f4240 000000000000000000000000000009c4`,
      `${'b2'.repeat(32)} ${'b3'.repeat(32)} 00000000000000000000000000000007 1000`,
    ),
  );
  expect(toHex(voucherBytes({ ...VOUCHER, hashChain: undefined }, 'open-1')).slice(-100)).toBe(
    '0'.repeat(100),
  );
  const agreement = { channelId: filled(0xb1), keyVersion: 3, total: 77n, closeBefore: 1_700_000_000n };
  expect(toHex(closeBytes(agreement, 'open-1'))).toBe(
    hex(
      ascii('openledger/channels/close'),
      '00 06',
      ascii('open-1'),
      `${'b1'.repeat(32)} 00000003 0000000000000000000000000000004d 000000006553f100`,
    ),
  );
  expect(closeText(agreement, { chainId: 'open-1', denom: 'uopen' })).toBe(
    `Agreement to close a payment channel\nchain: open-1\nchannel: ${'b1'.repeat(32)}\nkey version: 3\nthe receiver gets altogether: 77 uopen\ngood before (seconds since 1970): 1700000000`,
  );
});

test('vectors: digests that must never change', () => {
  const { hashChain: _, ...plain } = VOUCHER;
  const domain = { chainId: 'open-1', denom: 'uopen' };
  const request = {
    method: 'POST',
    url: 'https://gateway.example/v1/chat/completions',
    body: utf8('{"model":"m"}'),
    offer: utf8('offer 1'),
    nonce: filled(9, 16),
  };
  expect({
    channel: toHex(channelId('open-1', CONFIG)),
    voucher: toHex(sha256(voucherBytes(VOUCHER, 'open-1'))),
    text: toHex(sha256(utf8(voucherText(VOUCHER, domain)))),
    plainText: toHex(sha256(utf8(voucherText({ ...plain, hashChain: undefined }, domain)))),
    resource: toHex(resourceOf(request)),
    root: toHex(hashChainOf(filled(1), 4096)[0] ?? filled(0)),
  }).toMatchInlineSnapshot(`
    {
      "channel": "f8360c126765b433a1eecfe9213fb83bfbb1bb1399127ffc9a62f6d8620114df",
      "plainText": "5522828fdeba6f9b35bb14540b57b38d42ebcc786cc28048af00495c7af67d47",
      "resource": "77f84ce06c91aff61ab94bbff559bedfd9956dcc5a5560f289b92ea1cdb5de6e",
      "root": "eae12326897804ff7f0eec1d19b6784453fbfae646f43aeced0777334bbadcf1",
      "text": "a8fc5a461abfc6b750582050ad6b7318261775353fbf1929c854a891e2002845",
      "voucher": "9ed6e65edcb41d3337f9c1da401a387b6fcc707f1a4b5ea896694b6afeac1f2d",
    }
  `);
});

const voucher: fc.Arbitrary<VoucherContent> = fc.record({
  channelId: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  lane: fc.nat(1023),
  keyVersion: fc.nat(0xffffffff),
  cumulative: fc.bigInt({ min: 0n, max: 1n << 100n }),
  ceiling: fc.constant(0n),
  resource: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  hashChain: fc.option(
    fc.record({
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      unit: fc.bigInt({ min: 1n, max: 1n << 64n }),
      links: fc.integer({ min: 1, max: 4096 }),
    }),
    { nil: undefined },
  ),
});

test('two vouchers that differ in anything differ in their bytes and in their text', () => {
  const domain = { chainId: 'open-1', denom: 'uopen' };
  fc.assert(
    fc.property(
      voucher,
      voucher,
      fc.constantFrom(...(Object.keys(VOUCHER) as (keyof VoucherContent)[])),
      (a, b, name) => {
        const changed = { ...a, [name]: name === 'ceiling' ? a.ceiling + 1n : b[name] };
        const isSame = JSON.stringify(a, plain) === JSON.stringify(changed, plain);
        expect(toHex(voucherBytes(a, 'c')) === toHex(voucherBytes(changed, 'c'))).toBe(isSame);
        expect(voucherText(a, domain) === voucherText(changed, domain)).toBe(isSame);
        expect(toHex(voucherBytes(a, 'c'))).not.toBe(toHex(voucherBytes(a, 'd')));
      },
    ),
  );
});

function plain(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  return typeof value === 'bigint' ? `${value}` : value;
}

test('what a voucher allows and where it begins; what has no canonical form is named', () => {
  expect([largestClaim(VOUCHER), baseOf(VOUCHER)]).toEqual([1_028_672n, 1_026_172n]);
  expect(problemOfVoucher(VOUCHER)).toBeUndefined();
  const chain = { root: filled(1), unit: 1n, links: 1 };
  const wrong: readonly Partial<VoucherContent>[] = [
    { channelId: filled(1, 31) },
    { resource: filled(1, 33) },
    { lane: 1024 },
    { lane: -1 },
    { lane: 1.5 },
    { keyVersion: 2 ** 32 },
    { cumulative: -1n },
    { cumulative: 1n << 128n },
    { ceiling: 1n << 128n },
    { ceiling: largestClaim(VOUCHER) + 1n },
    { hashChain: { ...chain, root: filled(1, 31) } },
    { hashChain: { ...chain, unit: 0n } },
    { hashChain: { ...chain, unit: 1n << 128n } },
    { hashChain: { ...chain, links: 0 } },
    { hashChain: { ...chain, links: 4097 } },
    { hashChain: { ...chain, unit: (1n << 128n) - 1n }, cumulative: 5000n },
  ];
  for (const change of wrong)
    expect(problemOfVoucher({ ...VOUCHER, ...change }), JSON.stringify(change, plain)).toBeDefined();
});

test('links of a hash chain lead to the root in as many hashes as their number, and from one to another', () => {
  const chain = hashChainOf(filled(3), 20);
  expect(chain.length).toBe(21);
  const at = (i: number): Uint8Array => chain[i] ?? filled(0);
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.nat(20), (from, to, hashes) => {
      expect(leadsTo(at(to), at(from), hashes)).toBe(from - to === hashes);
    }),
  );
});
