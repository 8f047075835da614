/**
 * The campaign: every lie must be convicted by one message, and no message may convict what is honest,
 * whatever rule it names and wherever it points.
 */
import { findCardFraud } from '../../../attest/influence/convict-card.ts';
import { findClaimFraud } from '../../../attest/influence/convict-claim.ts';
import { openCardFraud, openClaimFraud, type ServedPair } from '../../../attest/influence/open-fraud.ts';
import { DecodeError } from '../../../core/errors.ts';
import { verifyCardFraud } from '../../../modules/attribution/proof/influence/card-fraud.ts';
import { checkClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  CARD_RULES,
  type CardRule,
  CLAIM_RULES,
  type ClaimRule,
  decodeCardFraud,
  decodeClaimFraud,
  encodeCardFraud,
  encodeClaimFraud,
} from '../../../modules/attribution/proof/influence/fraud.ts';
import { Dice } from './lie.ts';
import { CARD_LIES, CLAIM_LIES } from './mutations.ts';
import { chain, smallWorld, type World } from './world.ts';

/** What happened to the lies of one kind. */
export interface Tally {
  readonly name: string;
  told: number;
  convicted: number;
  /** Refused at once, without a message: the claim contradicts itself. */
  refused: number;
  readonly bytes: number[];
  readonly verifyUs: number[];
  readonly rules: Set<string>;
}

export interface CampaignResult {
  readonly tallies: readonly Tally[];
  /** Honest cards and claims that a finder accused, or a message convicted. */
  readonly honestConvicted: readonly string[];
  readonly honestTried: number;
  readonly missed: readonly string[];
}

export interface CampaignOptions {
  /** Lies in all. */
  readonly lies: number;
  readonly random: () => number;
  /** Milliseconds; given by the program so that its clock is its own. */
  readonly now: () => number;
}

/** Lies told about each world; every other world is an adapter's. */
const LIES_PER_WORLD = 40;

export function runCampaign({ lies, random, now }: CampaignOptions): CampaignResult {
  const dice = new Dice(random);
  const kinds = [
    ...CARD_LIES.map((lie) => ({ name: `card: ${lie.name}`, lie, of: 'card' as const })),
    ...CLAIM_LIES.map((lie) => ({ name: `claim: ${lie.name}`, lie, of: 'claim' as const })),
  ];
  const tallies = kinds.map(
    ({ name }): Tally => ({
      name,
      told: 0,
      convicted: 0,
      refused: 0,
      bytes: [],
      verifyUs: [],
      rules: new Set(),
    }),
  );
  const missed: string[] = [];
  const honestConvicted: string[] = [];
  let honestTried = 0;
  let world = smallWorld(random);
  for (let i = 0; i < lies; i++) {
    if (i % LIES_PER_WORLD === 0) {
      world = smallWorld(random, (i / LIES_PER_WORLD) % 2 === 0 ? 'adapter' : 'head');
      const tried = accuseHonest(world, dice);
      honestTried += tried.tried;
      honestConvicted.push(...tried.convicted);
    }
    const tally = tallies[i % kinds.length];
    if (tally === undefined) continue;
    const outcome =
      i % kinds.length < CARD_LIES.length
        ? lieOfCard(world, i % kinds.length, dice, now)
        : lieOfClaim(world, (i % kinds.length) - CARD_LIES.length, dice, now);
    if (outcome === undefined) continue;
    tally.told++;
    if (outcome.kind === 'refused') tally.refused++;
    if (outcome.kind === 'missed') missed.push(tally.name);
    if (outcome.kind !== 'convicted') continue;
    tally.convicted++;
    tally.bytes.push(outcome.bytes);
    tally.verifyUs.push(outcome.us);
    tally.rules.add(outcome.rule);
  }
  return { tallies, honestConvicted, honestTried, missed };
}

type Outcome =
  | { readonly kind: 'missed' | 'refused' }
  | { readonly kind: 'convicted'; readonly rule: string; readonly bytes: number; readonly us: number };

