/** Model cards on chain, and claims of influence by them. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openLeaves } from '../../attest/influence/published.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { attributionErrors, type AttributionErrorName } from '../../modules/attribution/errors.ts';
import { cardId, encodeCard, type InfluenceCard } from '../../modules/attribution/proof/influence/card.ts';
import { encodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { encodeCardFraud } from '../../modules/attribution/proof/influence/fraud.ts';
import { openAnswer } from '../../modules/attribution/verify.ts';
import { Datanets } from '../../modules/datanet/keeper.ts';
import { Claim, ClaimState, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type Contribution, ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import * as query from '../../proto/gen/openledger/attribution/v1/query.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { AttributionMethod } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgPayInference } from '../../proto/gen/openledger/payments/v1/tx.ts';
import {
  type AttributionLoop,
  ask,
  attributionLoop,
  bondsHeld,
  emptyBlocks,
  responseOf,
  SHORT,
} from '../support/attribution-world.ts';
import { deliver, deliverOk, registerModel } from '../support/economic-loop.ts';
import {
  cardFraud,
  claimFraud,
  type SmallHead,
  smallHead,
  wrongCard,
  wrongClaim,
} from '../support/head-world.ts';
import { restoreChain } from '../support/restore.ts';
import { creditedTo, wealthOf } from '../support/earnings.ts';
import { anyOf, type TestAccount } from '../support/test-chain.ts';

const IDS = [1n, 2n];
const BOND = { denom: 'uopen', amount: '1000' };
const CLAIM_BOND = { denom: 'uopen', amount: '200' };
const ANSWER = openAnswer(utf8('class 1'));
const head: SmallHead = smallHead({ datanetId: 1n, snapshotCount: 2n, contributionIds: IDS });

let loop: AttributionLoop;

afterEach(() => void vi.restoreAllMocks());

beforeEach(() => {
  loop = attributionLoop();
  const attributionPolicy = { tokenBps: 0, influenceBps: 10_000, retrievalBps: 0, bondedClaimsOnly: false };
  const attributionMethod = AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  deliverOk(loop.chain, loop.seller, registerModel(loop.seller, { attributionMethod, attributionPolicy }));
});

function publication(
  publisher: TestAccount,
  card: InfluenceCard,
  change: Partial<wire.MsgPublishModelCard> = {},
): Any {
  const message = {
    publisher: publisher.address,
    modelId: 2n,
    card: encodeCard(card),
    bond: BOND,
    endpoint: 'http://127.0.0.1:8790',
    ...change,
  };
  return anyOf(wire.MsgPublishModelCard, message);
}

function retire(sender: TestAccount, cardId: bigint): Any {
  return anyOf(wire.MsgRetireModelCard, { sender: sender.address, cardId });
}

function convict(cardId: bigint, proof: Uint8Array | undefined): Any {
  const { address: challenger } = loop.challenger;
  return anyOf(wire.MsgConvictModelCard, { challenger, cardId, proof: proof ?? new Uint8Array(1) });
}

function influenceClaim(cardId: bigint, served = head.claim): Claim {
  return Claim.create({ influence: { cardId, statement: encodeClaim(served.claim) } });
}

function submission(claim: Claim, bond: wire.MsgSubmitClaim['bond'] = CLAIM_BOND, modelId = 2n): Any {
  const { address: claimant } = loop.attestor;
  const { address: payer } = loop.payer;
  const requestHash = hashOf(claim);
  return anyOf(wire.MsgSubmitClaim, {
    ...{ claimant, modelId, answer: ANSWER, claim, bond },
    ...{ payer, requestHash },
  });
}

function submit(claim: Claim): bigint {
  return responseOf(wire.MsgSubmitClaimResponse, deliverOk(loop.chain, loop.attestor, submission(claim)))
    .claimId;
}

/** Each claim answers a request of its own. */
const hashOf = (claim: Claim): Uint8Array => sha256(Claim.encode(claim));

