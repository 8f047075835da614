/** Receipts in the order that an epoch has them in: by channel and lane, then by their ends. */
import { AFTER_AT, LANE_END, RECEIPT_BYTES } from '../../modules/settlement/proof/leaves.ts';
import { type PackedLeaves, packedLeaf } from './packed.ts';

/** A copy in order. Each lane's receipts are mostly in order already, as they were signed. */
export function sortReceipts(receipts: PackedLeaves): PackedLeaves {
  const bytes = Buffer.from(receipts.bytes.buffer, receipts.bytes.byteOffset, receipts.bytes.length);
  const order = numbersByLane(bytes, receipts.count);
  const sorted = new Uint8Array(receipts.count * RECEIPT_BYTES);
  for (const [to, from] of order.entries()) sorted.set(packedLeaf(receipts, from), to * RECEIPT_BYTES);
  return { ...receipts, bytes: sorted };
}

/** Numbers of receipts in order. */
function numbersByLane(bytes: Buffer, count: number): Uint32Array {
  const lanes = new Map<string, { readonly lane: number; count: number }>();
  const laneOf = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const key = bytes.latin1Slice(i * RECEIPT_BYTES + 1, i * RECEIPT_BYTES + LANE_END);
    let found = lanes.get(key);
    if (found === undefined) lanes.set(key, (found = { lane: lanes.size, count: 0 }));
    found.count++;
    laneOf[i] = found.lane;
  }
  const starts = new Uint32Array(lanes.size);
  let start = 0;
  for (const [, { lane, count: inLane }] of [...lanes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    starts[lane] = start;
    start += inLane;
  }
  const order = new Uint32Array(count);
  const ends = starts.slice();
  for (let i = 0; i < count; i++) {
    const lane = laneOf[i] ?? 0;
    const at = ends[lane] ?? 0;
    order[at] = i;
    ends[lane] = at + 1;
  }
  for (const [lane, from] of starts.entries()) sortLane(bytes, order.subarray(from, ends[lane]));
  return order;
}

function sortLane(bytes: Buffer, order: Uint32Array): void {
  const compare = (a: number, b: number): number => {
    const [i, j] = [a * RECEIPT_BYTES + AFTER_AT, b * RECEIPT_BYTES + AFTER_AT];
    const high = bytes.readUInt32BE(i) - bytes.readUInt32BE(j);
    return high === 0 ? bytes.readUInt32BE(i + 4) - bytes.readUInt32BE(j + 4) : high;
  };
  for (let i = 1; i < order.length; i++)
    if (compare(order[i - 1] ?? 0, order[i] ?? 0) > 0) {
      order.sort(compare);
      return;
    }
}
