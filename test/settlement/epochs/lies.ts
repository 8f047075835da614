/** Lies about epochs: one thing changed, and everything that follows from it made to fit. */
import { toHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { encodeAttribution } from '../../../modules/settlement/proof/attribution.ts';
import { ALLOCATIONS, ENTITLEMENTS, RECEIPTS } from '../../../modules/settlement/proof/kinds.ts';
import {
  type Allocation,
  ALLOCATION_BYTES,
  compareAllocations,
  decodeAllocation,
  decodeEntitlement,
  encodeEntitlement,
  encodeReceipt,
  PREFIX_LEVEL,
  type Receipt,
  writeAllocation,
} from '../../../modules/settlement/proof/leaves.ts';
import type { DeltaRow } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Dice } from './dice.ts';
import { forgedTree, leavesOf } from './forged-tree.ts';
import { forgedSums, malformedLeaf, miscounted, otherTotals, retold } from './tree-lies.ts';
import { entriesOf, epochOf, position, type World } from './world.ts';

export interface Lie {
  readonly name: string;
  /** Undefined when there is nothing here to lie about. */
  readonly tell: (world: World, dice: Dice) => PublishedEpoch | undefined;
}

/** The epoch that follows from receipts, by the honest rules: only what is said of the receipts is wrong. */
function withReceipts(
  world: World,
  receipts: readonly Receipt[],
  attributions = world.attributions,
): PublishedEpoch {
  return epochOf({ ...world, receipts, attributions });
}

function changeOne(world: World, dice: Dice, change: (receipt: Receipt) => Partial<Receipt> | undefined) {
  const at = dice.below(world.receipts.length);
  const receipt = world.receipts[at];
  const changed = receipt && change(receipt);
  if (receipt === undefined || changed === undefined) return undefined;
  return withReceipts(
    world,
    world.receipts.map((one, i) => (i === at ? { ...one, ...changed } : one)),
  );
}

const PARTS = ['platform', 'model', 'stakers', 'contributors'] as const;

function shiftedParts(dice: Dice, { parts }: Receipt): Partial<Receipt> | undefined {
  const [from, to] = [dice.pick(PARTS), dice.pick(PARTS)];
  if (from === to || parts[from] === 0n) return undefined;
  const amount = 1n + BigInt(dice.below(Number(parts[from])));
  return { parts: { ...parts, [from]: parts[from] - amount, [to]: parts[to] + amount } };
}

/** Undefined when it would cost the same. */
function otherTokens({ chain }: World, dice: Dice, receipt: Receipt): Partial<Receipt> | undefined {
  const tokensOut = receipt.tokensOut + 7_000 + dice.below(9);
  const usage = { tokensIn: BigInt(receipt.tokensIn), tokensOut: BigInt(tokensOut) };
  const fee = chain.terms(receipt.modelId)?.quote(usage).fee;
  if (receipt.modelId === 0n) return { tokensOut };
  return fee === receipt.after - receipt.before ? undefined : { tokensOut };
}

function otherAttribution(world: World, dice: Dice, change: (receipt: Receipt) => Uint8Array | undefined) {
  const at = dice.below(world.receipts.length);
  const receipt = world.receipts[at];
  const bytes = receipt && change(receipt);
  if (receipt === undefined || bytes === undefined) return undefined;
  const attribution = sha256(bytes);
  const attributions = new Map(world.attributions).set(toHex(attribution), bytes);
  const receipts = world.receipts.map((one, i) => (i === at ? { ...one, attribution } : one));
  return withReceipts(world, receipts, attributions);
}

/** A receipt in the place of another one: what is charged twice, and what is left out, cost the same. */
function duplicateForOther(world: World, dice: Dice): PublishedEpoch | undefined {
  const { receipts } = world;
  const kept = dice.pick(receipts);
  const pairs = receipts.filter(
    (one) => one !== kept && PARTS.every((part) => one.parts[part] === kept.parts[part]),
  );
  const dropped = pairs.length > 0 ? dice.pick(pairs) : undefined;
  if (dropped === undefined) return undefined;
  return withReceipts(
    world,
    receipts.map((one) => (one === dropped ? kept : one)),
  );
}

