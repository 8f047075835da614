/** An epoch of a gateway, some of whose answers draw on a claim that is final, with all that it serves. */
import { defined } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { buildEpoch } from '../../../gateway/epochs/build-epoch.ts';
import { openRun, type PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { type Attribution, encodeAttribution } from '../../../modules/settlement/proof/attribution.ts';
import { encodeReceipt, type Receipt, RECEIPT_BYTES } from '../../../modules/settlement/proof/leaves.ts';
import { QueryClaimRequest, QueryClaimResponse } from '../../../proto/gen/openledger/attribution/v1/query.ts';
import {
  QueryContributionRequest,
  QueryContributionResponse,
} from '../../../proto/gen/openledger/datanet/v1/query.ts';
import { EpochOpening, PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { MsgClaimEntitlement } from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import { SettlementWorld } from '../../../test/support/settlement-world.ts';
import { anyOf } from '../../../test/support/test-chain.ts';
import type { EpochSource } from '../epochs.ts';
import { bothQuotes, pay } from './scenes.ts';
import { RecordedChain } from './recorded-chain.ts';

/** See the file comment. */
export interface EpochScene {
  readonly chain: RecordedChain;
  readonly world: SettlementWorld;
  readonly published: PublishedEpoch;
  readonly source: EpochSource;
}

/** What a gateway states wrongly; all that follows from it fits. Nobody disputes it. */
export interface EpochLie {
  readonly receipt?: (receipt: Receipt, index: number) => Receipt;
  readonly attribution?: (attribution: Attribution) => Attribution;
  readonly epoch?: (epoch: PublishedEpoch) => PublishedEpoch;
}

const unchanged = <T>(value: T): T => value;

/**
 * Of two lanes; every second receipt of model 1 rests on claim 1. The epoch is final.
 * @param rowsMax rows that the epoch lists
 */
export function playEpoch(
  rowsMax: number,
  { receipt: statedReceipt = unchanged, attribution: stated = unchanged, epoch = unchanged }: EpochLie = {},
): EpochScene {
  let chain: RecordedChain | undefined;
  const world = new SettlementWorld({}, (options) => {
    chain = new RecordedChain(options);
    return chain;
  });
  const recorded = defined(chain, 'chain');
  pay({ chain: recorded, loop: world.loop }, bothQuotes(world));
  world.register();
  world.claim([0, 5_000n], [1, 3_500n]);
  const { answerRoot, ...named } = attributionOf(world, 1n);
  const bytes = encodeAttribution(stated(named));
  const attribution = sha256(bytes);
  const receipts = world
    .receipts({ modelId: 1n, tokensIn: 20, tokensOut: 77 })
    .map((receipt, i) =>
      i % 2 === 0 && receipt.modelId === 1n ? { ...receipt, responseHash: answerRoot, attribution } : receipt,
    )
    .map(statedReceipt);
  const honest = buildEpoch({
    receipts: packed(receipts),
    attribution: (hash) => (hash.every((byte, i) => byte === attribution[i]) ? bytes : undefined),
    chain: world.watched(),
    rowsMax,
  });
  const published = epoch(honest);
  world.settle(published);
  world.waitWindow();
  return { chain: recorded, world, published, source: sourceOf(published) };
}

function packed(receipts: readonly Receipt[]): Parameters<typeof buildEpoch>[0]['receipts'] {
  const bytes = new Uint8Array(receipts.length * RECEIPT_BYTES);
  for (const [i, receipt] of receipts.entries()) bytes.set(encodeReceipt(receipt), i * RECEIPT_BYTES);
  return { bytes, width: RECEIPT_BYTES, count: receipts.length };
}

/** The attribution of a claim that was paid. */
function attributionOf(
  { chain }: SettlementWorld,
  claimId: bigint,
): Attribution & { readonly answerRoot: Uint8Array } {
  const types = { request: QueryClaimRequest, response: QueryClaimResponse };
  const { claim } = chain.query('/openledger.attribution.v1.Query/Claim', types, { claimId });
  const entries = claim.shares.map(({ contributionId, weight }) => {
    const asked = { request: QueryContributionRequest, response: QueryContributionResponse };
    const path = '/openledger.datanet.v1.Query/Contribution';
    const { datanetId: id, position } = chain.query(path, asked, { contributionId }).contribution;
    const place = { kind: PlaceKind.PLACE_KIND_DATANET, id, level: 0, index: Number(position) };
    return { place, weight };
  });
  const unattributed = claim.unattributedWeight;
  return { claimId, unattributed, entries, answerRoot: claim.answerRoot };
}

/** What a gateway serves of one epoch, without HTTP. */
export function sourceOf(published: PublishedEpoch): EpochSource {
  return (route) => {
    if (route.kind === 'attribution') return Promise.resolve(published.attribution(route.hash));
    const tree = published[route.tree];
    const end = Math.min(tree.tree.leaves, route.from + route.count);
    return Promise.resolve(EpochOpening.encode(openRun(tree, { first: route.from, end })));
  };
}

/** Has an entitlement paid to its place. */
export function claimEntitlement({ world, published: { entitlements } }: EpochScene, index: number): void {
  const opening = openRun(entitlements, { first: index, end: index + 1 });
  const message = { sender: world.watcher.address, epochId: 1n, index, opening };
  world.sendOk(world.watcher, anyOf(MsgClaimEntitlement, message));
}
