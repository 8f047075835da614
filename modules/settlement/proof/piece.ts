/**
 * Pieces of an epoch that are asked for on the chain, and what answers for one.
 *
 * A run of leaves is answered by its leaves and what leads from them to the root. Every sum on the way has
 * to be that of the nodes below it, and every leaf well formed: so all runs of a tree can be answered exactly
 * when it is the tree over its leaves, and no node has to be asked for by itself. An attribution is answered
 * by its bytes, which a receipt names by their hash.
 */
import { equalBytes } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { leavesOfRun, type Run, runAt, runLeaves } from '../../../core/leaf-run.ts';
import type { EpochOpening, SumTree } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { ATTRIBUTION_BYTES_MAX, NO_ATTRIBUTION } from './attribution.ts';
import { RECEIPTS, type SumTreeKind } from './kinds.ts';
import { ALLOCATION_BYTES, decodeReceipt, RECEIPT_BYTES } from './leaves.ts';
import { EpochOpenings } from './openings.ts';
import { refuse, wellFormed } from './refuse.ts';

/** Leaves of a run: 64 receipts, 256 allocations or entitlements. */
export function leavesOfRuns(of: SumTreeKind): number {
  return runLeaves(of === RECEIPTS ? RECEIPT_BYTES : ALLOCATION_BYTES);
}

/** The run that a leaf of the tree lies in. */
export function runOf(of: SumTreeKind, { leaves }: Pick<SumTree, 'leaves'>, leaf: number): Run {
  return runAt(leaf, { size: leavesOfRuns(of), leaves });
}

/**
 * The neighbouring leaves that an opening shows.
 * @throws DecodeError when they are malformed, others than these, or lead elsewhere
 */
export function verifyRun(
  of: SumTreeKind,
  tree: SumTree,
  { run, opening }: { readonly run: Run; readonly opening: EpochOpening },
): readonly Uint8Array[] {
  return new EpochOpenings([opening]).take(of, tree, leavesOfRun(run)).leaves;
}

/**
 * The hash of the attribution that a receipt names.
 * @throws DecodeError when the opening is not of this receipt, or the receipt names none
 */
export function attributionNamed(
  receipts: SumTree,
  { index, opening }: { readonly index: number; readonly opening: EpochOpening },
): Uint8Array {
  const leaf = new EpochOpenings([opening]).takeOne(RECEIPTS, receipts, index);
  const { attribution } = wellFormed(decodeReceipt(leaf));
  if (equalBytes(attribution, NO_ATTRIBUTION)) refuse(`receipt ${index} names no attribution`);
  return attribution;
}

/** True when these bytes are what the hash is of. What is longer than any attribution answers for none. */
export function isAttribution(hash: Uint8Array, bytes: Uint8Array): boolean {
  return bytes.length <= ATTRIBUTION_BYTES_MAX && equalBytes(sha256(bytes), hash);
}