/** One receipt less; the one behind it charges for both, by parts that add up. */
function swallowed(world: World, dice: Dice): PublishedEpoch | undefined {
  const { receipts } = world;
  const at = dice.below(receipts.length - 1);
  const [first, second] = [receipts[at], receipts[at + 1]];
  if (first === undefined || second === undefined || first.after !== second.before) return undefined;
  // Nobody was served for either: it is the platform's in one piece as well.
  if (first.modelId === 0n && second.modelId === 0n) return undefined;
  if (toHex(first.channel) !== toHex(second.channel) || first.lane !== second.lane) return undefined;
  const parts = {
    platform: first.parts.platform + second.parts.platform,
    model: first.parts.model + second.parts.model,
    stakers: first.parts.stakers + second.parts.stakers,
    contributors: first.parts.contributors + second.parts.contributors,
  };
  return withReceipts(
    world,
    receipts.flatMap((one) =>
      one === first ? [] : one === second ? [{ ...one, before: first.before, parts }] : [one],
    ),
  );
}

/** The last receipt of a lane, said to be of another one that ends later by as much. */
function movedReceipt(world: World, dice: Dice): PublishedEpoch | undefined {
  const { receipts, chain } = world;
  const isLast = ({ channel, lane, after }: Receipt): boolean => chain.lane(channel, lane)?.to === after;
  const last = receipts.filter(isLast);
  const [from, to] = [dice.pick(last), dice.pick(last)];
  if (from === to) return undefined;
  const { channel, lane, after: before } = to;
  const moved = { ...from, channel, lane, before, after: before + from.after - from.before };
  return withReceipts(
    world,
    receipts.map((one) => (one === from ? moved : one)),
  );
}

/** Fees moved along a lane's boundary, or the boundary moved off what was claimed. */
function shiftedCharge(world: World, dice: Dice): PublishedEpoch | undefined {
  return changeOne(world, dice, ({ before, after }) => {
    const by = dice.chance(0.5) ? 1n : BigInt(dice.between(1, 500));
    return { before: before + by, after: after + by };
  });
}

/** Another order of receipts than by lanes. */
function receiptsSwapped(world: World, dice: Dice): PublishedEpoch | undefined {
  const leaves = [...leavesOf(world.epoch.receipts)];
  const [a, b] = [dice.below(leaves.length), dice.below(leaves.length)];
  const [first, second] = [leaves[a], leaves[b]];
  if (a === b || first === undefined || second === undefined) return undefined;
  leaves[a] = second;
  leaves[b] = first;
  return retold(world.epoch, { receipts: forgedTree(RECEIPTS, leaves) });
}

function allocationsOf({ epoch }: World): Allocation[] {
  return leavesOf(epoch.allocations).flatMap((leaf) => decodeAllocation(leaf) ?? []);
}

function packed(allocation: Allocation): Uint8Array {
  const leaf = new Uint8Array(ALLOCATION_BYTES);
  writeAllocation(allocation, leaf, 0);
  return leaf;
}

/** Other allocations, with rows that follow from them. */
function withAllocations(
  { epoch, rowsMax }: World,
  changed: readonly Allocation[],
  sorted = true,
): PublishedEpoch {
  const allocations = sorted ? changed.toSorted(compareAllocations) : changed;
  const rows: DeltaRow[] = [];
  for (const [i, { place, amount }] of allocations.entries()) {
    const last = rows.at(-1);
    const same = last !== undefined && JSON.stringify(key(last.place)) === JSON.stringify(key(place));
    if (same) rows[rows.length - 1] = { place, end: i + 1, amount: last.amount + amount };
    else rows.push({ place, end: i + 1, amount });
  }
  const entitlements = forgedTree(ENTITLEMENTS, rows.slice(rowsMax).map(encodeEntitlement));
  const tree = forgedTree(ALLOCATIONS, allocations.map(packed));
  return retold(epoch, { allocations: tree, entitlements }, rows.slice(0, rowsMax));
}

