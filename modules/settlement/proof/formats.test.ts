import { expect, test } from 'vitest';
import { toHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { type DeltaRow, type Place, PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { decodeAttribution, duesOf, encodeAttribution } from './attribution.ts';
import { checkEpoch } from './epoch.ts';
import {
  decodeAllocation,
  decodeEntitlement,
  decodeReceipt,
  encodeEntitlement,
  encodeReceipt,
  isPlace,
  PREFIX_LEVEL,
  type Receipt,
} from './leaves.ts';

const fill = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const at = (index: number): Place => ({ kind: PlaceKind.PLACE_KIND_DATANET, id: 5n, level: 0, index });
const below = (id: bigint, index: number): Place => ({
  kind: PlaceKind.PLACE_KIND_DATANET,
  id,
  level: PREFIX_LEVEL,
  index,
});

const receipt: Receipt = {
  channel: fill(0xaa),
  lane: 258,
  before: 1_000n,
  after: 1_100n,
  modelId: 7n,
  tokensIn: 11,
  tokensOut: 13,
  requestHash: fill(0xbb),
  responseHash: fill(0xcc),
  attribution: fill(0xdd),
  parts: { platform: 10n, model: 20n, stakers: 20n, contributors: 50n },
};

test('a receipt has 195 bytes that say everything', () => {
  const leaf = encodeReceipt(receipt);
  expect(toHex(leaf)).toBe(
    ['21', 'aa'.repeat(32), '0102', '00000000000003e8', '000000000000044c', '0000000000000007']
      .concat('0000000b', '0000000d', 'bb'.repeat(32), 'cc'.repeat(32), 'dd'.repeat(32))
      .concat('000000000000000a', '0000000000000014', '0000000000000014', '0000000000000032')
      .join(''),
  );
  expect(decodeReceipt(leaf)).toEqual(receipt);
});

test('what does not charge, or is not divided to the unit, is no receipt', () => {
  const { parts } = receipt;
  const broken: readonly Receipt[] = [
    { ...receipt, after: 1_000n },
    { ...receipt, after: 999n },
    { ...receipt, after: 1_101n },
    { ...receipt, parts: { ...parts, stakers: 19n } },
    { ...receipt, before: 0n, after: 99n, parts: { ...parts, platform: (1n << 64n) - 1n } },
  ];
  for (const one of broken) expect(decodeReceipt(encodeReceipt(one))).toBeUndefined();
  const leaf = encodeReceipt(receipt);
  expect(decodeReceipt(leaf.slice(1))).toBeUndefined();
  expect(decodeReceipt(Uint8Array.from(leaf, (byte, i) => (i === 0 ? 34 : byte)))).toBeUndefined();
});

test('rows stand: 27 bytes, some amount, a place that can be', () => {
  const row: DeltaRow = { place: at(6), end: 9, amount: 12n };
  const leaf = encodeEntitlement(row);
  expect(toHex(leaf)).toBe('2302000000000000000500000000060000000900' + '0000000000000c');
  expect(decodeEntitlement(leaf)).toEqual(row);
  expect(decodeAllocation(leaf)).toBeUndefined();
  expect(decodeEntitlement(encodeEntitlement({ ...row, amount: 0n }))).toBeUndefined();
  const places = [
    { ...at(1), id: 0n },
    { ...at(1), level: 1 },
    below(1n, 0),
    { ...at(1), kind: 3 },
    { ...at(1), kind: PlaceKind.PLACE_KIND_MODEL },
  ];
  for (const place of places) {
    expect(isPlace(place)).toBe(false);
    expect(decodeEntitlement(encodeEntitlement({ ...row, place }))).toBeUndefined();
  }
});

test('an attribution is positions in rising order, each of some weight', () => {
  const attribution = {
    claimId: 3n,
    unattributed: 4n,
    entries: [
      { place: at(1), weight: 2n },
      { place: at(2), weight: 1n },
    ],
  };
  const bytes = encodeAttribution(attribution);
  expect(decodeAttribution(bytes)).toEqual(attribution);
  expect(toHex(sha256(bytes))).toBe('0a1d73c6553a27d08133c6ef724f40f5796c54359171466be3a68ffe0b9b23ee');
  const { entries } = attribution;
  const wrong = [
    { ...attribution, entries: [] },
    { ...attribution, entries: entries.toReversed() },
    { ...attribution, entries: [...entries, ...entries.slice(1)] },
    { ...attribution, entries: [{ place: at(1), weight: 0n }] },
    { ...attribution, entries: [{ place: below(5n, 3), weight: 1n }] },
  ];
  for (const one of wrong) expect(decodeAttribution(encodeAttribution(one))).toBeUndefined();
  expect(decodeAttribution(bytes.slice(0, -1))).toBeUndefined();
  expect(decodeAttribution(Uint8Array.from([...bytes, 0]))).toBeUndefined();
  expect(decodeAttribution(bytes.slice(0, 5))).toBeUndefined();
  const most = Array.from({ length: 1025 }, (_, i) => ({ place: at(i), weight: 1n }));
  expect(decodeAttribution(encodeAttribution({ ...attribution, entries: most }))).toBeUndefined();
  expect(decodeAttribution(encodeAttribution({ ...attribution, entries: most.slice(1) }))).toBeDefined();
});

test('dues are the model and, by largest remainders, contributors and those of snapshots', () => {
  const datanets = [
    { datanetId: 5n, positions: 3n, weight: 1n },
    { datanetId: 5n, positions: 9n, weight: 2n },
  ];
  const weights = {
    unattributed: 1n,
    entries: [
      { place: at(1), weight: 1n },
      { place: at(2), weight: 1n },
    ],
  };
  const model = { place: { kind: PlaceKind.PLACE_KIND_MODEL, id: 7n, level: 0, index: 0 }, amount: 20n };
  // 50 / 3: 17, 17, 16; 16 / 3: 5, 11.
  expect(duesOf(receipt, { datanets }, weights)).toEqual([
    model,
    { place: at(1), amount: 17n },
    { place: at(2), amount: 17n },
    { place: below(5n, 3), amount: 5n },
    { place: below(5n, 9), amount: 11n },
  ]);
  expect(duesOf(receipt, { datanets: [] }, undefined)).toEqual([model]);
  expect(duesOf(receipt, { datanets }, undefined)).toEqual([
    model,
    { place: below(5n, 3), amount: 17n },
    { place: below(5n, 9), amount: 33n },
  ]);
});

test('an epoch whose sums or rows do not add up is refused at once, saying what', () => {
  const tree = (leaves: number, ...sums: readonly bigint[]) => ({ root: fill(1), leaves, sums });
  const empty = { root: new Uint8Array(0), leaves: 0, sums: [] };
  const epoch = {
    receipts: tree(4, 10n, 20n, 20n, 50n),
    allocations: tree(9, 70n),
    rows: [
      { place: at(1), end: 3, amount: 30n },
      { place: at(2), end: 5, amount: 10n },
    ],
    entitlements: tree(2, 30n),
  };
  const sums = { platform: 10n, models: 20n, stakers: 20n, contributors: 50n };
  expect(checkEpoch(epoch, 100n)).toEqual(sums);
  const [first, second] = epoch.rows;
  if (first === undefined || second === undefined) throw new Error('rows');
  const wrong = [
    [epoch, 101n, 'receipts add up to 100, 101 was claimed'],
    [{ ...epoch, allocations: tree(9, 71n) }, 100n, 'allocations add up to 71'],
    [{ ...epoch, entitlements: tree(2, 31n) }, 100n, 'rows and entitlements add up to 71'],
    [{ ...epoch, entitlements: tree(5, 30n) }, 100n, 'rows end at allocation 5 of 9, with 5'],
    [{ ...epoch, allocations: tree(4, 70n) }, 100n, 'rows end at allocation 5 of 4'],
    [{ ...epoch, rows: [second, first] }, 100n, 'row 1 has no allocations'],
    [{ ...epoch, rows: [first, { ...second, end: 3 }] }, 100n, 'row 1 has no allocations'],
    [{ ...epoch, rows: [first, { ...second, amount: 0n }] }, 100n, 'row 1 has no allocations'],
    [{ ...epoch, rows: [first, { ...second, place: below(0n, 1) }] }, 100n, 'row 1 names no place'],
    [{ ...epoch, receipts: { ...epoch.receipts, root: fill(1).slice(1) } }, 100n, 'the root of receipts'],
    [{ ...epoch, receipts: tree(4, 10n, 20n, 70n) }, 100n, 'receipts have 4 sums'],
    [{ ...epoch, entitlements: { ...empty, sums: [30n] } }, 100n, 'entitlements have 1 sums'],
    [{ ...epoch, entitlements: empty, allocations: tree(5, 40n) }, 100n, 'allocations add up to 40'],
  ] as const;
  for (const [one, claimed, why] of wrong) expect(() => checkEpoch(one, claimed)).toThrow(why);
});
