/**
 * Receipts stand in the order of their lanes, and those of a lane cover what the chain paid of it without gap
 * or overlap. A duplicate, an omission or a stranger breaks that between two neighbours.
 */
import type { EpochChain } from './chain.ts';
import { RECEIPTS } from './kinds.ts';
import { compareReceipts, decodeReceipt, type Receipt, sameLane } from './leaves.ts';
import type { EpochOpenings } from './openings.ts';
import { refuse, wellFormed } from './refuse.ts';
import type { EpochCommitment } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';

/** True when nothing is wrong between receipts `boundary` − 1 and `boundary`; 0 and n are the ends. */
export function laneHolds(
  { epoch, chain }: { readonly epoch: EpochCommitment; readonly chain: EpochChain },
  boundary: number,
  openings: EpochOpenings,
): boolean {
  const { receipts } = epoch;
  if (boundary > receipts.leaves) refuse(`there is no boundary ${boundary}`);
  const indices = [boundary - 1, boundary].filter((index) => index >= 0 && index < receipts.leaves);
  const opened = openings
    .take(RECEIPTS, receipts, indices)
    .leaves.map((leaf) => wellFormed(decodeReceipt(leaf)));
  const before = boundary === 0 ? undefined : opened[0];
  return neighboursHold(chain, before, boundary === receipts.leaves ? undefined : opened.at(-1));
}

/** The same for receipts at hand; undefined before the first and after the last. */
export function neighboursHold(
  chain: Pick<EpochChain, 'lane'>,
  before: Receipt | undefined,
  after: Receipt | undefined,
): boolean {
  if (before !== undefined && after !== undefined) {
    if (sameLane(before, after)) return before.after === after.before;
    if (compareReceipts(before, after) >= 0) return false;
  }
  const ends = before === undefined || before.after === chain.lane(before.channel, before.lane)?.to;
  const begins = after === undefined || after.before === chain.lane(after.channel, after.lane)?.from;
  return ends && begins;
}
