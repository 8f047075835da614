/**
 * Judges a claim of influence on a card that is right. Whoever has the card's leaves can answer the query
 * again: a claim that says the same needs nothing from its claimant. Where roots differ, the solution has to
 * be had; effects and sums follow from it, and are fetched only where they are not what follows.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { checkClaim, claimId, type InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../modules/attribution/proof/influence/claim-fraud.ts';
import { claimTree } from '../../modules/attribution/proof/influence/committed.ts';
import {
  type ClaimFraud,
  decodeClaimFraud,
  encodeClaimFraud,
} from '../../modules/attribution/proof/influence/fraud.ts';
import { decodeEffect, decodeRow } from '../../modules/attribution/proof/influence/leaves.ts';
import { rowLeaves } from '../influence/certificate.ts';
import { decodeAll } from '../influence/convict-card.ts';
import { findClaimFraud, findKnownClaimFraud } from '../influence/convict-claim.ts';
import type { Factors } from '../influence/linear-algebra.ts';
import { openClaimFraud } from '../influence/open-fraud.ts';
import { type ServedCard, type ServedClaim, servedTree } from '../influence/published.ts';
import { claimOf, influenceBy, influenceOf, queryOf } from '../influence/query.ts';
import { nodeSums, sumsOfNodes } from '../influence/sums.ts';
import type { TrainedHead } from '../influence/train.ts';
import { type InfluenceFinding, openLeaf, opensSums, unlessMissing } from './influence-finding.ts';
import {
  askForFirst,
  type LeafSources,
  requireAll,
  treeBehind,
  type TreeBehind,
  wrongSum,
} from './influence-leaves.ts';
import type { InfluenceDemand, Publisher } from './ports.ts';

/** What a watcher finds of a claim. */
export type InfluenceVerdict = InfluenceFinding | { readonly kind: 'right' };

/** A card that was found right, ready to be asked. */
export interface JudgedCard {
  readonly served: ServedCard;
  readonly head: TrainedHead;
  /** Of its Hessian; undefined when that is too large to be solved here. */
  readonly factors: Factors | undefined;
}

/** What a claim is judged by. */
export interface InfluenceCase {
  readonly claim: InfluenceClaim;
  readonly card: JudgedCard;
  readonly publishers: readonly Publisher[];
  readonly demands: readonly InfluenceDemand[];
}

/** Judges a claim that the chain took. @throws DecodeError for one that does not fit the card */
export async function judgeInfluence(case_: InfluenceCase): Promise<InfluenceVerdict> {
  const { claim, card, publishers, demands } = case_;
  const shape = card.served.card;
  checkClaim(shape, claim);
  const key = toHex(claimId(claim));
  return await unlessMissing(judged(case_, { of: 'claims', key, shape, publishers, demands }));
}

async function judged(case_: InfluenceCase, sources: LeafSources): Promise<InfluenceVerdict> {
  const { claim, card } = case_;
  const fraud = await faultOf(case_, sources);
  if (fraud === undefined) return { kind: 'right' };
  const proof = encodeClaimFraud(fraud);
  verifyClaimFraud({ card: card.served.card, claim }, decodeClaimFraud(proof));
  return { kind: 'wrong', rule: fraud.rule, proof };
}

async function faultOf(
  { claim, card: judged }: InfluenceCase,
  sources: LeafSources,
): Promise<ClaimFraud | undefined> {
  const { served, head, factors } = judged;
  const { card } = served;
  const query = queryOf(head, claim.query, claim.query.label);
  const logit = Array.from(query.logits).findIndex((value, k) => value !== claim.query.logits[k]);
  if (logit >= 0) return openLeaf('query-logit', served.weights, logit);
  const have = (
    tree: 'solution' | 'effects',
    own: readonly Uint8Array[] | undefined,
    from = sources,
  ): Promise<TreeBehind> => treeBehind(claimTree(card, claim, tree), { tree, own }, from);
  const knownFraud = (solution: TreeBehind, effects: TreeBehind): ClaimFraud | undefined => {
    const known = { claim, solution: solution.known, effects: effects.known };
    return findKnownClaimFraud({ card: served, claim: known });
  };
  const own = factors && rowLeaves('solution', card.features, influenceOf({ head, factors }, query).solution);
  const stated = await have('solution', own);
  if (stated.leaves === undefined) {
    // Effects follow from it; but what the chain has shown of them may convict.
    const shown = await have('effects', undefined, { ...sources, publishers: [] });
    return knownFraud(stated, shown) ?? askForFirst([stated], [shown], sources);
  }
  const solution = servedTree('solution', stated.leaves);
  const rows = decodeAll(solution, (leaf) => decodeRow('solution', leaf, card));
  if (rows.malformed !== undefined) return openLeaf('malformed-solution', solution, rows.malformed);
  const values = Float64Array.from(rows.decoded.flatMap((row) => Array.from(row)));
  const influence = influenceBy(head, { query, solutionBits: claim.solutionBits, solution: values });
  const follows = claimOf({ head }, served, influence);
  const behind = await have('effects', follows.effects.leaves);
  const early = behind.leaves === undefined ? knownFraud(stated, behind) : undefined;
  if (early !== undefined) return early;
  const effects = servedTree('effects', requireAll(behind, sources));
  const decoded = decodeAll(effects, (leaf) => decodeEffect(leaf, card));
  if (decoded.malformed !== undefined) return openLeaf('malformed-effect', effects, decoded.malformed);
  const factorsOfSums = Float64Array.from(decoded.decoded.flatMap(({ curvature }) => Array.from(curvature)));
  const expected = equalBytes(effects.tree.root, follows.effects.tree.root)
    ? follows.sums
    : sumsOfNodes(card, nodeSums(head.set, head.rows, factorsOfSums));
  return await faultWithSums({ claim, solution, effects, sums: expected }, served, sources);
}

async function faultWithSums(
  expected: ServedClaim,
  card: ServedCard,
  sources: LeafSources,
): Promise<ClaimFraud | undefined> {
  const { claim } = expected;
  const found = findClaimFraud({ card, claim: expected });
  const sumsAreRight = equalBytes(expected.sums.tree.root, claim.roots.sums);
  if (sumsAreRight || (found !== undefined && !opensSums(found.rule))) return found;
  const { sums, ...place } = await wrongSum(claimTree(card.card, claim, 'sums'), expected.sums, sources);
  return openClaimFraud({ card, claim: { ...expected, sums } }, place.rule, place);
}