function pay(claimId: bigint, claim: Claim): Any {
  const { address: payer } = loop.payer;
  const maxFee = { denom: 'uopen', amount: '100000' };
  const requestHash = hashOf(claim);
  const message = {
    payer,
    modelId: 2n,
    requestHash,
    tokensIn: 20n,
    tokensOut: 77n,
    answer: ANSWER,
    maxFee,
    claimId,
  };
  return anyOf(MsgPayInference, MsgPayInference.create(message));
}

function dispute(claimId: bigint, claim: Claim, influence: Uint8Array | undefined): Any {
  const { address: challenger } = loop.challenger;
  const proof = influence ?? new Uint8Array(1);
  const message = { challenger, claimId, claim, influence: proof };
  return anyOf(wire.MsgDisputeClaim, wire.MsgDisputeClaim.create(message));
}

function standing(cardId: bigint): ObjectState {
  const types = { request: query.QueryModelCardRequest, response: query.QueryModelCardResponse };
  return ask(loop, 'ModelCard', types, { cardId }).card.state;
}

function listed(): readonly bigint[] {
  const types = { request: query.QueryModelCardsRequest, response: query.QueryModelCardsResponse };
  return ask(loop, 'ModelCards', types, { pagination: undefined }).cards.map(({ card }) => card.id);
}

function stateOf(claimId: bigint): ClaimState {
  const types = { request: query.QueryClaimRequest, response: query.QueryClaimResponse };
  return ask(loop, 'Claim', types, { claimId }).claim.state;
}

function expectRefused(signer: TestAccount, message: Any, name: AttributionErrorName): void {
  const { codespace, code, log } = deliver(loop.chain, signer, message);
  expect([codespace, code], log).toEqual(['attribution', attributionErrors[name].code]);
}

function expectWhole(): void {
  expect(loop.chain.app.brokenInvariants()).toEqual([]);
}

test('a card is published by the owner of its model, about one of its snapshots', () => {
  const { seller, attestor } = loop;
  const { card } = head.card;
  expectRefused(attestor, publication(attestor, card), 'not-owner');
  expectRefused(seller, publication(seller, card, { modelId: 9n }), 'unknown-model');
  expectRefused(seller, publication(seller, card, { bond: CLAIM_BOND }), 'wrong-bond');
  expectRefused(seller, publication(seller, card, { card: new Uint8Array(300) }), 'malformed-card');
  expectRefused(seller, publication(seller, { ...card, snapshotCount: 3n }), 'malformed-card');
  expectRefused(seller, publication(seller, card, { endpoint: ' ' }), 'malformed-card');
  // 400 bytes in 200 characters.
  expectRefused(seller, publication(seller, card, { endpoint: 'ü'.repeat(200) }), 'malformed-card');
  expect(listed()).toEqual([]);
  deliverOk(loop.chain, seller, publication(seller, card));
  expect(listed()).toEqual([1n]);
  expect([standing(1n), bondsHeld(loop)]).toEqual([ObjectState.OBJECT_STATE_PENDING, 1000n]);
  expectRefused(attestor, submission(influenceClaim(1n)), 'not-usable');
  emptyBlocks(loop, SHORT.challengeBlocks);
  expect(standing(1n)).toBe(ObjectState.OBJECT_STATE_ACTIVE);
  expectWhole();
  expectRefused(attestor, retire(attestor, 1n), 'not-owner');
  deliverOk(loop.chain, seller, retire(seller, 1n));
  expect(restoreChain(loop.chain).brokenInvariants()).toEqual([]);
  emptyBlocks(loop, 6);
  expect(bondsHeld(loop)).toBe(0n);
  expectRefused(seller, retire(seller, 1n), 'unknown-card');
  expectWhole();
});

