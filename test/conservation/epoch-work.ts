/** Rounds of a gateway out of a seed: money split as payments split it, and stated right or wrong. */
import { apportion } from '../../core/apportion.ts';
import { sha256 } from '../../core/hash.ts';
import { splitFee } from '../../modules/payments/fee.ts';
import { ALLOCATION_BYTES, comparePlaces, PREFIX_LEVEL } from '../../modules/settlement/proof/leaves.ts';
import { Party } from '../../proto/gen/openledger/models/v1/models.ts';
import {
  type DeltaRow,
  type Place,
  PlaceKind,
  type SumTree,
} from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Random } from '../fuzz/random.ts';
import type { StatedEpoch, StatedRound } from './epoch-book.ts';

/** Rows that the chain takes here; those behind are entitlements. */
const ROWS_MAX = 24;
const PLACES = 32;
const CLAIMED = 3_000_000_000;
const BOND = 1_001;
const WEIGHT_MAX = 10_000;
const POLICY = {
  platformBps: 777,
  modelBps: 2_501,
  stakersBps: 1_233,
  contributorsBps: 5_489,
  residual: Party.PARTY_PLATFORM,
};

/** Stands for the root of trees that nobody looks into here. */
const ROOT = sha256(new Uint8Array(ALLOCATION_BYTES));
const NO_TREE: SumTree = { root: new Uint8Array(0), leaves: 0, sums: [] };

/** A round over a pool of so many slots: one in two is stated wrong at first, of which half is refused. */
export function roundOver(random: Random, slots: number): StatedRound {
  const claimed = BigInt(1 + random.below(CLAIMED));
  const bond = BigInt(BOND + random.below(BOND));
  const rows = rowsOver(random, slots, claimed);
  const right = stated(claimed, rows);
  const lie = random.oneIn(2) ? lieAbout(random, claimed, rows) : undefined;
  return { claimed, bond, right, lie };
}

/** A model, some slots and those below a number, in the order of places; what they get adds up. */
function rowsOver(random: Random, slots: number, claimed: bigint): readonly DeltaRow[] {
  const { model, contributors } = splitFee(claimed, POLICY);
  const indices = new Set(Array.from({ length: 1 + random.below(PLACES) }, () => random.below(slots)));
  const places: Place[] = [...indices].map((index) => placeOf(0, index));
  places.push(placeOf(PREFIX_LEVEL, 1 + random.below(slots)));
  const weights = places.map(() => BigInt(1 + random.below(WEIGHT_MAX)));
  const shares = apportion(contributors, weights);
  const owner = { kind: PlaceKind.PLACE_KIND_MODEL, id: 1n, level: 0, index: 0 };
  return [{ place: owner, amount: model }, ...places.map((place, i) => ({ place, amount: shares[i] ?? 0n }))]
    .filter(({ amount }) => amount > 0n)
    .sort((a, b) => comparePlaces(a.place, b.place))
    .map((row, i) => ({ ...row, end: i + 1 }));
}

function placeOf(level: number, index: number): Place {
  return { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level, index };
}

function sumOf(rows: readonly DeltaRow[]): bigint {
  return rows.reduce((sum, { amount }) => sum + amount, 0n);
}

/** @param allocated what the allocations are said to add up to */
function stated(claimed: bigint, rows: readonly DeltaRow[], allocated = sumOf(rows)): StatedEpoch {
  const { platform, model, stakers, contributors } = splitFee(claimed, POLICY);
  const [listed, entitlements] = [rows.slice(0, ROWS_MAX), rows.slice(ROWS_MAX)];
  const tree = (leaves: number, sums: readonly bigint[]): SumTree =>
    leaves === 0 ? NO_TREE : { root: ROOT, leaves, sums };
  const commitment = {
    receipts: tree(1, [platform, model, stakers, contributors]),
    allocations: tree(rows.length, rows.length === 0 ? [] : [allocated]),
    rows: listed,
    entitlements: tree(entitlements.length, entitlements.length === 0 ? [] : [sumOf(entitlements)]),
  };
  return { commitment, entitlements };
}

/**
 * Moves money from the last row to the first one. One in two takes it from nowhere, which shows in the sum of
 * the rows or in that of the allocations.
 */
function lieAbout(random: Random, claimed: bigint, rows: readonly DeltaRow[]): StatedEpoch | undefined {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined || first === last || last.amount < 2n) return undefined;
  const taken = random.oneIn(2) ? 0n : 1n;
  const wrong = rows.map((row) => {
    if (row === first) return { ...row, amount: row.amount + 1n };
    return row === last ? { ...row, amount: row.amount - taken } : row;
  });
  return stated(claimed, wrong, random.oneIn(2) ? sumOf(rows) : sumOf(wrong));
}
