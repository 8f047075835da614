/** Lies in every leaf of a card or claim that is shown on the chain only, each answer in its last block. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServedCard, ServedClaim } from '../../../attest/influence/published.ts';
import { textDocument } from '../../../attest/testing/naive-shard.ts';
import { FakeChain, memoryPublisher } from '../../../attest/watch/testing/fake-chain.ts';
import { watcherIn } from '../../../attest/watch/testing/watch-world.ts';
import { encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { decodeEffect, encodeEffect } from '../../../modules/attribution/proof/influence/leaves.ts';
import { Claim } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { smallHead } from '../../support/head-world.ts';
import { changedCard, changedClaim } from './world.ts';

/** 3,000 examples. */
const COUNT = 500;
const documents = Array.from({ length: COUNT }, (_, i) => textDocument(11 + i, `t${i}`));
const contributionIds = documents.map(({ contributionId }) => contributionId);
const { card, claim } = smallHead({ datanetId: 1n, snapshotCount: BigInt(COUNT), contributionIds });
const otherLabel = (leaf: Uint8Array): Uint8Array => leaf.with(2, (leaf[2] ?? 0) ^ 1);

let home = '';
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
  log.length = 0;
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Rounds until a claim is refuted, and what was demanded of it. */
async function roundsOfClaim(lie: ServedClaim) {
  const chain = new FakeChain(documents);
  chain.influence.publish(card, 'a');
  const submitted = Claim.create({ influence: { cardId: 1n, statement: encodeClaim(lie.claim) } });
  chain.claims.push({ id: 1n, claimant: 'open1claimant', claim: submitted, shards: [] });
  const watcher = watcherIn({ home, chain, log, publishers: { a: memoryPublisher({ cards: [card] }) } });
  await watcher.lookAtPublished();
  let rounds = 0;
  for (; rounds < 20 && !chain.sent.some(([kind]) => kind === 'dispute influence'); rounds++) {
    await watcher.lookAtClaims();
    chain.influence.answer('claim', 1n, lie);
  }
  expect(chain.sent.at(-1)).toEqual(['dispute influence', 1n]);
  return { rounds, demands: chain.influence.demands('claim', 1n).length };
}

/** The same of a card; `served`: whether its weights and examples are. */
async function roundsOfCard(lie: ServedCard, served: boolean) {
  const chain = new FakeChain(documents);
  chain.influence.publish(lie, 'a');
  const all = memoryPublisher({ cards: [lie] });
  const publisher: typeof all = {
    ...all,
    influenceLeaves: async (source, range) =>
      served && (source.tree === 'weights' || source.tree === 'examples')
        ? await all.influenceLeaves(source, range)
        : undefined,
  };
  const watcher = watcherIn({ home, chain, log, publishers: { a: publisher } });
  let rounds = 0;
  for (; rounds < 40 && !chain.sent.some(([kind]) => kind === 'convict card'); rounds++) {
    await watcher.lookAtPublished();
    chain.influence.answer('card', 1n, lie);
  }
  expect(chain.sent.at(-1)).toEqual(['convict card', 1n]);
  return { rounds, demands: chain.influence.demands('card', 1n).length };
}

test('a claim with every effect wrong is refuted by the first answers', async () => {
  const effects = claim.effects.leaves.map((leaf) => leaf.with(-1, (leaf.at(-1) ?? 0) ^ 1));
  expect(await roundsOfClaim(changedClaim(card, claim, { effects }))).toEqual({ rounds: 2, demands: 4 });
});

test('a claim of which only one sum of weights is wrong, and so all after it, is refuted in few rounds', async () => {
  for (const from of [0, 1_777, 2_999]) {
    const effects = claim.effects.leaves.map((leaf, i) => {
      const effect = decodeEffect(leaf, card.card);
      return effect === undefined || i < from
        ? leaf
        : encodeEffect({ ...effect, weights: effect.weights + 1 });
    });
    const { rounds } = await roundsOfClaim(
      changedClaim(card, claim, { effects, claim: { total: claim.claim.total + 1 } }),
    );
    expect(rounds).toBeLessThanOrEqual(5);
  }
});

test.each([true, false])(
  'a card with every residual wrong is convicted by the first answers (%s)',
  async (served) => {
    const lie = changedCard(card, { residuals: card.residuals.leaves.map(otherLabel) });
    expect(await roundsOfCard(lie, served)).toEqual({ rounds: 2, demands: 4 });
  },
);

