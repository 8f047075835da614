/** Requests for pieces: what they cost, how long they can be made, and what is lost when nobody answers. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { INFLUENCE_TREES } from '../../modules/attribution/proof/influence/trees.ts';
import { openPiece } from '../../attest/influence/open-piece.ts';
import type { OpenLedgerApp } from '../../app/app.ts';
import { shardInMemory } from '../../attest/prove/memory.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { moduleAddress } from '../../framework/address.ts';
import { JsonReader } from '../../framework/json.ts';
import type { AttributionErrorName } from '../../modules/attribution/errors.ts';
import { SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { openingHashes } from '../../modules/attribution/proof/tree.ts';
import { Bank } from '../../modules/bank/keeper.ts';
import { Datanets } from '../../modules/datanet/keeper.ts';
import { openSection, provableContent, proveRange } from '../../modules/attribution/verify.ts';
import { ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { Admission, ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { MsgUpdateAllowList } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import {
  bondsHeld,
  emptyBlocks,
  poolHeld,
  publishIndexOk,
  shardOf,
  sourcesOf,
  standingOfIndex,
} from '../support/attribution-world.ts';
import { contribute, createDatanet, deliverOk, publishSnapshot } from '../support/economic-loop.ts';
import { startFrom } from '../support/restore.ts';
import { anyOf, TestChain } from '../support/test-chain.ts';
import {
  FEE,
  head,
  NOTHING,
  EMPTY_CLAIM,
  loop,
  begin,
  LONG,
  coin,
  sectionAt,
  leafAt,
  type Asking,
  asking,
  askOk,
  serving,
  expectRefused,
  expectWhole,
  pieceOf,
  publishCard,
  submit,
  influenceClaim,
  standingOfCard,
  blocksTo,
} from '../support/request-world.ts';

const { OBJECT_STATE_VOIDED: VOIDED } = ObjectState;
const { weights, examples, residuals, sums, coordinates, groups, effects } = INFLUENCE_TREES;

/** The chain gone on from its export, with other parameters as version 2. */
function laterApp(change: Readonly<Record<string, number>>): OpenLedgerApp {
  const exported = loop.chain.app.exportState();
  const section = new JsonReader(exported.appState, '').member('attribution').object();
  const params = new JsonReader(section, '').member('params').object();
  const attribution = { ...section, params_version: '2', params: { ...params, ...change } };
  return startFrom(loop.chain, { ...exported, appState: { ...exported.appState, attribution } });
}

/** One block with these transactions, all of which are taken. */
function blockOf(app: OpenLedgerApp, ...txs: readonly Uint8Array[]): void {
  const { txResults } = app.finalizeBlock({
    ...{ txs, decidedLastCommit: { round: 0, votes: [] }, misbehavior: [], hash: new Uint8Array(32) },
    ...{ height: app.height + 1n, time: { seconds: 1_800_000_001n, nanos: 0 } },
    ...{ nextValidatorsHash: new Uint8Array(32), proposerAddress: new Uint8Array(20) },
  });
  app.commit();
  expect(txResults.map(({ log }) => log)).toEqual(txs.map(() => ''));
}

/** Objects of a list of the exported state. */
function listed(app: OpenLedgerApp, name: string): readonly Readonly<Record<string, unknown>>[] {
  const section = new JsonReader(app.exportState().appState, '').member('attribution');
  return section
    .member(name)
    .elements()
    .map((one) => one.object());
}

beforeEach(() => begin());
afterEach(() => void vi.restoreAllMocks());

