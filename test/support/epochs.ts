/** Epochs for tests of the whole chain: receipts that tile what was claimed, by models that there are. */
import { toHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Composition } from '../../app/modules.ts';
import type { ReadContext } from '../../framework/context.ts';
import { buildEpoch } from '../../gateway/epochs/build-epoch.ts';
import type { PublishedEpoch } from '../../gateway/epochs/published.ts';
import { createDatanetModule } from '../../modules/datanet/module.ts';
import { createModelModule } from '../../modules/models/module.ts';
import { createModelMoney } from '../../modules/payments/model-money.ts';
import { NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import type { EpochChain, ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { encodeReceipt, type Receipt, RECEIPT_BYTES } from '../../modules/settlement/proof/leaves.ts';
import { laneId } from '../../modules/settlement/rounds.ts';
import { laneKey, settlementState } from '../../modules/settlement/state.ts';
import type { LaneRecord, Round } from '../../proto/gen/openledger/settlement/v1/settlement.ts';

const STATE = settlementState();

/** Model and usage of one inference. */
export interface Served {
  readonly modelId: bigint;
  readonly tokensIn: number;
  readonly tokensOut: number;
}

/** What a state says of a round, as a watcher sees it who knows of no claims of attribution. */
export function watchedChain(
  { addresses }: Pick<Composition, 'addresses'>,
  context: ReadContext,
  { id, gateway, denom }: Round,
): EpochChain {
  const datanets = createDatanetModule({ addresses }).keeper;
  const models = createModelModule({ addresses, datanets }).keeper;
  const money = createModelMoney({ addresses, datanets, models });
  return {
    denom,
    terms: (modelId) => money.terms(context, { modelId, gateway }),
    lane: (channel, lane) => STATE.lanes.get(context, [id, laneId(channel, lane)]),
    claim: () => undefined,
    holds: (place) => datanets.contributionAt(context, place.id, BigInt(place.index)) !== undefined,
    signed: () => false,
  };
}

/** What was claimed in a round. */
export function lanesOf(context: ReadContext, roundId: bigint): readonly LaneRecord[] {
  return [...STATE.lanes.iterate(context, { prefix: laneKey.prefix(roundId) })].map(([, lane]) => lane);
}

/** Inferences as long as the money of each lane is enough for the next; then what nobody was served for. */
export function tiling(
  lanes: readonly LaneRecord[],
  chain: Pick<EpochChain, 'denom' | 'terms'>,
  next: () => Served | undefined,
): readonly Receipt[] {
  return lanes.flatMap(({ channelId: channel, lane, from, to }) => {
    const receipts: Receipt[] = [];
    let before = from;
    while (before < to) {
      const receipt = receiptOf({ channel, lane, before }, to, { chain, served: next() });
      receipts.push(receipt);
      before = receipt.after;
    }
    return receipts;
  });
}

function receiptOf(
  at: Pick<Receipt, 'channel' | 'lane' | 'before'>,
  to: bigint,
  {
    chain,
    served,
  }: { readonly chain: Pick<EpochChain, 'denom' | 'terms'>; readonly served: Served | undefined },
): Receipt {
  const requestHash = sha256(utf8(`${toHex(at.channel)}/${at.lane}/${at.before}`));
  const common = { ...at, requestHash, responseHash: sha256(requestHash), attribution: NO_ATTRIBUTION };
  const terms: ModelTerms | undefined = served && chain.terms(served.modelId);
  const usage = { tokensIn: BigInt(served?.tokensIn ?? 0), tokensOut: BigInt(served?.tokensOut ?? 0) };
  const quote = terms?.denom === chain.denom ? terms.quote(usage) : undefined;
  if (served !== undefined && quote !== undefined && quote.fee > 0n && at.before + quote.fee <= to)
    return { ...common, ...served, after: at.before + quote.fee, parts: quote.parts };
  const parts = { platform: to - at.before, model: 0n, stakers: 0n, contributors: 0n };
  return { ...common, after: to, modelId: 0n, tokensIn: 0, tokensOut: 0, parts };
}

/** The epoch of these receipts. */
export function epochOfReceipts(
  receipts: readonly Receipt[],
  chain: Pick<EpochChain, 'terms'>,
  rowsMax: number,
): PublishedEpoch {
  const bytes = new Uint8Array(receipts.length * RECEIPT_BYTES);
  for (const [i, receipt] of receipts.entries()) bytes.set(encodeReceipt(receipt), i * RECEIPT_BYTES);
  return buildEpoch({
    receipts: { bytes, width: RECEIPT_BYTES, count: receipts.length },
    attribution: () => undefined,
    chain,
    rowsMax,
  });
}
