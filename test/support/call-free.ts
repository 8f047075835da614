/** Terms of models whose calls cost nothing. */
import type { ModelTerms } from '../../modules/settlement/proof/chain.ts';

/** The request itself costs nothing, nor do the first tokens of an answer; others cost what they cost. */
export function callFree(terms: ModelTerms, freeTokens: number): ModelTerms {
  const quote: ModelTerms['quote'] = (usage) => {
    const paid = usage.tokensOut - BigInt(freeTokens);
    const tokensOut = paid > 0n ? paid : 0n;
    const fee = terms.quote({ ...usage, tokensOut }).fee - terms.quote({ ...usage, tokensOut: 0n }).fee;
    return { fee, parts: { platform: fee, model: 0n, stakers: 0n, contributors: 0n } };
  };
  return { ...terms, quote };
}