test.each([true, false])(
  'a card with every group wrong is convicted by the first answers (%s)',
  async (served) => {
    const lie = changedCard(card, { groups: card.groups.leaves.map(otherLabel) });
    const { rounds, demands } = await roundsOfCard(lie, served);
    expect([rounds, demands <= 4]).toEqual([2, true]);
  },
);

test('what a card costs counts for what may be put at stake in a window, and is held back by it', async () => {
  const chain = new FakeChain(documents);
  chain.influence.publish(card, 'a');
  const watcher = watcherIn({ home, chain, log, options: { spendMax: 1_200n } });
  for (let round = 0; round < 6; round++) {
    await watcher.lookAtPublished();
    chain.influence.answer('card', 1n, card);
  }
  const bonds = chain.influence.demands('card', 1n).map(({ bond }) => bond);
  expect(bonds).toEqual([100n, 200n, 300n, 400n, 100n, 100n]);
  expect(log.some((line) => line.includes('(--spend-max)'))).toBe(true);
});

test('the bonds of all rounds together stay within the budget', async () => {
  const chain = new FakeChain(documents);
  chain.influence.publish(card, 'a');
  const watcher = watcherIn({ home, chain, log, options: { demandBudget: 1_500n } });
  for (let round = 0; round < 6; round++) {
    await watcher.lookAtPublished();
    chain.influence.answer('card', 1n, card);
  }
  const bonds = chain.influence.demands('card', 1n).map(({ bond }) => bond);
  // The third of the second round would be over it; then one more at a time.
  expect(bonds).toEqual([100n, 200n, 300n, 400n, 100n, 200n, 100n, 100n]);
  expect(log.filter((line) => line.includes('(--demand-budget)'))).toHaveLength(1);
});

test('a card with every node of its sums wrong is convicted when its coordinates are shown', async () => {
  const coordinates = card.sums.coordinates.map((leaves) =>
    leaves.map((leaf) => leaf.with(-1, (leaf.at(-1) ?? 0) ^ 1)),
  );
  const { rounds, demands } = await roundsOfCard(changedCard(card, { coordinates }), true);
  expect([rounds, demands <= 5]).toEqual([3, true]);
});

test('steps to the conviction of a card are made whatever was put at stake', async () => {
  const leaf = card.residuals.leaves[1_234] ?? new Uint8Array(3);
  const lie = changedCard(card, { residuals: card.residuals.leaves.with(1_234, otherLabel(leaf)) });
  const chain = new FakeChain(documents);
  chain.influence.publish(lie, 'a');
  const all = memoryPublisher({ cards: [lie] });
  const publisher: typeof all = {
    ...all,
    influenceLeaves: async (source, range) =>
      source.tree === 'weights' || source.tree === 'examples'
        ? await all.influenceLeaves(source, range)
        : undefined,
  };
  const watcher = watcherIn({ home, chain, log, publishers: { a: publisher }, options: { spendMax: 0n } });
  for (let round = 0; round < 20 && chain.sent.at(-1)?.[0] !== 'convict card'; round++) {
    await watcher.lookAtPublished();
    chain.influence.answer('card', 1n, lie);
  }
  expect(chain.sent.at(-1)).toEqual(['convict card', 1n]);
});

test('claims have a limit of their own: what shards cost disarms nobody against claims', async () => {
  const roots = { ...claim.claim.roots, solution: new Uint8Array(32).fill(7) };
  const chain = new FakeChain(documents);
  chain.influence.publish(card, 'a');
  const statement = encodeClaim({ ...claim.claim, roots });
  const submitted = Claim.create({ influence: { cardId: 1n, statement } });
  chain.claims.push({ id: 1n, claimant: 'open1claimant', claim: submitted, shards: [] });
  const spentFile = join(home, 'spent');
  writeFileSync(spentFile, '1 1000000\n');
  const publishers = { a: memoryPublisher({ cards: [card] }) };
  const watcher = watcherIn({ home, chain, log, publishers, options: { spendMax: 1_000n, spentFile } });
  await watcher.lookAtPublished();
  await watcher.lookAtClaims();
  expect(chain.influence.demands('claim', 1n).length).toBeGreaterThan(0);
  expect(readFileSync(`${spentFile}-claims`, 'utf8')).toMatch(/^\d+ \d+\n/);
});
