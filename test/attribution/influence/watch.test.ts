/** A watcher judges what the campaign's liars publish: served, half served, or shown on the chain only. */
import { expect, test } from 'vitest';
import { hessianOf } from '../../../attest/influence/hessian.ts';
import type { ServedCard, ServedClaim } from '../../../attest/influence/published.ts';
import { type CardVerdict, judgeCard } from '../../../attest/watch/judge-card.ts';
import {
  type InfluenceVerdict,
  judgeInfluence,
  type JudgedCard,
} from '../../../attest/watch/judge-influence.ts';
import type { InfluenceDemand, InfluencePlace, Publisher } from '../../../attest/watch/ports.ts';
import { memoryPublisher } from '../../../attest/watch/testing/fake-chain.ts';
import { answerTo, type ServedInfluence } from '../../../attest/watch/testing/fake-influence.ts';
import { verifyCardFraud } from '../../../modules/attribution/proof/influence/card-fraud.ts';
import { checkClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { verifyClaimFraud } from '../../../modules/attribution/proof/influence/claim-fraud.ts';
import { decodeCardFraud, decodeClaimFraud } from '../../../modules/attribution/proof/influence/fraud.ts';
import { leafBytes } from '../../../modules/attribution/proof/influence/leaves.ts';
import { randomFrom } from '../fidelity/digits.ts';
import { holdsUp } from './campaign.ts';
import { Dice } from './lie.ts';
import { CARD_LIES, CLAIM_LIES } from './mutations.ts';
import { chain, smallWorld, type World } from './world.ts';

const ROUNDS_MAX = 200;

/** Judges again and again, while somebody answers every demand; the verdict and how many demands there were. */
async function untilJudged<V extends { readonly kind: string }>(
  served: ServedInfluence,
  judge: (demands: readonly InfluenceDemand[]) => Promise<V>,
): Promise<{ readonly verdict: V; readonly demands: number }> {
  let demands: readonly InfluenceDemand[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const verdict = await judge(demands);
    if (verdict.kind !== 'unavailable') return { verdict, demands: demands.length };
    const asked = (verdict as unknown as { readonly demands: readonly InfluencePlace[] }).demands;
    expect(asked.length).toBeGreaterThan(0);
    demands = [
      ...demands,
      ...asked.map((place, i) => ({
        of: 'card' as const,
        id: 1n,
        requestId: BigInt(demands.length + i + 1),
        own: true,
        bond: 100n,
        place,
        answer: answerTo(served, place),
      })),
    ];
  }
  throw new Error(`not judged after ${ROUNDS_MAX} rounds`);
}

function judgeOf(served: ServedCard, publishers: readonly Publisher[]) {
  return (demands: readonly InfluenceDemand[]): Promise<CardVerdict> =>
    judgeCard({ card: served.card, chain, publishers, demands });
}

function expectCardConvicted(served: ServedCard, verdict: CardVerdict, name: string): void {
  expect(verdict.kind, name).toBe('wrong');
  if (verdict.kind !== 'wrong') return;
  expect(() => verifyCardFraud(served.card, decodeCardFraud(verdict.proof), chain), name).not.toThrow();
}

/** Seeds of worlds, two of each kind. */
const WORLDS = [1, 2, 3, 4].map((seed) => ({ seed, kind: seed % 2 === 0 ? 'adapter' : 'head' }) as const);

test('an honest card is right by its weights and examples alone; every lie about a card is convicted', async () => {
  for (const { seed, kind } of WORLDS) {
    const world = smallWorld(randomFrom(seed), kind);
    const asked: string[] = [];
    const publisher = memoryPublisher({ cards: [world.card] });
    const listening: Publisher = {
      ...publisher,
      influenceLeaves(source, range) {
        asked.push(source.tree);
        return publisher.influenceLeaves(source, range);
      },
    };
    expect((await judgeOf(world.card, [listening])([])).kind).toBe('right');
    expect(asked).toEqual(['weights', 'examples']);
    for (const { name, tell } of CARD_LIES) {
      const served = tell(world, new Dice(randomFrom(seed)));
      if (served === undefined) continue;
      const verdict = await judgeOf(served, [memoryPublisher({ cards: [served] })])([]);
      expectCardConvicted(served, verdict, name);
    }
  }
});

test.each(['head', 'adapter'] as const)('leaves of a %s have the length that is asked for', (kind) => {
  const { card, claim } = smallWorld(randomFrom(4), kind);
  const trees = { ...card, ...claim, sums: card.sums };
  for (const tree of ['weights', 'examples', 'residuals', 'groups', 'solution', 'effects', 'sums'] as const)
    expect(trees[tree].leaves[0]?.length, tree).toBe(leafBytes(card.card, tree));
  expect(card.sums.coordinates[0]?.[0]?.length).toBe(leafBytes(card.card, 'coordinates'));
});

test.each(['head', 'adapter'] as const)(
  'of a card (%s) that nobody serves leaves are demanded until it is judged',
  async (kind) => {
    const world = smallWorld(randomFrom(4), kind);
    const first = await judgeOf(world.card, [memoryPublisher({})])([]);
    expect(first).toMatchObject({
      kind: 'unavailable',
      demands: ['weights', 'examples', 'residuals', 'groups'].map((tree) => ({ tree, leaf: 0 })),
    });
    expect((await untilJudged(world.card, judgeOf(world.card, []))).verdict.kind).toBe('right');
    for (const { name, tell } of CARD_LIES) {
      const served = tell(world, new Dice(randomFrom(4)));
      if (served === undefined) continue;
      const { verdict } = await untilJudged(served, judgeOf(served, []));
      expectCardConvicted(served, verdict, name);
    }
  },
);

test('a card with one leaf that is served wrongly is judged after a few demands', async () => {
  const { card } = smallWorld(randomFrom(3));
  const honest = memoryPublisher({ cards: [card] });
  const twisting: Publisher = {
    ...honest,
    async influenceLeaves(source, range) {
      const leaves = await honest.influenceLeaves(source, range);
      return leaves?.map((leaf, i) => (source.tree === 'examples' && i === 2 ? leaf.toReversed() : leaf));
    },
  };
  const { verdict, demands } = await untilJudged(card, judgeOf(card, [twisting]));
  expect(verdict.kind).toBe('right');
  expect(demands).toBeLessThanOrEqual(4 * (1 + Math.ceil(Math.log2(card.card.examples) / 3)));
});

function judgedCard({ card, influencer }: World): JudgedCard {
  return { served: card, head: influencer.head, factors: hessianOf(influencer.head) };
}

function judgeClaimOf(world: World, { claim }: ServedClaim, publishers: readonly Publisher[]) {
  const card = judgedCard(world);
  return (demands: readonly InfluenceDemand[]): Promise<InfluenceVerdict> =>
    judgeInfluence({ claim, card, publishers, demands });
}

function expectClaimConvicted(
  world: World,
  served: ServedClaim,
  verdict: InfluenceVerdict,
  name: string,
): void {
  expect(verdict.kind, name).toBe('wrong');
  if (verdict.kind !== 'wrong') return;
  const on = { card: world.card.card, claim: served.claim };
  expect(() => verifyClaimFraud(on, decodeClaimFraud(verdict.proof)), name).not.toThrow();
}

test('an honest claim needs nobody; every lie about a claim is convicted, served or shown on the chain', async () => {
  for (const { seed, kind } of WORLDS) {
    const world = smallWorld(randomFrom(seed), kind);
    expect(await judgeClaimOf(world, world.claim, [])([])).toEqual({ kind: 'right' });
    for (const { name, tell } of CLAIM_LIES) {
      const served = tell(world, new Dice(randomFrom(seed)));
      if (served === undefined || !holdsUp(() => checkClaim(world.card.card, served.claim))) continue;
      const publisher = memoryPublisher({ claims: [served] });
      expectClaimConvicted(world, served, await judgeClaimOf(world, served, [publisher])([]), name);
      const { verdict } = await untilJudged(served, judgeClaimOf(world, served, []));
      expectClaimConvicted(world, served, verdict, name);
    }
  }
});

test('a claim with one wrong effect is convicted by a few demands, without its claimant', async () => {
  const world = smallWorld(randomFrom(3));
  const lie = CLAIM_LIES.find(({ name }) => name === 'score')?.tell(world, new Dice(randomFrom(9)));
  expect(lie).toBeDefined();
  if (lie === undefined) return;
  const { verdict, demands } = await untilJudged(lie, judgeClaimOf(world, lie, []));
  expectClaimConvicted(world, lie, verdict, 'score');
  expect(demands).toBeLessThanOrEqual(4 * (1 + Math.ceil(Math.log2(world.card.card.examples) / 3)));
});