function key({ kind, id, level, index }: Allocation['place']): readonly string[] {
  return [String(kind), String(id), String(level), String(index)];
}

function changeAllocation(
  world: World,
  dice: Dice,
  change: (allocation: Allocation, all: readonly Allocation[]) => Allocation | undefined,
): PublishedEpoch | undefined {
  const all = allocationsOf(world);
  if (all.length === 0) return undefined;
  const at = dice.below(all.length);
  const one = all[at];
  const changed = one && change(one, all);
  if (changed === undefined) return undefined;
  return withAllocations(
    world,
    all.map((each, i) => (i === at ? changed : each)),
  );
}

/** An amount moved from one allocation to another. */
function movedAmount(world: World, dice: Dice): PublishedEpoch | undefined {
  const all = allocationsOf(world);
  if (all.length < 2) return undefined;
  const [from, to] = [dice.below(all.length), dice.below(all.length)];
  const most = all[from]?.amount ?? 0n;
  if (from === to || most < 2n) return undefined;
  const by = 1n + BigInt(dice.below(Number(most) - 1));
  return withAllocations(
    world,
    all.map((each, i) => {
      if (i === from) return { ...each, amount: each.amount - by };
      return i === to ? { ...each, amount: each.amount + by } : each;
    }),
  );
}

/** One left out, its amount given to another. */
function omittedAllocation(world: World, dice: Dice): PublishedEpoch | undefined {
  const all = allocationsOf(world);
  if (all.length < 2) return undefined;
  const out = dice.below(all.length);
  const to = (out + 1 + dice.below(all.length - 1)) % all.length;
  const amount = all[out]?.amount ?? 0n;
  return withAllocations(
    world,
    all
      .map((each, i) => (i === to ? { ...each, amount: each.amount + amount } : each))
      .filter((_, i) => i !== out),
  );
}

/** One written twice, each with a part of the amount. */
function halvedAllocation(world: World, dice: Dice): PublishedEpoch | undefined {
  const all = allocationsOf(world);
  const at = dice.below(all.length);
  const one = all[at];
  if (one === undefined || one.amount < 2n) return undefined;
  const half = { ...one, amount: 1n };
  return withAllocations(world, [
    ...all.map((each, i) => (i === at ? { ...one, amount: one.amount - 1n } : each)),
    half,
  ]);
}

function allocationsSwapped(world: World, dice: Dice): PublishedEpoch | undefined {
  const all = allocationsOf(world);
  const [a, b] = [dice.below(all.length), dice.below(all.length)];
  const [first, second] = [all[a], all[b]];
  if (a === b || first === undefined || second === undefined) return undefined;
  return withAllocations(
    world,
    all.map((each, i) => (i === a ? second : i === b ? first : each)),
    false,
  );
}

function changeRows({ epoch }: World, change: (rows: DeltaRow[]) => boolean): PublishedEpoch | undefined {
  const rows = [...epoch.commitment.rows];
  const inline = rows.length;
  for (const leaf of leavesOf(epoch.entitlements)) {
    const row = decodeEntitlement(leaf);
    if (row !== undefined) rows.push(row);
  }
  if (!change(rows)) return undefined;
  const entitlements = forgedTree(ENTITLEMENTS, rows.slice(inline).map(encodeEntitlement));
  return retold(epoch, { entitlements }, rows.slice(0, inline));
}

/** An amount moved between rows, a range moved, or another place. */
function wrongRow(
  world: World,
  dice: Dice,
  what: 'amount' | 'end' | 'place' | 'range',
): PublishedEpoch | undefined {
  return changeRows(world, (rows) => {
    if (rows.length < 2) return false;
    const from = dice.below(rows.length - 1);
    const [a, b] = [rows[from], rows[from + 1]];
    if (a === undefined || b === undefined) return false;
    if (what === 'amount') {
      if (a.amount < 2n) return false;
      const by = 1n + BigInt(dice.below(Number(a.amount) - 1));
      rows[from] = { ...a, amount: a.amount - by };
      rows[from + 1] = { ...b, amount: b.amount + by };
    } else if (what === 'range') {
      // The first allocation of the next row is taken along, with its amount.
      const { amount = 0n } = decodeAllocation(world.epoch.allocations.leaf(a.end)) ?? {};
      if (amount >= b.amount) return false;
      rows[from] = { ...a, end: a.end + 1, amount: a.amount + amount };
      rows[from + 1] = { ...b, amount: b.amount - amount };
    } else if (what === 'end') rows[from] = { ...a, end: a.end + (dice.chance(0.5) ? 1 : -1) };
    else rows[from] = { ...a, place: b.place };
    return true;
  });
}

