/** Rounds of a watcher over model cards and claims of influence, on a chain that takes only what convicts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServedCard, ServedClaim } from '../../../attest/influence/published.ts';
import { textDocument } from '../../../attest/testing/naive-shard.ts';
import { CardCache } from '../../../attest/watch/card-cache.ts';
import { WatchMetrics } from '../../../attest/watch/metrics.ts';
import type { Publisher } from '../../../attest/watch/ports.ts';
import { FakeChain, memoryPublisher } from '../../../attest/watch/testing/fake-chain.ts';
import { look, noTicks, PATIENT } from '../../../attest/watch/testing/look.ts';
import { TextCache } from '../../../attest/watch/text-cache.ts';
import { Watcher } from '../../../attest/watch/watcher.ts';
import { encodeClaim } from '../../../modules/attribution/proof/influence/claim.ts';
import { Claim, TokenProvenance } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';
import { smallHead, wrongCard, wrongClaim } from '../../support/head-world.ts';

const documents = [textDocument(11, 'one'), textDocument(12, 'two'), textDocument(13, 'three')];
const contributionIds = documents.map(({ contributionId }) => contributionId);
const head = smallHead({ datanetId: 1n, snapshotCount: 3n, contributionIds });
const wrong = wrongCard(head.card);

let home = '';
let chain: FakeChain;
let metrics: WatchMetrics;
const log: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'watch-'));
  log.length = 0;
  chain = new FakeChain(documents);
  metrics = new WatchMetrics();
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function watcherOf(publishers: Readonly<Record<string, Publisher>>): Watcher {
  const note = (_: unknown, message: string): void => void log.push(message);
  const nobody = memoryPublisher({});
  return new Watcher(
    {
      chain,
      publishers: (endpoint) => publishers[endpoint] ?? nobody,
      ticks: noTicks,
      cache: new TextCache(home),
      cards: new CardCache(home),
      logger: { info: note, warn: note, error: note },
      metrics,
    },
    PATIENT,
  );
}

function submit(id: bigint, cardId: bigint, { claim: statement }: ServedClaim, rest: Partial<Claim> = {}) {
  const claim = Claim.create({ ...rest, influence: { cardId, statement: encodeClaim(statement) } });
  chain.claims.push({ id, claimant: 'open1claimant', claim, shards: [] });
}

test('a right card and a true claim are left alone, wrong ones are convicted', async () => {
  chain.influence.publish(head.card, 'a');
  chain.influence.publish(wrong, 'a');
  submit(1n, 1n, head.claim);
  submit(2n, 1n, wrongClaim(head.claim));
  const watcher = watcherOf({ a: memoryPublisher({ cards: [head.card, wrong] }) });
  await look(watcher);
  await look(watcher);
  expect(chain.sent).toEqual([
    ['convict card', 2n],
    ['dispute influence', 2n],
  ]);
  expect(log).toEqual([
    'model card 1 is right',
    'model card 2 is wrong (bound) and is convicted',
    'claim 1 is true about influence',
    'claim 2 is false and is refuted: influence, rule listed-group',
  ]);
  const text = await metrics.registry.metrics();
  expect(text).toContain('attest_watch_cards_total{verdict="wrong"} 1');
  expect(text).toContain('attest_watch_claims_total{verdict="right"} 1');
});

test('a card that was found right is known after a restart, and claims on it are judged without its publisher', async () => {
  chain.influence.publish(head.card, 'a');
  await look(watcherOf({ a: memoryPublisher({ cards: [head.card] }) }));
  submit(1n, 1n, wrongClaim(head.claim));
  await look(watcherOf({}));
  expect(chain.sent).toEqual([['dispute influence', 1n]]);
});

test('a claim waits for its card; what it says of texts is judged meanwhile', async () => {
  chain.influence.publish(head.card, 'a');
  submit(1n, 1n, head.claim, { token: TokenProvenance.create({ indexIds: [1n] }) });
  await look(watcherOf({}));
  const ofClaim = (): readonly string[] => log.filter((line) => line.startsWith('claim 1'));
  expect(ofClaim()).toEqual([expect.stringContaining('claim 1 states nothing false')]);
  log.length = 0;
  const watcher = watcherOf({ a: memoryPublisher({ cards: [head.card] }) });
  for (let round = 0; round < 2; round++) await look(watcher);
  expect(ofClaim()).toEqual([
    expect.stringContaining('claim 1 states nothing false'),
    'claim 1 is true about influence',
  ]);
});

test('what nobody serves is demanded, runs of leaves at a time, and convicts when it is shown', async () => {
  const cases: readonly (readonly [ServedCard, ServedClaim])[] = [
    [wrong, head.claim],
    [head.card, wrongClaim(head.claim)],
  ];
  for (const [card, claim] of cases) {
    chain = new FakeChain(documents);
    chain.influence.publish(card, 'nowhere');
    submit(1n, 1n, claim);
    for (let round = 0; round < 40 && !chain.sent.some(([kind]) => kind !== 'demand leaf'); round++) {
      // A new one each time: it may be killed between two rounds.
      const before = chain.sent.length;
      await look(watcherOf({}));
      // One transaction for all leaves, or a verdict after it on the card and one on the claim.
      expect(chain.sent.length - before).toBeLessThanOrEqual(2);
      for (const kind of ['card', 'claim'] as const) {
        const open = chain.influence.demands(kind, 1n).filter(({ answer }) => answer === undefined);
        expect(open.length).toBeLessThanOrEqual(4);
      }
      chain.influence.answer('card', 1n, card);
      chain.influence.answer('claim', 1n, claim);
    }
    expect(chain.sent.at(-1)).toEqual([card === wrong ? 'convict card' : 'dispute influence', 1n]);
  }
  expect(log).toContain(
    'model card 1 cannot be judged: leaves of its weights are not served, or are not those that it commits to',
  );
  expect(log).toContain('the run from leaf 0 of the weights of card 1 is demanded on the chain');
});