function lieOfCard(world: World, which: number, dice: Dice, now: () => number): Outcome | undefined {
  const served = CARD_LIES[which]?.tell(world, dice);
  if (served === undefined) return undefined;
  const fraud = findCardFraud(served, chain);
  if (fraud === undefined) return { kind: 'missed' };
  const bytes = encodeCardFraud(fraud);
  const start = now();
  if (!holdsUp(() => verifyCardFraud(served.card, decodeCardFraud(bytes), chain))) return { kind: 'missed' };
  return { kind: 'convicted', rule: fraud.rule, bytes: bytes.length, us: 1_000 * (now() - start) };
}

function lieOfClaim(world: World, which: number, dice: Dice, now: () => number): Outcome | undefined {
  const served = CLAIM_LIES[which]?.tell(world, dice);
  if (served === undefined) return undefined;
  const { card } = world.card;
  if (!holdsUp(() => checkClaim(card, served.claim))) return { kind: 'refused' };
  const fraud = findClaimFraud({ card: world.card, claim: served });
  if (fraud === undefined) return { kind: 'missed' };
  const bytes = encodeClaimFraud(fraud);
  const start = now();
  if (!holdsUp(() => verifyClaimFraud({ card, claim: served.claim }, decodeClaimFraud(bytes))))
    return { kind: 'missed' };
  return { kind: 'convicted', rule: fraud.rule, bytes: bytes.length, us: 1_000 * (now() - start) };
}

/** True when it does not refuse. Other errors than a refusal are the verifier's own and go on. */
export function holdsUp(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

export const CARD_RULE_NAMES: readonly CardRule[] = Object.keys(CARD_RULES).filter(
  (name): name is CardRule => name in CARD_RULES,
);
export const CLAIM_RULE_NAMES: readonly ClaimRule[] = Object.keys(CLAIM_RULES).filter(
  (name): name is ClaimRule => name in CLAIM_RULES,
);

/** Points every rule at places of an honest card and claim, with true openings. */
function accuseHonest(world: World, dice: Dice): { readonly tried: number; readonly convicted: string[] } {
  const { card, claim } = world;
  const convicted: string[] = [];
  let tried = 0;
  if (findCardFraud(card, chain) !== undefined) convicted.push('card, by the finder');
  if (findClaimFraud({ card, claim }) !== undefined) convicted.push('claim, by the finder');
  if (!holdsUp(() => checkClaim(card.card, claim.claim))) convicted.push('claim, at once');
  const place = (rule: string) => placeOf({ card, claim }, rule, dice);
  for (let round = 0; round < 6; round++) {
    for (const rule of CARD_RULE_NAMES) {
      tried++;
      if (holdsUp(() => verifyCardFraud(card.card, openCardFraud(card, rule, place(rule)), chain)))
        convicted.push(`card: ${rule}`);
    }
    for (const rule of CLAIM_RULE_NAMES) {
      tried++;
      const on = { card: card.card, claim: claim.claim };
      if (holdsUp(() => verifyClaimFraud(on, openClaimFraud({ card, claim }, rule, place(rule)))))
        convicted.push(`claim: ${rule}`);
    }
  }
  return { tried, convicted };
}

/** A place of a card or a claim at which a rule can be looked at. */
export function placeOf(
  { card, claim }: ServedPair,
  rule: string,
  dice: Dice,
): { readonly index: number; readonly coordinate: number } {
  const { features, classes, examples, groups } = card.card;
  const nodes = card.sums.leaves.length;
  const indices: Readonly<Record<string, number>> = {
    'malformed-weights': classes,
    'malformed-solution': classes,
    'query-logit': classes,
    'malformed-node': nodes,
    'malformed-coordinates': nodes,
    sum: nodes,
    bound: 1,
    total: 1,
    order: Math.max(1, examples - 1),
    group: groups,
    stranger: groups,
    'malformed-group': groups,
    'omitted-group': groups,
    'listed-example': Math.max(1, claim.claim.examples.length),
    'listed-group': Math.max(1, claim.claim.groups.length),
  };
  const coordinates: Readonly<Record<string, number>> = {
    sum: features * classes,
    bound: features * classes,
    'malformed-coordinates': card.sums.coordinates[0]?.length ?? 1,
    logit: classes,
    response: classes,
  };
  return { index: dice.below(indices[rule] ?? examples), coordinate: dice.below(coordinates[rule] ?? 1) };
}
