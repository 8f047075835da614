/** What a receipt has to charge, and how that is divided. */
import { equalBytes } from '../../../core/bytes.ts';
import { NO_ATTRIBUTION } from './attribution.ts';
import type { EpochChain, Quote } from './chain.ts';
import type { Receipt } from './leaves.ts';

/**
 * What the receipt's model costs; undefined when there is no such model, or not in the epoch's denomination.
 * A receipt of model 0 is of money that was claimed and nobody was served for, as when a claim ended in the
 * midst of an inference: all of it is the platform's. It has neither tokens nor an attribution.
 */
export function quoteOf(chain: Pick<EpochChain, 'denom' | 'terms'>, receipt: Receipt): Quote | undefined {
  const { modelId, tokensIn, tokensOut, before, after, attribution } = receipt;
  if (modelId === 0n) {
    const fee = after - before;
    const parts = { platform: fee, model: 0n, stakers: 0n, contributors: 0n };
    const isBare = tokensIn + tokensOut === 0 && equalBytes(attribution, NO_ATTRIBUTION);
    return isBare ? { fee, parts } : undefined;
  }
  const terms = chain.terms(modelId);
  if (terms === undefined || terms.denom !== chain.denom) return undefined;
  return terms.quote({ tokensIn: BigInt(tokensIn), tokensOut: BigInt(tokensOut) });
}