test('a wrong card is convicted by one proof, a right one by none', () => {
  const { chain, seller, challenger } = loop;
  const wrong = wrongCard(head.card);
  const proof = cardFraud(wrong, IDS);
  expect([proof === undefined, cardFraud(head.card, IDS)]).toEqual([false, undefined]);
  deliverOk(chain, seller, publication(seller, wrong.card));
  deliverOk(chain, seller, publication(seller, head.card.card));
  expectRefused(challenger, convict(2n, proof), 'not-convicted');
  expectRefused(challenger, convict(1n, undefined), 'not-convicted');
  const before = chain.balance(challenger.address);
  deliverOk(chain, challenger, convict(1n, proof));
  expect(chain.balance(challenger.address)).toBe(before - 5000n + 500n);
  expect([standing(1n), bondsHeld(loop)]).toEqual([ObjectState.OBJECT_STATE_VOIDED, 1000n]);
  expectRefused(challenger, convict(1n, proof), 'not-usable');
  deliverOk(chain, challenger, retire(challenger, 1n));
  expectRefused(challenger, retire(challenger, 1n), 'unknown-card');
  expectWhole();
});

test('a card on what was accepted is no lie when that is withdrawn or slashed later', () => {
  const { chain, seller, challenger } = loop;
  deliverOk(chain, seller, publication(seller, head.card.card));
  const openings = [openLeaves(head.card.groups, [0])];
  const stranger = encodeCardFraud({ rule: 'stranger', index: 0, coordinate: 0, openings });
  const lookUp = Datanets.prototype.contribution;
  let now: Partial<Contribution> = {};
  vi.spyOn(Datanets.prototype, 'contribution').mockImplementation(function (this: Datanets, ...which) {
    const found = lookUp.apply(this, which);
    return found && { ...found, ...now };
  });
  const {
    CONTRIBUTION_STATE_PENDING: PENDING,
    CONTRIBUTION_STATE_REJECTED: REJECTED,
    CONTRIBUTION_STATE_SLASHED: SLASHED,
    CONTRIBUTION_STATE_WITHDRAWN: WITHDRAWN,
  } = ContributionState;
  for (const state of [WITHDRAWN, SLASHED]) {
    now = { state };
    expectRefused(challenger, convict(1n, stranger), 'not-convicted');
  }
  const never: readonly Partial<Contribution>[] = [
    ...[PENDING, REJECTED].map((state) => ({ state })),
    { state: WITHDRAWN, position: 2n },
    { state: WITHDRAWN, datanetId: 2n },
  ];
  for (const [i, state] of never.entries()) {
    now = state;
    if (i > 0) deliverOk(chain, seller, publication(seller, head.card.card));
    deliverOk(chain, challenger, convict(BigInt(i + 1), stranger));
  }
});

test('a convicted card goes by itself when its bond would have', () => {
  const { chain, seller, challenger } = loop;
  const wrong = wrongCard(head.card);
  deliverOk(chain, seller, publication(seller, wrong.card));
  deliverOk(chain, challenger, convict(1n, cardFraud(wrong, IDS)));
  emptyBlocks(loop, 5);
  expect(standing(1n)).toBe(ObjectState.OBJECT_STATE_VOIDED);
  expectWhole();
  expect(restoreChain(chain).brokenInvariants()).toEqual([]);
  emptyBlocks(loop, 1);
  expectRefused(challenger, retire(challenger, 1n), 'unknown-card');
  expectWhole();
});

