/** Leaves of cards and claims that are longer than right ones, served as they are committed to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { textDocument } from '../../../attest/testing/naive-shard.ts';
import { FakeChain, memoryPublisher } from '../../../attest/watch/testing/fake-chain.ts';
import { watcherIn } from '../../../attest/watch/testing/watch-world.ts';
import {
  CLASSES_MAX,
  EXAMPLES_MAX,
  FEATURES_MAX,
} from '../../../modules/attribution/proof/influence/bounds.ts';
import { encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import {
  decodeCardFraud,
  encodeCardFraud,
  SHOWN_INFLUENCE_LEAF_BYTES_MAX,
} from '../../../modules/attribution/proof/influence/fraud.ts';
import { leafBytes } from '../../../modules/attribution/proof/influence/leaves.ts';
import { Claim } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { smallHead } from '../../support/head-world.ts';
import { changedCard, changedClaim } from './world.ts';

const documents = [textDocument(11, 'one'), textDocument(12, 'two'), textDocument(13, 'three')];
const contributionIds = documents.map(({ contributionId }) => contributionId);
const head = smallHead({ datanetId: 1n, snapshotCount: 3n, contributionIds });
const LONGEST = SHOWN_INFLUENCE_LEAF_BYTES_MAX;

let home = '';
let chain: FakeChain;
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
  chain = new FakeChain(documents);
  log.length = 0;
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** The first leaf with more bytes behind it. */
function withLong(leaves: readonly Uint8Array[], length: number): readonly Uint8Array[] {
  const long = new Uint8Array(length).fill(1);
  long.set(leaves[0] ?? new Uint8Array(0));
  return leaves.with(0, long);
}

const CASES = [
  { length: 300, tree: 'weights' },
  { length: LONGEST, tree: 'examples' },
  { length: LONGEST + 1, tree: 'weights' },
  { length: LONGEST + 1, tree: 'examples' },
  { length: 65_535, tree: 'residuals' },
  { length: 65_536, tree: 'groups' },
] as const;

test.each(CASES)('of a card: $length bytes of $tree', async ({ length, tree }) => {
  const wrong = changedCard(head.card, { [tree]: withLong(head.card[tree].leaves, length) });
  chain.influence.publish(wrong, 'a');
  const publishers = { a: memoryPublisher({ cards: [wrong] }) };
  const watcher = watcherIn({ home, chain, log, publishers });
  for (let round = 0; round < 3; round++) await watcher.lookAtPublished();
  expect(chain.sent).toEqual([[length <= LONGEST ? 'convict card' : 'demand leaf', 1n]]);
  const demanded = chain.influence.demands('card', 1n).map(({ place }) => place);
  const place = { tree, node: undefined, leaf: 0 };
  if (length <= LONGEST) expect(demanded).toEqual([]);
  else expect(demanded).toContainEqual(place);
});

test.each([
  { tree: 'effects', length: LONGEST },
  { tree: 'effects', length: LONGEST + 1 },
  { tree: 'solution', length: LONGEST },
  { tree: 'solution', length: 70_000 },
] as const)('of a claim: $length bytes of $tree', async ({ tree, length }) => {
  const wrong = changedClaim(head.card, head.claim, { [tree]: withLong(head.claim[tree].leaves, length) });
  chain.influence.publish(head.card, 'a');
  const statement = encodeClaim(wrong.claim);
  const claim = Claim.create({ influence: { cardId: 1n, statement } });
  chain.claims.push({ id: 1n, claimant: 'open1claimant', claim, shards: [] });
  const publishers = { a: memoryPublisher({ cards: [head.card], claims: [wrong] }) };
  const watcher = watcherIn({ home, chain, log, publishers });
  await watcher.lookAtPublished();
  for (let round = 0; round < 3; round++) await watcher.lookAtClaims();
  expect(chain.sent).toEqual([[length <= LONGEST ? 'dispute influence' : 'demand leaf', 1n]]);
});

test('the longest leaf that counts as shown fits a fraud with all that stands beside it, as every right leaf does', () => {
  const way = new Uint8Array(32 * 32);
  const fraud = {
    rule: 'malformed-coordinates',
    index: 2 ** 32 - 1,
    coordinate: 2 ** 32 - 1,
    openings: [
      { leaves: [new Uint8Array(33)], hashes: way },
      { leaves: [new Uint8Array(LONGEST)], hashes: way },
    ],
  } as const;
  expect(decodeCardFraud(encodeCardFraud(fraud))).toEqual(fraud);
  const shape = {
    kind: 'adapter',
    features: FEATURES_MAX,
    classes: CLASSES_MAX,
    examples: EXAMPLES_MAX,
  } as const;
  const trees = ['weights', 'examples', 'residuals', 'effects', 'solution', 'sums', 'coordinates'] as const;
  for (const tree of trees) expect(leafBytes(shape, tree)).toBeLessThanOrEqual(LONGEST);
});
