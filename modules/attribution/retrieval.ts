/**
 * Receipts of retrieval: what a model's owner says was retrieved. Form and membership are all that can be
 * checked.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import type { Retrieval, RetrievedItem } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { chunkCount } from './range-proof.ts';
import type { Weight } from './weights.ts';

/** What is wrong with the form of a receipt; undefined when nothing is. It is of the request that is paid. */
export function problemOfRetrieval(
  { queryHash, items }: Retrieval,
  { itemsMax, requestHash }: { readonly itemsMax: number; readonly requestHash: Uint8Array },
): string | undefined {
  if (!equalBytes(queryHash, requestHash))
    return `query_hash is not the request_hash of the payment, ${toHex(requestHash)}`;
  if (items.length === 0 || items.length > itemsMax) return `${items.length} items, must be 1 to ${itemsMax}`;
  for (const [i, item] of items.entries()) {
    if (item.chunks === 0 || item.weight === 0) return `item ${i} has no chunks or no weight`;
    const before = items[i - 1];
    if (before !== undefined && !isBehind(before, item))
      return `item ${i} is out of order or overlaps: sort by contribution_id, then first_chunk`;
  }
  return undefined;
}

function isBehind(before: RetrievedItem, item: RetrievedItem): boolean {
  if (item.contributionId !== before.contributionId) return item.contributionId > before.contributionId;
  return item.firstChunk >= before.firstChunk + before.chunks;
}

/** What is wrong with an item of a content of this length. */
export function problemOfItem(item: RetrievedItem, byteLength: number): string | undefined {
  const chunks = chunkCount(byteLength);
  return item.firstChunk + item.chunks <= chunks
    ? undefined
    : `contribution ${item.contributionId} has ${chunks} chunks, not ${item.firstChunk + item.chunks}`;
}

/** Weights of the items by owner, ascending. */
export function retrievalWeights(
  { items }: Retrieval,
  ownerOf: (contributionId: bigint) => bigint,
): readonly Weight[] {
  const weights = new Map<bigint, bigint>();
  for (const { contributionId, weight } of items) {
    const owner = ownerOf(contributionId);
    weights.set(owner, (weights.get(owner) ?? 0n) + BigInt(weight));
  }
  return [...weights]
    .map(([owner, weight]) => ({ owner, weight }))
    .sort((a, b) => (a.owner < b.owner ? -1 : 1));
}
