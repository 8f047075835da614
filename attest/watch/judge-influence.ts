/**
 * Judges a claim of influence on a card that is right. Whoever has the card's leaves can answer the query
 * again: a claim that says the same needs nothing from its claimant. Where roots differ, the solution has to
 * be had; effects and sums follow from it, and are fetched only where they are not what follows.
 */
import { assert } from '../../core/errors.ts';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { checkClaim, claimId, type InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../modules/attribution/proof/influence/claim-fraud.ts';
import { claimTree } from '../../modules/attribution/proof/influence/committed.ts';
import {
  type ClaimFraud,
  type ClaimRule,
  decodeClaimFraud,
  encodeClaimFraud,
} from '../../modules/attribution/proof/influence/fraud.ts';
import { decodeEffect, decodeRow } from '../../modules/attribution/proof/influence/leaves.ts';
import { rowLeaves } from '../influence/certificate.ts';
import { decodeAll } from '../influence/convict-card.ts';
import { findClaimFraud } from '../influence/convict-claim.ts';
import type { Factors } from '../influence/linear-algebra.ts';
import {
  openLeaves,
  type ServedCard,
  type ServedClaim,
  servedTree,
  type ServedTree,
} from '../influence/published.ts';
import { claimOf, influenceBy, influenceOf, queryOf } from '../influence/query.ts';
import { nodeSums, sumsOfNodes } from '../influence/sums.ts';
import type { TrainedHead } from '../influence/train.ts';
import { leavesBehind, type LeafSources, MissingLeaves, sumsBehind } from './influence-leaves.ts';
import type { InfluenceFinding } from './judge-card.ts';
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
  try {
    const fraud = await faultOf(case_, { of: 'claims', key, shape, publishers, demands });
    if (fraud === undefined) return { kind: 'right' };
    const proof = encodeClaimFraud(fraud);
    verifyClaimFraud({ card: shape, claim }, decodeClaimFraud(proof));
    return { kind: 'wrong', rule: fraud.rule, proof };
  } catch (error) {
    if (!(error instanceof MissingLeaves)) throw error;
    return { kind: 'unavailable', reason: error.message, demands: error.demands };
  }
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
  const have = async (tree: 'solution' | 'effects', own: readonly Uint8Array[] | undefined) =>
    servedTree(tree, await leavesBehind(claimTree(card, claim, tree), { tree, own }, sources));
  const own = factors && rowLeaves('solution', card.features, influenceOf({ head, factors }, query).solution);
  const solution = await have('solution', own);
  const rows = decodeAll(solution, (leaf) => decodeRow('solution', leaf, card));
  if (rows.malformed !== undefined) return openLeaf('malformed-solution', solution, rows.malformed);
  const stated = Float64Array.from(rows.decoded.flatMap((row) => Array.from(row)));
  const influence = influenceBy(head, { query, solutionBits: claim.solutionBits, solution: stated });
  const follows = claimOf({ head }, served, influence);
  const effects = await have('effects', follows.effects.leaves);
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
  if (sumsAreRight || (found !== undefined && !OPENS_SUMS.includes(found.rule))) return found;
  const sums = await sumsBehind(claimTree(card.card, claim, 'sums'), expected.sums, sources);
  const fraud = findClaimFraud({ card, claim: { ...expected, sums } });
  assert(fraud !== undefined, 'sums that are not the expected ones are right');
  return fraud;
}

/** Rules whose openings show nodes of the tree of sums. */
const OPENS_SUMS: readonly ClaimRule[] = ['sum', 'bound', 'malformed-node', 'malformed-coordinates'];

function openLeaf(rule: ClaimRule, tree: ServedTree, index: number): ClaimFraud {
  return { rule, index, coordinate: 0, openings: [openLeaves(tree, [index])] };
}
