/**
 * Bytes and verification time of every rule on a head and an adapter of usual size: 5,000 digits, 197
 * features, 10 classes.
 */
import { certify } from '../../../attest/influence/certificate.ts';
import { hessianOf } from '../../../attest/influence/hessian.ts';
import { openCardFraud, openClaimFraud, type ServedPair } from '../../../attest/influence/open-fraud.ts';
import { claimOf, influenceOf, queryOf } from '../../../attest/influence/query.ts';
import { trainHead } from '../../../attest/influence/train.ts';
import { type Example, inputOf, trainingSet } from '../../../attest/influence/training-set.ts';
import { type ModelKind, OFFSET_BITS } from '../../../modules/attribution/proof/influence/bounds.ts';
import { encodeCard } from '../../../modules/attribution/proof/influence/card.ts';
import { encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import type { ServedTree } from '../../../attest/influence/published.ts';
import { verifyCardFraud } from '../../../modules/attribution/proof/influence/card-fraud.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import {
  decodeCardFraud,
  decodeClaimFraud,
  encodeCardFraud,
  encodeClaimFraud,
} from '../../../modules/attribution/proof/influence/fraud.ts';
import { CLASSES, loadDigits, splitDigits } from '../fidelity/digits.ts';
import { CARD_RULE_NAMES, CLAIM_RULE_NAMES, holdsUp, placeOf } from './campaign.ts';
import { Dice } from './lie.ts';
import { certificateOf, chain } from './world.ts';

const PLACES = 200;
const LAMBDA = 16_777;

/** Prints them, of a head and of an adapter. */
export function printSizes(random: () => number): void {
  for (const kind of ['head', 'adapter'] as const) printSizesOf(kind, random);
}

/** Logits within ±4: what they are does not change a size. */
function withOffsets(examples: readonly Example[], random: () => number): Example[] {
  const logit = (): number => Math.round((8 * random() - 4) * 2 ** OFFSET_BITS);
  return examples.map((example) => ({ ...example, offsets: Array.from({ length: CLASSES }, logit) }));
}

/**
 * Opens every rule at random places of an honest card and claim: what is refused costs what a conviction
 * does.
 */
function printSizesOf(kind: ModelKind, random: () => number): void {
  const split = splitDigits(loadDigits(), { side: 14, train: 5_000, test: 1, random });
  const given = (examples: readonly Example[]): readonly Example[] =>
    kind === 'adapter' ? withOffsets(examples, random) : examples;
  const set = trainingSet(given(split.train), CLASSES);
  const test = trainingSet(given(split.test), CLASSES);
  const head = trainHead(set, { lambda: LAMBDA, tolerance: 1e-5 });
  const influencer = { head, factors: hessianOf(head) };
  const card = certify(head, certificateOf(kind));
  const query = queryOf(head, inputOf(test, 0), test.labels[0] ?? 0);
  const claim = claimOf(influencer, card, influenceOf(influencer, query));
  const pair: ServedPair = { card, claim };
  const on = { card: card.card, claim: claim.claim };
  const dice = new Dice(random);
  const bytes = { card: encodeCard(on.card).length, claim: encodeClaim(on.claim).length };
  const leaf = (tree: ServedTree): number => tree.leaves[0]?.length ?? 0;
  process.stdout.write(
    `${kind}: card ${bytes.card} B, claim ${bytes.claim} B, example ${leaf(card.examples)} B, ` +
      `residual ${leaf(card.residuals)} B, effect ${leaf(claim.effects)} B, weights ${leaf(card.weights)} B\n`,
  );
  for (const rule of CARD_RULE_NAMES)
    print(`card ${rule}`, () => {
      const bytes = encodeCardFraud(openCardFraud(card, rule, placeOf(pair, rule, dice)));
      return { bytes, check: () => verifyCardFraud(on.card, decodeCardFraud(bytes), chain) };
    });
  for (const rule of CLAIM_RULE_NAMES)
    print(`claim ${rule}`, () => {
      const bytes = encodeClaimFraud(openClaimFraud(pair, rule, placeOf(pair, rule, dice)));
      return { bytes, check: () => verifyClaimFraud(on, decodeClaimFraud(bytes)) };
    });
}

function print(name: string, open: () => { readonly bytes: Uint8Array; readonly check: () => void }): void {
  const lengths: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < PLACES; i++) {
    const { bytes, check } = open();
    const start = performance.now();
    if (holdsUp(check)) process.stdout.write(`${name}: an honest one is convicted\n`);
    times.push(1_000 * (performance.now() - start));
    lengths.push(bytes.length);
  }
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * sorted.length)] ?? 0).toFixed(0);
  process.stdout.write(
    `${name.padEnd(30)} ${Math.max(...lengths)} B at most | ${at(0.5)} µs median | ${at(0.95)} µs p95\n`,
  );
}
