/** What receipts are held against, asked of a node: the same that the chain takes from its state. */
import type { PriceBook } from '../../gateway/serve/ports.ts';
import { type Connection, foundOrNone } from '../../client/index.ts';
import { inferenceFee, splitFee } from '../../modules/payments/fee.ts';
import { withoutContributors } from '../../modules/payments/payouts.ts';
import type { FinalClaim, ModelTerms, WeightedPlace } from '../../modules/settlement/proof/chain.ts';
import { comparePlaces } from '../../modules/settlement/proof/leaves.ts';
import { type ClaimRecord, ClaimState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { QueryTermsResponse } from '../../proto/gen/openledger/settlement/v1/query.ts';

/** Terms and claims as the node of a connection has them, for one gateway. */
export function priceBook({ queries }: Pick<Connection, 'queries'>, gateway: string): PriceBook {
  const { settlement, attribution, datanet } = queries.openledger;
  const placeOf = async (contributionId: bigint): Promise<WeightedPlace['place']> => {
    const { contribution } = await datanet.contribution({ contributionId });
    const { datanetId: id, position } = contribution;
    return { kind: PlaceKind.PLACE_KIND_DATANET, id, level: 0, index: Number(position) };
  };
  return {
    async terms(modelId) {
      const terms = await foundOrNone(settlement.terms({ gateway, modelId }));
      return terms && modelTerms(terms);
    },
    async claim(claimId) {
      const found = await foundOrNone(attribution.claim({ claimId }));
      return found && (await finalClaim(found.claim, placeOf));
    },
  };
}

/** Terms as verifiers take them. */
export function modelTerms({ price, split, datanets, statedBps }: QueryTermsResponse): ModelTerms {
  const rates = {
    inPer1000: BigInt(price.inPer1000),
    outPer1000: BigInt(price.outPer1000),
    perCall: BigInt(price.perCall),
  };
  return {
    denom: price.denom,
    quote(usage) {
      const fee = inferenceFee(rates, usage);
      const parts = splitFee(fee, split);
      return { fee, parts: datanets.length > 0 ? parts : withoutContributors(parts, split.residual) };
    },
    datanets,
    statedBps,
  };
}

/** As modules/settlement/disputes.ts has it: carried by a payment, verified before one, or its window has closed. */
const STANDING: ReadonlySet<ClaimState> = new Set([
  ClaimState.CLAIM_STATE_UNSPECIFIED,
  ClaimState.CLAIM_STATE_VERIFIED,
  ClaimState.CLAIM_STATE_FINAL,
]);

/** Undefined for one that receipts cannot rest on. */
async function finalClaim(
  claim: ClaimRecord,
  placeOf: (contributionId: bigint) => Promise<WeightedPlace['place']>,
): Promise<FinalClaim | undefined> {
  const { state, receiptId, modelId, answerRoot, unattributedWeight: unattributed } = claim;
  if (!STANDING.has(state) || receiptId === 0n) return undefined;
  const entries: WeightedPlace[] = [];
  for (const { contributionId, weight } of claim.shares)
    entries.push({ place: await placeOf(contributionId), weight });
  entries.sort((a, b) => comparePlaces(a.place, b.place));
  return { modelId, answerRoot, weights: { entries, unattributed } };
}