test('who asks himself loses most of the bond, and more with each request that is open', () => {
  begin({ ...LONG, shardRequestsMax: 3, accountRequestsMax: 8 });
  const { chain, attestor, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const before = chain.balance(attestor.address);
  const pool = poolHeld(loop);
  const places = [sectionAt(0), sectionAt(0, 1), leafAt(SHARD_TREES.inverse, 2)] as const;
  const own = askOk(attestor, { shardId: 1n, place: places[0] });
  // The same piece is asked for once, by whomever: the answer is public.
  const same = asking(challenger, { shardId: 1n, place: sectionAt(0), bond: coin(1000) });
  expect(expectRefused(challenger, same, 'already-requested')).toContain(`request ${own.requestId} `);
  for (const [i, bond] of [199, 200, 299, 300].entries()) {
    const message = asking(attestor, {
      shardId: 1n,
      place: places[1 + Math.floor(i / 2)] ?? places[0],
      bond: coin(bond),
    });
    if (i % 2 === 0) expectRefused(attestor, message, 'wrong-bond');
    else deliverOk(chain, attestor, message);
  }
  const fourth = asking(challenger, { shardId: 1n, place: leafAt(SHARD_TREES.text), bond: coin(10_000) });
  expectRefused(challenger, fourth, 'too-many-requests');
  for (const [i, place] of places.entries())
    deliverOk(chain, attestor, serving(attestor, BigInt(1 + i), pieceOf(place)));
  expect(chain.balance(attestor.address)).toBe(before - 8n * FEE - 600n + 60n);
  expect(poolHeld(loop)).toBe(pool + 540n);
  // Answered, it may be asked for again.
  askOk(challenger, { shardId: 1n, place: sectionAt(0) });
  expectWhole();
});

test('a content is shown in sections of 64 chunks, the last one shorter, whole and under its root', () => {
  begin({ ...LONG, accountRequestsMax: 8 });
  const { chain, owner, first, attestor, challenger } = loop;
  const admission = Admission.ADMISSION_ALLOW_LIST;
  deliverOk(chain, owner, createDatanet(owner, { slug: 'long', admission }));
  const allow = { owner: owner.address, datanetId: 2n, add: [first.address], remove: [] };
  deliverOk(chain, owner, anyOf(MsgUpdateAllowList, allow));
  const text = Uint8Array.from({ length: 2 * 16_384 + 300 }, (_, i) => (i * 31 + (i >> 8)) % 256);
  deliverOk(chain, first, contribute(first, provableContent(text), { datanetId: 2n }));
  deliverOk(chain, owner, publishSnapshot(owner, 2n));
  const { commitment } = shardOf(loop);
  const shard = { ...commitment, datanetId: 2n, documents: 1 };
  publishIndexOk(loop, attestor, [shard], { snapshotId: 2n });
  const none = asking(challenger, { shardId: 1n, place: sectionAt(3) });
  expect(expectRefused(challenger, none, 'malformed-request')).toContain('there are 3 pieces');
  const sections = [0, 1, 2].map((i) => openSection(text, i) ?? { content: text, hashes: [] });
  expect(sections.map(({ content }) => content.length)).toEqual([16_384, 16_384, 300]);
  for (const [i, section] of sections.entries()) {
    const { requestId } = askOk(challenger, { shardId: 1n, place: sectionAt(i) });
    const { content, hashes } = section;
    const chunk = proveRange(provableContent(text), 16_384 * i, 256);
    const wrong: readonly Partial<wire.MsgServeChunk>[] = [
      { content: chunk.chunks[0] ?? content, hashes: chunk.hashes },
      { content: content.map((byte, at) => (at === 256 ? byte ^ 1 : byte)), hashes },
      { content: content.subarray(1), hashes },
      { content, hashes: hashes.slice(1) },
      { content, hashes: [...hashes, NOTHING] },
      { content, hashes: hashes.map((hash) => hash.subarray(1)) },
      { content: new Uint8Array(0), hashes },
      { content, hashes, leaves: [content] },
      sections[(i + 1) % 3] ?? {},
    ];
    for (const piece of wrong) expectRefused(attestor, serving(attestor, requestId, piece), 'wrong-chunk');
    deliverOk(chain, attestor, serving(attestor, requestId, section));
  }
  expectWhole();
});

test('a retired shard can be asked about until its bond is given back, which waits for the answer', () => {
  const { chain, attestor, challenger } = loop;
  const commitment = shardOf(loop).commitment;
  for (const _ of [1, 2]) publishIndexOk(loop, attestor, [commitment]);
  const releases = [1n, 2n].map((indexId) => {
    deliverOk(chain, attestor, anyOf(wire.MsgRetireIndex, { sender: attestor.address, indexId }));
    return chain.height + 6n;
  });
  blocksTo((releases[0] ?? 0n) - 2n);
  const answered = askOk(challenger, { shardId: 1n, place: sectionAt(0) });
  const unanswered = askOk(challenger, { shardId: 2n, place: sectionAt(0) });
  expect(chain.height).toBe(releases[0]);
  expectRefused(
    challenger,
    asking(challenger, { shardId: 1n, place: sectionAt(0, 1), bond: coin(200) }),
    'not-usable',
  );
  expect([chain.height > (releases[1] ?? 0n) - 1n, bondsHeld(loop)]).toEqual([true, 2200n]);
  expectWhole();
  const before = chain.balance(challenger.address);
  deliverOk(chain, attestor, serving(attestor, answered.requestId, pieceOf(sectionAt(0))));
  expect(bondsHeld(loop)).toBe(1100n);
  blocksTo(unanswered.deadline);
  expect(bondsHeld(loop)).toBe(0n);
  expect(chain.balance(challenger.address)).toBe(before + 100n + 500n);
  expectWhole();
});

test('from the height of release on nothing more can be asked, in that block too', () => {
  const { chain, attestor, seller, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const cardId = publishCard(head.card.card);
  const retire = anyOf(wire.MsgRetireModelCard, { sender: seller.address, cardId });
  deliverOk(chain, attestor, anyOf(wire.MsgRetireIndex, { sender: attestor.address, indexId: 1n }));
  deliverOk(chain, seller, retire);
  const releaseOfShard = chain.height + 5n;
  blocksTo(releaseOfShard - 2n);
  askOk(challenger, { shardId: 1n, place: sectionAt(0) });
  const bond = coin(200);
  const again = asking(challenger, { shardId: 1n, place: sectionAt(0, 1), bond });
  expect(expectRefused(challenger, again, 'not-usable')).toContain(
    `given back from height ${chain.height} on`,
  );
  const ofCard = asking(challenger, { cardId, place: leafAt(groups) });
  expect(expectRefused(challenger, ofCard, 'not-usable')).toContain(
    `given back from height ${chain.height} on`,
  );
  expect(chain.height).toBe(releaseOfShard + 1n);
  expectWhole();
});

test('a card with roots of nothing is voided by one demand, whichever tree is asked for', () => {
  const { chain, challenger } = loop;
  const { card } = head.card;
  for (const tree of [weights, examples, residuals, sums, coordinates, groups]) {
    const roots = { ...card.roots };
    const nothing = {
      weights: NOTHING,
      examples: NOTHING,
      residuals: NOTHING,
      sums: NOTHING,
      groups: NOTHING,
    };
    const cardId = publishCard({
      ...card,
      roots: tree === weights ? { ...roots, weights: NOTHING } : nothing,
    });
    const before = chain.balance(challenger.address);
    const { requestId, deadline } = askOk(challenger, { cardId, place: leafAt(tree) });
    const piece = openPiece(head.card, leafAt(tree));
    expectRefused(loop.seller, serving(loop.seller, requestId, piece), 'wrong-chunk');
    blocksTo(deadline - 1n);
    expect(standingOfCard(cardId)).not.toBe(VOIDED);
    expectWhole();
    blocksTo(deadline);
    expect(standingOfCard(cardId)).toBe(VOIDED);
    expect(chain.balance(challenger.address)).toBe(before - FEE + 500n);
    expectRefused(challenger, asking(challenger, { cardId, place: leafAt(tree) }), 'not-usable');
  }
  expectWhole();
});

test('the bond of a card waits for its requests too; a card that is asked about while it unbonds can be lost', () => {
  const { chain, seller, challenger } = loop;
  const [lost, kept] = [publishCard(head.card.card), publishCard(head.card.card)];
  const retire = (cardId: bigint): Any => anyOf(wire.MsgRetireModelCard, { sender: seller.address, cardId });
  deliverOk(chain, seller, retire(lost), retire(kept));
  const release = chain.height + 6n;
  blocksTo(release - 3n);
  const { deadline } = askOk(challenger, { cardId: lost, place: leafAt(groups) });
  const { requestId } = askOk(challenger, { cardId: kept, place: leafAt(groups) });
  blocksTo(release);
  expect(bondsHeld(loop)).toBe(2200n);
  deliverOk(chain, seller, serving(seller, requestId, openPiece(head.card, leafAt(groups))));
  expect(bondsHeld(loop)).toBe(1100n);
  const before = chain.balance(challenger.address);
  expectRefused(challenger, asking(challenger, { cardId: lost, place: leafAt(groups, 1) }), 'not-usable');
  expect(chain.height).toBe(deadline);
  expect([bondsHeld(loop), chain.balance(challenger.address) - before]).toEqual([0n, 600n - FEE]);
  expectWhole();
});

test('a request names one object, a tree of it, a piece that there is, and a claim as it was submitted', () => {
  begin(LONG);
  const { attestor, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const cardId = publishCard(head.card.card);
  emptyBlocks(loop, LONG.challengeBlocks);
  const claim = influenceClaim(cardId);
  const claimId = submit(claim);
  const other = influenceClaim(cardId, EMPTY_CLAIM);
  const place = leafAt(effects);
  const refused: readonly (readonly [AttributionErrorName, Asking])[] = [
    ['malformed-request', { place: sectionAt(0) }],
    ['malformed-request', { shardId: 1n, cardId, place: sectionAt(0) }],
    ['malformed-request', { shardId: 1n, place: leafAt(weights) }],
    ['malformed-request', { shardId: 1n, place: sectionAt(0), claim }],
    ['malformed-request', { cardId, place: leafAt(1) }],
    ['malformed-request', { cardId, place: leafAt(effects) }],
    ['malformed-request', { cardId, place: leafAt(weights, 2) }],
    ['malformed-request', { cardId, place: leafAt(weights, 0, 1) }],
    ['malformed-request', { cardId, place: leafAt(coordinates, 0, 3) }],
    ['malformed-request', { cardId, place: leafAt(coordinates, 1) }],
    ['malformed-request', { claimId, place }],
    ['malformed-request', { claimId, claim, place: leafAt(groups) }],
    ['malformed-request', { claimId, claim, place: leafAt(effects, 12) }],
    ['other-claim', { claimId, claim: other, place }],
    ['unknown-claim', { claimId: 9n, claim, place }],
    ['unknown-card', { cardId: 9n, place: leafAt(weights) }],
    ['wrong-bond', { claimId, claim, place, bond: coin(99) }],
  ];
  for (const [name, change] of refused) expectRefused(challenger, asking(challenger, change), name);
  askOk(challenger, { claimId, claim, place });
  expectWhole();
});

test('of a document that is a tombstone the leaf is the answer, while its contribution is not accepted', () => {
  begin(LONG);
  const { chain, attestor, challenger } = loop;
  const [first, second] = sourcesOf(loop, { from: 0, count: 2 });
  if (first === undefined || second === undefined) throw new RangeError('no documents');
  const shard = shardInMemory(naiveShard([{ ...first, content: undefined }, second]), { datanetId: 1n });
  publishIndexOk(loop, attestor, [shard.commitment]);
  const leaf = (document: number): Partial<wire.MsgServeChunk> => ({
    leaves: [shard.leaf('documents', document)],
    hashes: [openingHashes(2, [document], (level, index) => shard.node('documents', level, index))],
  });
  const ofFirst = askOk(challenger, { shardId: 1n, place: sectionAt(0, 0) });
  const ofSecond = askOk(challenger, { shardId: 1n, place: sectionAt(0, 1), bond: coin(200) });
  // Accepted: its text must be shown, whatever the shard says.
  expectRefused(attestor, serving(attestor, ofFirst.requestId, leaf(0)), 'wrong-chunk');
  const asked = Datanets.prototype.contributionAt;
  vi.spyOn(Datanets.prototype, 'contributionAt').mockImplementation(function (this: Datanets, ...where) {
    const found = asked.apply(this, where);
    return found && { ...found, state: ContributionState.CONTRIBUTION_STATE_SLASHED };
  });
  // A document of which the shard has the text is none.
  expectRefused(attestor, serving(attestor, ofSecond.requestId, leaf(1)), 'wrong-chunk');
  expectRefused(attestor, serving(attestor, ofFirst.requestId, leaf(1)), 'wrong-chunk');
  deliverOk(chain, attestor, serving(attestor, ofFirst.requestId, leaf(0)));
  expect(standingOfIndex(loop, 1n)).not.toBe(VOIDED);
});

test('what is lost and paid is by the parameters of the object, not by those of today', () => {
  const { chain, attestor, challenger } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const { requestId } = askOk(challenger, { shardId: 1n, place: sectionAt(0) });
  const { deadline } = askOk(challenger, { shardId: 1n, place: sectionAt(0, 1), bond: coin(200) });
  const before = [attestor, challenger].map(({ address }) => chain.balance(address));
  const answer = chain.sign(attestor, [serving(attestor, requestId, pieceOf(sectionAt(0)))], {
    gas: 3_000_000n,
  });
  const app = laterApp({ reward_bps: 9000, answer_bps: 5000, unbonding_blocks: 5 });
  const balances = (): readonly bigint[] => {
    const { addresses, bank } = app.composition;
    const context = app.contextAt(app.height);
    return [attestor, challenger].map(({ address }) =>
      bank.balance(context, addresses.toBytes(address), 'uopen'),
    );
  };
  for (let txs = [answer]; app.height < deadline; txs = []) blockOf(app, ...txs);
  const [ofAttestor = 0n, ofChallenger = 0n] = balances().map((now, i) => now - (before[i] ?? 0n));
  expect([ofAttestor, ofChallenger]).toEqual([10n - FEE, 200n + 500n]);
  expect(app.brokenInvariants()).toEqual([]);
});

test('a card and a claim are lost by the parameters that they were made under', () => {
  begin(LONG);
  const { challenger } = loop;
  const cardId = publishCard(head.card.card);
  emptyBlocks(loop, LONG.challengeBlocks);
  const claim = influenceClaim(cardId);
  const claimId = submit(claim);
  askOk(challenger, { claimId, claim, place: leafAt(effects) });
  const { deadline } = askOk(challenger, { cardId, place: leafAt(weights) });
  const before = loop.chain.balance(challenger.address);
  const app = laterApp({ reward_bps: 9000 });
  const gained = (): bigint => {
    const { addresses, bank } = app.composition;
    const now = bank.balance(app.contextAt(app.height), addresses.toBytes(challenger.address), 'uopen');
    return now - before;
  };
  while (app.height < deadline - 1n) blockOf(app);
  expect(gained()).toBe(100n + 100n);
  blockOf(app);
  expect(gained()).toBe(100n + 100n + 100n + 500n);
});

test('an answer has as many blocks as when its object was made, whatever the parameters are today', () => {
  begin(LONG);
  const { chain, attestor, challenger, seller } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const cardId = publishCard(head.card.card);
  emptyBlocks(loop, LONG.challengeBlocks);
  const claim = influenceClaim(cardId);
  const claimId = submit(claim);
  const sign = (...messages: Any[]): Uint8Array => chain.sign(challenger, messages, { gas: 9_000_000n });
  const asks = sign(
    asking(challenger, { shardId: 1n, place: sectionAt(0) }),
    asking(challenger, { cardId, place: leafAt(weights) }),
  );
  const ofClaim = chain.sign(seller, [asking(seller, { claimId, claim, place: leafAt(effects) })], {
    gas: 9_000_000n,
  });
  const app = laterApp({ request_blocks: 1, challenge_blocks: 2, claim_blocks: 2, unbonding_blocks: 2 });
  blockOf(app, asks, ofClaim);
  const askedAt = app.height;
  const deadlines = listed(app, 'requests').map(({ deadline }) => BigInt(`${deadline}`) - askedAt);
  expect(deadlines).toEqual([20n, 20n, 20n]);
  for (let i = 0; i < 19; i++) blockOf(app);
  const standing = (name: string): readonly unknown[] =>
    listed(app, name).map(({ voided_height: height }) => height);
  expect([standing('shards'), standing('cards')]).toEqual([['0'], ['0']]);
  blockOf(app);
  expect([standing('shards'), standing('cards')]).toEqual([[`${app.height}`], [`${app.height}`]]);
});

test('a genesis with two requests for one place, or counts that are wrong, is refused', () => {
  const { challenger, attestor } = loop;
  publishIndexOk(loop, attestor, [shardOf(loop).commitment]);
  const cardId = publishCard(head.card.card);
  askOk(challenger, { cardId, place: leafAt(weights) });
  askOk(challenger, { cardId, place: leafAt(groups, 1), bond: coin(200) });
  const { appState } = loop.chain.app.exportState();
  const section = new JsonReader(appState, '').member('attribution').object();
  const requests = new JsonReader(section, '')
    .member('requests')
    .elements()
    .map((one) => one.object());
  const cards = new JsonReader(section, '')
    .member('cards')
    .elements()
    .map((one) => one.object());
  const refuse = (change: Record<string, unknown>): void => {
    const attribution = JSON.parse(JSON.stringify({ ...section, ...change }));
    expect(() => new TestChain({ genesis: { sections: { attribution } } })).toThrow('app_state.attribution');
  };
  refuse({ requests: requests.map((one) => ({ ...one, place: requests[0]?.['place'] })) });
  refuse({ requests: requests.map((one) => ({ ...one, shard_id: '1' })) });
  refuse({ cards: cards.map((one) => ({ ...one, open_requests: 1 })) });
});

test('the account of the module holds the bonds and not a unit more', () => {
  const { chain, challenger } = loop;
  publishIndexOk(loop, loop.attestor, [shardOf(loop).commitment]);
  askOk(challenger, { shardId: 1n, place: sectionAt(0) });
  expect(chain.app.brokenInvariants()).toEqual([]);
  const account = chain.app.composition.addresses.toText(moduleAddress('attribution'));
  const given = chain.send(challenger, account, '1uopen');
  expect(chain.deliver(given).code).not.toBe(0);
  vi.spyOn(Bank.prototype, 'isBlocked').mockReturnValue(false);
  expect(chain.deliver(chain.send(challenger, account, '1uopen')).code).toBe(0);
  expect(chain.app.brokenInvariants().join()).toContain(
    'bonds are 1100uopen, the module account has 1101uopen',
  );
});
