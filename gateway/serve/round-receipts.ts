/** From what was claimed of lanes to receipts that cover it. */
import { assert, defined } from '../../core/errors.ts';
import { NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import { decodeReceipt, encodeReceipt, RECEIPT_BYTES } from '../../modules/settlement/proof/leaves.ts';
import type { PackedLeaves } from '../epochs/packed.ts';
import { inSlices, slicesOf } from './in-slices.ts';
import type { LaneInterval } from './receipt-log.ts';

/** Receipts that cover lanes without gap or overlap. */
export interface CoveredLanes {
  readonly receipts: PackedLeaves;
  /** Units that no receipt was kept of. A receipt is kept before its charge, so there are none unless some were lost. */
  readonly uncovered: bigint;
}

/**
 * The receipts of each lane, and where there are none, one of no model, all of which is the platform's: of
 * what was claimed and is in no log, as when that was lost.
 * @param within leaves that lie within an interval, in their order
 */
export async function coverLanes(
  lanes: readonly LaneInterval[],
  within: (interval: LaneInterval) => readonly Uint8Array[],
): Promise<CoveredLanes> {
  const leaves: Uint8Array[] = [];
  let uncovered = 0n;
  for await (const interval of slicesOf(lanes)) {
    let at = interval.from;
    const fill = (to: bigint): void => {
      if (to === at) return;
      leaves.push(noModelReceipt(interval, at, to));
      uncovered += to - at;
    };
    const found = within(interval);
    await inSlices(found.length, (i) => {
      const leaf = defined(found[i], 'leaf');
      const receipt = decodeReceipt(leaf);
      assert(receipt !== undefined && receipt.before >= at, 'receipts of a lane follow each other');
      fill(receipt.before);
      leaves.push(leaf);
      at = receipt.after;
    });
    fill(interval.to);
  }
  const bytes = new Uint8Array(leaves.length * RECEIPT_BYTES);
  for (const [i, leaf] of leaves.entries()) bytes.set(leaf, i * RECEIPT_BYTES);
  return { receipts: { bytes, width: RECEIPT_BYTES, count: leaves.length }, uncovered };
}

function noModelReceipt(
  { channelId: channel, lane }: LaneInterval,
  before: bigint,
  after: bigint,
): Uint8Array {
  return encodeReceipt({
    channel,
    lane,
    before,
    after,
    modelId: 0n,
    tokensIn: 0,
    tokensOut: 0,
    requestHash: new Uint8Array(32),
    responseHash: new Uint8Array(32),
    attribution: NO_ATTRIBUTION,
    parts: { platform: after - before, model: 0n, stakers: 0n, contributors: 0n },
  });
}