/** See the file comment. */
export const LIES: readonly Lie[] = [
  { name: 'parts shifted', tell: (world, dice) => changeOne(world, dice, (one) => shiftedParts(dice, one)) },
  {
    name: 'tokens',
    tell: (world, dice) => changeOne(world, dice, (one) => otherTokens(world, dice, one)),
  },
  {
    name: 'another model',
    tell: (world, dice) =>
      changeOne(world, dice, ({ modelId }) => ({
        modelId: (modelId % 4n) + 1n,
        attribution: new Uint8Array(32),
      })),
  },
  { name: 'charge moved', tell: shiftedCharge },
  { name: 'another lane', tell: (world, dice) => changeOne(world, dice, ({ lane }) => ({ lane: lane + 1 })) },
  {
    name: 'another channel',
    tell: (world, dice) => changeOne(world, dice, () => ({ channel: dice.bytes(32) })),
  },
  { name: 'duplicate for another', tell: duplicateForOther },
  { name: 'moved receipt', tell: movedReceipt },
  { name: 'swallowed receipt', tell: swallowed },
  {
    name: 'omitted receipt',
    tell: (world, dice) =>
      withReceipts(world, world.receipts.toSpliced(dice.below(world.receipts.length), 1)),
  },
  {
    name: 'duplicate receipt',
    tell: (world, dice) => withReceipts(world, [...world.receipts, dice.pick(world.receipts)]),
  },
  { name: 'receipts swapped', tell: receiptsSwapped },
  {
    name: 'attribution: malformed',
    tell: (world, dice) => otherMalformed(world, dice),
  },
  {
    name: 'attribution: of no claim',
    tell: (world, dice) => otherAttribution(world, dice, (one) => madeUp(world, dice, one, 99n)),
  },
  {
    name: "attribution: another claim's",
    tell: (world, dice) => otherAttribution(world, dice, (one) => claimOfOthers(world, dice, one)),
  },
  {
    name: 'attribution: claim with other weights',
    tell: (world, dice) =>
      otherAttribution(world, dice, (one) => madeUp(world, dice, one, BigInt(dice.between(1, 4)))),
  },
  {
    name: 'attribution: stated too much',
    tell: (world, dice) => otherAttribution(world, dice, (one) => madeUp(world, dice, one, 0n)),
  },
  {
    name: 'attribution: stated of nobody',
    tell: (world, dice) =>
      otherAttribution(world, dice, ({ modelId }) => {
        if (modelId !== 2n) return undefined;
        const entries = [{ place: position(1n, 50 + dice.below(9)), weight: 1n }];
        return encodeAttribution({ claimId: 0n, entries, unattributed: 1_000n });
      }),
  },
  {
    name: 'attribution: stated of a position behind the snapshot',
    tell: (world, dice) =>
      otherAttribution(world, dice, ({ modelId }) => {
        const datanet = modelId === 2n ? world.chain.terms(modelId)?.datanets[0] : undefined;
        if (datanet === undefined) return undefined;
        const place = position(datanet.datanetId, Number(datanet.positions));
        return encodeAttribution({ claimId: 0n, entries: [{ place, weight: 1n }], unattributed: 1_000n });
      }),
  },
  ...(['receipts', 'allocations', 'entitlements'] as const).flatMap((name): Lie[] => [
    { name: `${name}: sum of a leaf`, tell: (world, dice) => forgedSums(world, dice, name, 0) },
    { name: `${name}: sum of a node`, tell: (world, dice) => forgedSums(world, dice, name, 1) },
    { name: `${name}: miscounted`, tell: (world, dice) => miscounted(world, dice, name) },
    { name: `${name}: malformed leaf`, tell: (world, dice) => malformedLeaf(world, dice, name) },
  ]),
  { name: 'receipts: totals', tell: otherTotals },
  { name: 'allocation: amount moved', tell: movedAmount },
  { name: 'allocation: omitted', tell: omittedAllocation },
  { name: 'allocation: twice', tell: halvedAllocation },
  { name: 'allocations swapped', tell: allocationsSwapped },
  {
    name: 'allocation: another place',
    tell: (world, dice) =>
      changeAllocation(world, dice, (one, all) => {
        const { place } = dice.pick(all);
        return JSON.stringify(key(place)) === JSON.stringify(key(one.place)) ? undefined : { ...one, place };
      }),
  },
  {
    name: 'allocation: stranger',
    tell: (world, dice) =>
      changeAllocation(world, dice, (one) => ({ ...one, place: position(9n, dice.below(9)) })),
  },
  {
    name: 'allocation: another receipt',
    tell: (world, dice) =>
      changeAllocation(world, dice, (one) => {
        const receipt = dice.below(world.receipts.length + 2);
        return receipt === one.receipt ? undefined : { ...one, receipt };
      }),
  },
  {
    name: 'allocation: more positions than the snapshot has',
    tell: (world, dice) =>
      changeAllocation(world, dice, (one) =>
        one.place.level === PREFIX_LEVEL
          ? { ...one, place: { ...one.place, index: one.place.index + 1 } }
          : undefined,
      ),
  },
  { name: 'row: amount', tell: (world, dice) => wrongRow(world, dice, 'amount') },
  { name: 'row: end', tell: (world, dice) => wrongRow(world, dice, 'end') },
  { name: 'row: range', tell: (world, dice) => wrongRow(world, dice, 'range') },
  { name: 'row: place', tell: (world, dice) => wrongRow(world, dice, 'place') },
];

