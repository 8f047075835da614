/** What judging a model card and a claim of influence have in common: what may be found, and opened leaves. */
import type { CardRule, ClaimRule, InfluenceFraud } from '../../modules/attribution/proof/influence/fraud.ts';
import { openLeaves, type ServedTree } from '../influence/published.ts';
import { MissingLeaves } from './influence-leaves.ts';
import type { InfluencePlace } from './ports.ts';

/** What a watcher finds of a card or of a claim of influence. */
export type InfluenceFinding =
  | { readonly kind: 'wrong'; readonly rule: string; readonly proof: Uint8Array }
  | {
      readonly kind: 'unavailable';
      readonly reason: string;
      readonly demands: readonly InfluencePlace[];
      /** It is known to be wrong: each demand is a step to its conviction. */
      readonly decisive: boolean;
    };

/** What a judgement finds; where leaves are missing, what is to be demanded. */
export async function unlessMissing<V>(judgement: Promise<V>): Promise<V | InfluenceFinding> {
  try {
    return await judgement;
  } catch (error) {
    if (!(error instanceof MissingLeaves)) throw error;
    const { message: reason, demands, decisive } = error;
    return { kind: 'unavailable', reason, demands, decisive };
  }
}

/** True for rules whose openings show nodes of the tree of sums. */
export function opensSums(rule: CardRule | ClaimRule): boolean {
  return ['sum', 'bound', 'malformed-node', 'malformed-coordinates'].includes(rule);
}

/** A fraud that one leaf shows. */
export function openLeaf<R extends string>(rule: R, tree: ServedTree, index: number): InfluenceFraud<R> {
  return { rule, index, coordinate: 0, openings: [openLeaves(tree, [index])] };
}