test('influence is claimed with a bond; contributors are paid by the listed weights when the window is over', () => {
  const { chain, seller, attestor, first, second } = loop;
  deliverOk(chain, seller, publication(seller, head.card.card));
  emptyBlocks(loop, SHORT.challengeBlocks);
  expectRefused(
    attestor,
    anyOf(wire.MsgSubmitClaim, {
      ...{ claimant: attestor.address, modelId: 2n, answer: ANSWER },
      ...{ claim: influenceClaim(1n), bond: undefined },
      ...{ payer: loop.payer.address, requestHash: hashOf(influenceClaim(1n)) },
    }),
    'not-proved',
  );
  const other = smallHead({ datanetId: 1n, snapshotCount: 2n, contributionIds: [2n, 1n] });
  expectRefused(attestor, submission(influenceClaim(1n, other.claim)), 'malformed-claim');
  const listed = head.claim.claim.groups.reduce((sum, { weight }) => sum + weight, 0);
  const tooMuch = { ...head.claim, claim: { ...head.claim.claim, total: listed - 1 } };
  expectRefused(attestor, submission(influenceClaim(1n, tooMuch)), 'malformed-claim');
  const claimId = submit(influenceClaim(1n));
  deliverOk(chain, loop.payer, pay(claimId, influenceClaim(1n)));
  deliverOk(chain, seller, retire(seller, 1n));
  expectWhole();
  const before = [first, second].map(({ address }) => wealthOf(chain, address));
  emptyBlocks(loop, SHORT.claimBlocks - 2);
  const [a = 0n, b = 0n] = [first, second].map(
    ({ address }, i) => wealthOf(chain, address) - (before[i] ?? 0n),
  );
  expect(a + b).toBe(513n);
  expect(stateOf(claimId)).toBe(ClaimState.CLAIM_STATE_FINAL);
  expectWhole();
  emptyBlocks(loop, 7);
  expect(bondsHeld(loop)).toBe(0n);
});

test('a card pays for answers of its own model, and of no other', () => {
  const { chain, seller, attestor } = loop;
  // Model 3, of the same owner, on the same snapshot, with the same policy.
  const attributionPolicy = { tokenBps: 0, influenceBps: 10_000, retrievalBps: 0, bondedClaimsOnly: false };
  const attributionMethod = AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  deliverOk(chain, seller, registerModel(seller, { attributionMethod, attributionPolicy }));
  deliverOk(chain, seller, publication(seller, head.card.card));
  emptyBlocks(loop, SHORT.challengeBlocks);
  const claim = influenceClaim(1n);
  expectRefused(attestor, submission(claim, CLAIM_BOND, 3n), 'malformed-claim');
  deliverOk(chain, attestor, submission(claim));
});

test('weight that a claim does not list goes to the pools, not to those whom it lists', () => {
  const { chain, seller } = loop;
  const short = smallHead({ datanetId: 1n, snapshotCount: 2n, contributionIds: IDS, topGroups: 1 });
  deliverOk(chain, seller, publication(seller, short.card.card));
  emptyBlocks(loop, SHORT.challengeBlocks);
  const claim = influenceClaim(1n, short.claim);
  const claimId = submit(claim);
  deliverOk(chain, loop.payer, pay(claimId, claim));
  const { groups, total } = short.claim.claim;
  const [listed] = groups;
  expect([groups.length, total > (listed?.weight ?? total)]).toEqual([1, true]);
  const types = { request: query.QueryClaimRequest, response: query.QueryClaimResponse };
  const record = ask(loop, 'Claim', types, { claimId }).claim;
  const exact = (10n ** 16n * BigInt(listed?.weight ?? 0)) / BigInt(total);
  const weight = record.shares[0]?.weight ?? 0n;
  expect(weight === exact || weight === exact + 1n).toBe(true);
  expect(record.unattributedWeight).toBe(10n ** 16n - weight);
  emptyBlocks(loop, 4);
  const paid = creditedTo(chain, 1n, 0n) + creditedTo(chain, 1n, 1n);
  const due = (513n * weight) / 10n ** 16n;
  expect(paid === due || paid === due + 1n).toBe(true);
  expectWhole();
});

