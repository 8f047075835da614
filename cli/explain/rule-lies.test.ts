/** Rules that the verifier holds a claim to, each broken on its own: by rows that fit but for that rule. */
import { expect, test } from 'vitest';
import type { Bundle } from '../../client/verifier/types.ts';
import { fromHex, toHex } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import {
  Claim,
  ClaimRecord,
  type QuotedSpan,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { Receipt } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { Credit, Debt, Pool } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { type Change, changed, deriveWith } from './testing/derive-with.ts';
import { playEpoch } from './testing/epoch-scene.ts';
import { bothQuotes, claim, claimScene, explainOne, pay, payPrivately, playScene } from './testing/scenes.ts';

const SCALE = 1n << 64n;
const credit = (change: (value: Credit) => Partial<Credit>): Change => changed(Credit, change);
const record = (change: (value: ClaimRecord) => Partial<ClaimRecord>): Change => changed(ClaimRecord, change);

test.each<readonly [refusal: RegExp, store: string, prefix: string, change: Change]>([
  [/of another pool/, 'pools', '0d', credit(({ pool }) => ({ pool: { ...pool, subject: 9n } }))],
  [/of another pool/, 'pools', '0d', credit(({ amount }) => ({ amount: { ...amount, denom: 'other' } }))],
  [/is not over the slot/, 'pools', '0d', credit(({ place }) => ({ place: { ...place, level: 60 } }))],
  [
    /is not over the slot/,
    'pools',
    '0d',
    credit(({ place }) => ({ place: { ...place, index: place.index + 1n } })),
  ],
  [/a credit that comes from nowhere/, 'pools', '0d', credit(() => ({ receiptId: 0n }))],
  [/models has no row/, 'models', '02', () => new Uint8Array(0)],
  [/credits do not rise/, 'pools', '0d', credit(() => ({ id: 0n }))],
  [/is of another model/, 'attribution', '02', record(() => ({ modelId: 9n }))],
  [/does not add up/, 'attribution', '02', record(({ totalWeight }) => ({ totalWeight: totalWeight + 1n }))],
  [/is of no slot/, 'pools', '0d', credit(({ place }) => ({ place: { ...place, level: 1 }, whole: true }))],
  [/nothing to divide by/, 'datanet', '0d', changed(Snapshot, () => ({ totalWeight: 0n }))],
  [
    /has no residual party/,
    'models',
    '02',
    changed(Model, ({ split }) => ({ split: { ...split, residual: 0 } })),
  ],
  [
    /has another fee/,
    'models',
    '02',
    changed(Model, ({ price }) => ({ price: { ...price, denom: 'other' } })),
  ],
  [
    /a payout of no party/,
    'payments',
    '02',
    changed(Receipt, ({ payouts }) => ({ payouts: payouts.map((payout) => ({ ...payout, party: 0 })) })),
  ],
])('%s', async (refusal, store, prefix, change) => {
  const { text } = await claimScene();
  expect(() => deriveWith(text, store, prefix, change)).toThrow(refusal);
});

test('a debt after the claim that the claim does not leave is refused', async () => {
  const { text, trusted } = await claimScene();
  const refused = (refusal: RegExp, change: (value: Debt) => Partial<Debt>) => {
    const after: Change = (value, height) =>
      height === trusted.height - 1n ? changed(Debt, change)(value, height) : value;
    expect(() => deriveWith(text, 'pools', '05', after)).toThrow(refusal);
  };
  refused(/was not paid in this block/, ({ owed }) => ({ owed: `${BigInt(owed) + SCALE}` }));
  refused(/was not paid in this block/, ({ seen }) => ({ seen: `${BigInt(seen) + 1n}` }));
  refused(/came behind the claim/, () => ({ paidCredit: 0n }));
});

test('what a block did not pay, or not all of it where a pool is closed, is no claim', async () => {
  const { text } = await claimScene();
  const bundle: Bundle = JSON.parse(text);
  const [target] = bundle.targets;
  const asked = (change: object) => JSON.stringify({ ...bundle, targets: [{ ...target, ...change }] });
  const refused = 'was not paid in this block';
  const noDebt: Change = () => new Uint8Array(0);
  expect(() => deriveWith(asked({ credits: [] }), 'pools', '05', noDebt)).toThrow(refused);
  // The slot's own, which would be owed still.
  expect(() => deriveWith(asked({ credits: ['2'] }), 'pools', '05', noDebt)).toThrow(refused);
  const closed = changed(Pool, () => ({ closed: true }));
  expect(() => deriveWith(text, 'pools', '01', closed)).toThrow(refused);
  const more = asked({ pool: ['1', '1', '1'] });
  expect(() => deriveWith(more, '', '', (value) => value)).toThrow('a claim is of one pool');
});

test('an epoch whose row is of another amount than its credit is refused', async () => {
  const { chain, world } = playEpoch(100);
  const hash = claim(chain, world.loop.first, { slots: [0n] });
  const { text } = await explainOne(chain, { kind: 'tx', hash });
  const more = credit(({ amount }) => ({ amount: { ...amount, amount: `${BigInt(amount.amount) + 1n}` } }));
  const change: Change = (value, height) => {
    const { epochId, whole } = Credit.decode(value);
    return epochId > 0n && !whole ? more(value, height) : value;
  };
  expect(() => deriveWith(text, 'pools', '0d', change)).toThrow(/has another amount/);
});

/** Derives with claims whose spans are others, and whose records name these. */
function requoted(text: string, change: (span: QuotedSpan) => Partial<QuotedSpan>): () => void {
  const bundle: Bundle = JSON.parse(text);
  const hashes = new Map<string, Uint8Array>();
  const claims = bundle.claims.map((digits) => {
    const value = Claim.decode(fromHex(digits));
    const spans = value.spans.map((span) => ({ ...span, ...change(span) }));
    const other = Claim.encode({ ...value, spans });
    hashes.set(toHex(sha256(fromHex(digits))), sha256(other));
    return toHex(other);
  });
  const renamed = record(({ claimHash }) => ({ claimHash: hashes.get(toHex(claimHash)) ?? claimHash }));
  return () => deriveWith(JSON.stringify({ ...bundle, claims }), 'attribution', '02', renamed);
}

test('quotations whose chunks are not those of their contribution are refused', async () => {
  const { text } = await claimScene();
  expect(requoted(text, () => ({}))).not.toThrow();
  const source = (change: (proof: QuotedSpan['sourceProof']) => Partial<QuotedSpan['sourceProof']>) =>
    requoted(text, ({ sourceProof }) => ({ sourceProof: { ...sourceProof, ...change(sourceProof) } }));
  const each = (of: (chunk: Uint8Array) => Uint8Array) =>
    source(({ chunks }) => ({ chunks: chunks.map(of) }));
  expect(requoted(text, () => ({ length: 0 }))).toThrow('a span is outside');
  expect(requoted(text, () => ({ sourceOffset: 1n << 40n }))).toThrow('a span is outside');
  expect(source(({ chunks }) => ({ chunks: [...chunks, new Uint8Array(256)] }))).toThrow('a span is outside');
  const bare = { chunks: [], hashes: [new Uint8Array(32)] };
  const empty = requoted(text, () => ({ sourceOffset: 0n, length: 0, sourceProof: bare }));
  expect(empty).toThrow('a span is outside');
  // Beyond the 1,000 bytes of the first contribution, in its last chunk.
  const last = { chunks: [new Uint8Array(232)], hashes: [] };
  const beyond = requoted(text, () => ({ sourceOffset: 999n, length: 2, sourceProof: last }));
  expect(beyond).toThrow('a span is outside');
  expect(each((chunk) => chunk.slice(1))).toThrow('a chunk is not as long as it is');
  expect(each((chunk) => chunk.map((byte) => byte ^ 1))).toThrow('a span is not of its contribution');
  expect(source(({ hashes }) => ({ hashes: [...hashes, new Uint8Array(32)] }))).toThrow(
    'an opening has too many hashes',
  );
});

test('whoever is quoted has a share', async () => {
  const { text } = await claimScene();
  const without = record(({ shares, totalWeight }) => {
    const [first, ...rest] = shares;
    const taken = rest.reduce((sum, { weight }) => sum + weight, 0n);
    return first === undefined ? {} : { shares: [first], totalWeight: totalWeight - taken };
  });
  expect(() => deriveWith(text, 'attribution', '02', without)).toThrow('not those of the quoted bytes');
});

test('quotations need the hashes of their chunks, and the answer has to say the same', async () => {
  const { text } = await claimScene();
  const bare = requoted(text, ({ sourceProof }) => ({ sourceProof: { ...sourceProof, hashes: [] } }));
  expect(bare).toThrow('an opening has too few hashes');
  const scene = playScene();
  payPrivately(scene);
  const hash = claim(scene.chain, scene.loop.first, { slots: [0n] });
  const answered = (await explainOne(scene.chain, { kind: 'tx', hash })).text;
  expect(requoted(answered, () => ({}))).not.toThrow();
  expect(requoted(answered, ({ sourceOffset }) => ({ sourceOffset: sourceOffset + 1n }))).toThrow(
    'the answer says something else',
  );
});

test('a credit is in the denomination of its receipt', async () => {
  const { text } = await claimScene();
  const [ours, theirs] = ['uopen', 'other'].map((denom) => toHex(new TextEncoder().encode(denom)));
  const other = text.replaceAll(`${ours}"`, `${theirs}"`).replace('"denom": "uopen"', '"denom": "other"');
  const change = credit(({ amount }) => ({ amount: { ...amount, denom: 'other' } }));
  expect(() => deriveWith(other, 'pools', '0d', change)).toThrow('in another denomination than its receipt');
});

test('a receipt is asked for without a slot', async () => {
  const scene = playScene();
  pay(scene, []);
  scene.chain.block();
  const { text } = await explainOne(scene.chain, { kind: 'receipt', id: 1n });
  const asked = (member: string, change: string) => () =>
    deriveWith(text.replace(member, change), '', '', (value) => value);
  expect(asked('"slot": ""', '"slot": ""')).not.toThrow();
  expect(asked('"slot": ""', '"slot": "1"')).toThrow('a receipt has no slot');
  expect(asked('"kind": "receipt"', '"kind": "other"')).toThrow('a target of no kind');
  expect(asked('"denom": ""', '"denom": "uopen"')).toThrow('a receipt has no slot');
  expect(asked('"pool": []', '"pool": [""]')).toThrow('a receipt has no slot');
  expect(asked('"credits": []', '"credits": [""]')).toThrow('a receipt has no slot');
});

test('a payout of a receipt is one credit of a slot', async () => {
  const scene = playScene();
  const [quote] = bothQuotes(scene);
  for (let i = 0; i < 2; i++) pay(scene, [defined(quote, 'quote')]);
  const hash = claim(scene.chain, scene.loop.first, { slots: [0n] });
  const { text } = await explainOne(scene.chain, { kind: 'tx', hash });
  expect(() => deriveWith(text, 'none', '', (value) => value)).not.toThrow();
  const change = credit(() => ({ receiptId: 1n }));
  expect(() => deriveWith(text, 'pools', '0d', change)).toThrow('receipt 1 has no such payout');
});