/** Made-up weights that pay somebody, in the name of a claim or of none. */
function madeUp(world: World, dice: Dice, { modelId }: Receipt, claimId: bigint): Uint8Array | undefined {
  const terms = world.chain.terms(modelId);
  if (terms === undefined || terms.datanets.length === 0) return undefined;
  return encodeAttribution({ claimId, entries: entriesOf(dice, terms), unattributed: 0n });
}

/** A claim as it is, of another model or another answer. */
function claimOfOthers(world: World, dice: Dice, receipt: Receipt): Uint8Array | undefined {
  const claimId = BigInt(dice.between(1, 4));
  const claim = world.chain.claim(claimId);
  const terms = world.chain.terms(receipt.modelId);
  if (claim === undefined || terms?.datanets.length === 0) return undefined;
  const same = claim.modelId === receipt.modelId && toHex(claim.answerRoot) === toHex(receipt.responseHash);
  return same ? undefined : encodeAttribution({ claimId, ...claim.weights });
}

/** Bytes that are no attribution: allocations are made as if there were none. */
function otherMalformed(world: World, dice: Dice): PublishedEpoch | undefined {
  const at = dice.below(world.receipts.length);
  const bytes = dice.bytes(dice.between(1, 60));
  const honest = world.receipts.map((one, i) =>
    i === at ? { ...one, attribution: new Uint8Array(32) } : one,
  );
  const epoch = withReceipts(world, honest);
  const attribution = sha256(bytes);
  const leaves = leavesOf(epoch.receipts).map((leaf) => {
    const wanted = honest[at];
    if (wanted === undefined || toHex(leaf) !== toHex(encodeReceipt(wanted))) return leaf;
    return encodeReceipt({ ...wanted, attribution });
  });
  const attributions = new Map(world.attributions).set(toHex(attribution), bytes);
  const retoldEpoch = retold(epoch, { receipts: forgedTree(RECEIPTS, leaves) });
  return { ...retoldEpoch, attribution: (hash) => attributions.get(toHex(hash)) };
}
