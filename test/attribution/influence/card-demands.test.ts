/** What a watcher pays to see a right card whose owner serves nothing and shows each run on the chain. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { InfluenceDemand, InfluencePlace } from '../../../attest/watch/ports.ts';
import { FakeChain } from '../../../attest/watch/testing/fake-chain.ts';
import { answerTo } from '../../../attest/watch/testing/fake-influence.ts';
import { watcherIn } from '../../../attest/watch/testing/watch-world.ts';
import { textDocument } from '../../../attest/testing/naive-shard.ts';
import { randomFrom } from '../fidelity/digits.ts';
import { smallWorld } from './world.ts';

/** A card of more than 64 examples. */
function largeCard() {
  for (let seed = 7; ; seed++) {
    const { card } = smallWorld(randomFrom(seed));
    if (card.card.examples > 64) return card;
  }
}

test.each([
  { demandBudget: undefined, isRight: true },
  { demandBudget: 150n, isRight: false },
])('runs are few, and within a budget of $demandBudget', async ({ demandBudget, isRight }) => {
  const card = largeCard();
  const home = mkdtempSync(join(tmpdir(), 'card-demands-'));
  try {
    const log: string[] = [];
    const documents = Array.from({ length: Number(card.card.snapshotCount) }, (_, i) =>
      textDocument(i + 1, `t${i}`),
    );
    const chain = new FakeChain(documents);
    chain.influence.publish(card, 'a');
    const watcher = watcherIn({ home, chain, log, options: { demandBudget } });
    for (let round = 0; round < 20; round++) {
      await watcher.lookAtPublished();
      if (log.at(-1)?.includes('is right')) break;
      chain.influence.answer('card', 1n, card);
    }
    const demands = chain.influence.demands('card', 1n);
    const bonds = demands.reduce((sum, { bond }) => sum + bond, 0n);
    const over = log.filter((line) => line.includes('(--demand-budget)')).length;
    expect([log.some((line) => line.includes('is right')), over]).toEqual([isRight, isRight ? 0 : 1]);
    expect(demands.length).toBeLessThan(10);
    expect(bonds).toBeLessThanOrEqual(demandBudget ?? 5000n);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

test("what others demand of a card counts in nobody else's budget", async () => {
  const card = largeCard();
  const home = mkdtempSync(join(tmpdir(), 'card-demands-'));
  try {
    const log: string[] = [];
    const documents = Array.from({ length: Number(card.card.snapshotCount) }, (_, i) =>
      textDocument(i + 1, `t${i}`),
    );
    const chain = new FakeChain(documents);
    chain.influence.publish(card, 'a');
    const place: InfluencePlace = { tree: 'groups', node: undefined, leaf: 0 };
    // As dear as all that a watcher may spend on a card.
    const fromOther: InfluenceDemand = {
      ...{ of: 'card', id: 1n, requestId: 999n, place, own: false, bond: 5000n },
      answer: answerTo(card, place),
    };
    const ownDemands = chain.influenceDemands.bind(chain);
    chain.influenceDemands = async (of, id) => [fromOther, ...(await ownDemands(of, id))];
    const watcher = watcherIn({ home, chain, log });
    for (let round = 0; round < 20 && !log.at(-1)?.includes('is right'); round++) {
      await watcher.lookAtPublished();
      chain.influence.answer('card', 1n, card);
    }
    expect(log.at(-1)).toContain('is right');
    expect(log.filter((line) => line.includes('(--demand-budget)'))).toEqual([]);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
