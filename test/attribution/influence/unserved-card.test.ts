/**
 * Cards with as many runs of examples as 5,000 digits of 197 features have, of which nothing is served and
 * every demand is answered: what conviction costs beside what it pays.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { certify } from '../../../attest/influence/certificate.ts';
import type { ServedCard } from '../../../attest/influence/published.ts';
import { trainHead } from '../../../attest/influence/train.ts';
import { trainingSet } from '../../../attest/influence/training-set.ts';
import { textDocument } from '../../../attest/testing/naive-shard.ts';
import { FakeChain } from '../../../attest/watch/testing/fake-chain.ts';
import { watcherIn } from '../../../attest/watch/testing/watch-world.ts';
import { changedCard } from './world.ts';

const EXAMPLES = 5_000;
const FEATURES = 196;
const CLASSES = 2;
/** By the default parameters a conviction pays 250 times the least bond of a request, here 100. */
const REWARD = 250n * 100n;
/** `challenge_blocks` over `request_blocks`. */
const ANSWERS_IN_WINDOW = 40;

const documents = Array.from({ length: EXAMPLES / 10 }, (_, i) => textDocument(1 + i, `${i}`));
const examples = Array.from({ length: EXAMPLES }, (_, i) => ({
  contributionId: BigInt(1 + Math.floor(i / 10)),
  label: i % CLASSES,
  features: Array.from({ length: FEATURES }, (__, j) =>
    (i + j) % 16 === 0 ? 40 + 60 * (i % CLASSES) + ((i * 7 + j * 13) % 64) : 0,
  ),
}));
const { card } = (() => {
  const head = trainHead(trainingSet(examples, CLASSES), { lambda: 2 ** 23 });
  const snapshotCount = BigInt(documents.length);
  return { card: certify(head, { datanetId: 1n, snapshotCount, extractor: new Uint8Array(32) }) };
})();

async function convicted(lie: ServedCard) {
  const home = mkdtempSync(join(tmpdir(), 'watch-'));
  try {
    const chain = new FakeChain(documents);
    chain.influence.publish(lie, 'nowhere');
    const watcher = watcherIn({ home, chain, log: [], options: { demandBudget: REWARD, spendMax: REWARD } });
    let rounds = 0;
    for (; rounds < ANSWERS_IN_WINDOW && chain.influence.cards.size > 0; rounds++) {
      await watcher.lookAtPublished();
      chain.influence.answer('card', 1n, lie);
    }
    expect(chain.sent.at(-1)).toEqual(['convict card', 1n]);
    const demands = chain.influence.demands('card', 1n);
    return { rounds, demands: demands.length, spent: demands.reduce((sum, { bond }) => sum + bond, 0n) };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function withResiduals(isWrong: (index: number) => boolean): ServedCard {
  const residuals = card.residuals.leaves.map((leaf, i) =>
    isWrong(i) ? leaf.with(-1, (leaf.at(-1) ?? 0) ^ 1) : leaf,
  );
  return changedCard(card, { residuals });
}

test('a lie in every residual is convicted by the first answers', async () => {
  expect(await convicted(withResiduals(() => true))).toEqual({ rounds: 2, demands: 4, spent: 1_000n });
});

test('a lie in one residual is convicted within the window and what it pays, by all examples', async () => {
  const { rounds, spent } = await convicted(withResiduals((index) => index === 3_333));
  expect(rounds).toBeLessThanOrEqual(24);
  expect(spent).toBeLessThanOrEqual(REWARD);
});
