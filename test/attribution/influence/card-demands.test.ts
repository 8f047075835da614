/** What a watcher pays to see a right card whose owner serves nothing and shows each run on the chain. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FakeChain } from '../../../attest/watch/testing/fake-chain.ts';
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