test('a false statement of influence is convicted; a card that is convicted takes its open claims with it', () => {
  const { chain, seller, challenger } = loop;
  const wrong = wrongCard(head.card);
  deliverOk(chain, seller, publication(seller, head.card.card));
  deliverOk(chain, seller, publication(seller, wrong.card));
  emptyBlocks(loop, SHORT.challengeBlocks);
  const lie = wrongClaim(head.claim);
  const claim = influenceClaim(1n, lie);
  const claimId = submit(claim);
  deliverOk(chain, loop.payer, pay(claimId, claim));
  const honest = submit(influenceClaim(1n));
  const proof = claimFraud(head.card, lie);
  expect(claimFraud(head.card, head.claim)).toBeUndefined();
  expectRefused(challenger, dispute(honest, influenceClaim(1n), proof), 'not-convicted');
  deliverOk(chain, challenger, dispute(claimId, claim, proof));
  expect(stateOf(claimId)).toBe(ClaimState.CLAIM_STATE_REFUTED);
  expectWhole();
  const onWrong = { ...head.claim, claim: { ...head.claim.claim, card: cardId(wrong.card) } };
  const resting = submit(influenceClaim(2n, onWrong));
  deliverOk(chain, loop.payer, pay(resting, influenceClaim(2n, onWrong)));
  deliverOk(chain, challenger, convict(2n, cardFraud(wrong, IDS)));
  deliverOk(chain, challenger, retire(challenger, 2n));
  expect(standing(2n)).toBe(ObjectState.OBJECT_STATE_VOIDED);
  expectWhole();
  emptyBlocks(loop, SHORT.challengeBlocks);
  expect(stateOf(resting)).toBe(ClaimState.CLAIM_STATE_VOIDED);
  expectRefused(challenger, retire(challenger, 2n), 'unknown-card');
  expectWhole();
});

/** The claim as if the base model had said a little else of class k. */
function otherOffset({ claim, ...served }: SmallHead['claim'], k: number): SmallHead['claim'] {
  const offsets = Array.from(claim.query.offsets, (offset, at) => (at === k ? offset + 1 : offset));
  return { ...served, claim: { ...claim, query: { ...claim.query, offsets } } };
}

test('an adapter is published, claimed by and paid as a head is; another offset of its query is convicted', () => {
  const { chain, seller, challenger, attestor } = loop;
  const adapter = smallHead({ datanetId: 1n, snapshotCount: 2n, contributionIds: IDS, kind: 'adapter' });
  const bytes = encodeCard(adapter.card.card);
  for (const form of [0, 1, 3])
    expectRefused(
      seller,
      publication(seller, adapter.card.card, { card: bytes.with(0, form) }),
      'malformed-card',
    );
  const wrong = wrongCard(adapter.card);
  deliverOk(chain, seller, publication(seller, adapter.card.card));
  deliverOk(chain, seller, publication(seller, wrong.card));
  expectRefused(challenger, convict(1n, cardFraud(wrong, IDS)), 'not-convicted');
  deliverOk(chain, challenger, convict(2n, cardFraud(wrong, IDS)));
  emptyBlocks(loop, SHORT.challengeBlocks);
  const { claim } = adapter.claim;
  const without = { ...adapter.claim, claim: { ...claim, query: { ...claim.query, offsets: [] } } };
  expectRefused(attestor, submission(influenceClaim(1n, without)), 'malformed-claim');
  const lie = otherOffset(adapter.claim, 1);
  const told = submit(influenceClaim(1n, lie));
  deliverOk(chain, loop.payer, pay(told, influenceClaim(1n, lie)));
  const honest = submit(influenceClaim(1n, adapter.claim));
  deliverOk(chain, loop.payer, pay(honest, influenceClaim(1n, adapter.claim)));
  expect(restoreChain(chain).brokenInvariants()).toEqual([]);
  const proof = claimFraud(adapter.card, lie);
  expect(claimFraud(adapter.card, adapter.claim)).toBeUndefined();
  expectRefused(challenger, dispute(honest, influenceClaim(1n, adapter.claim), proof), 'not-convicted');
  deliverOk(chain, challenger, dispute(told, influenceClaim(1n, lie), proof));
  expect(stateOf(told)).toBe(ClaimState.CLAIM_STATE_REFUTED);
  emptyBlocks(loop, SHORT.claimBlocks);
  expect(stateOf(honest)).toBe(ClaimState.CLAIM_STATE_FINAL);
  expectWhole();
});
