/** Requests about claims of influence: what they delay, and what is lost when nobody answers. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { INFLUENCE_TREES } from '../../modules/attribution/proof/influence/trees.ts';
import { openPiece } from '../../attest/influence/open-piece.ts';
import { ClaimState, ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { bondsHeld, emptyBlocks, SHORT } from '../support/attribution-world.ts';
import { deliverOk } from '../support/economic-loop.ts';
import {
  FEE,
  head,
  EMPTY_CLAIM,
  loop,
  begin,
  LONG,
  leafAt,
  asking,
  askOk,
  serving,
  expectRefused,
  expectWhole,
  publishCard,
  submit,
  influenceClaim,
  pay,
  standingOfCard,
  claimOf,
  blocksTo,
} from '../support/request-world.ts';

const { OBJECT_STATE_ACTIVE: ACTIVE } = ObjectState;
const { weights, examples, residuals, sums, coordinates, groups, solution, effects } = INFLUENCE_TREES;

beforeEach(() => begin());
afterEach(() => void vi.restoreAllMocks());

test('a claim with roots of nothing is refuted by one demand; its escrow goes to the pools', () => {
  const { chain, challenger } = loop;
  const cardId = publishCard(head.card.card);
  emptyBlocks(loop, SHORT.challengeBlocks);
  for (const tree of [solution, effects, sums, coordinates]) {
    const claim = influenceClaim(cardId, EMPTY_CLAIM);
    const claimId = submit(claim);
    if (tree === solution) pay(claimId);
    const before = chain.balance(challenger.address);
    blocksTo(claimOf(claimId).finalHeight - 1n);
    const { requestId, deadline } = askOk(challenger, { claimId, claim, place: leafAt(tree) });
    expectRefused(
      loop.attestor,
      serving(loop.attestor, requestId, openPiece(head.claim, leafAt(tree))),
      'wrong-chunk',
    );
    // It is not decided while the request is open.
    blocksTo(deadline - 1n);
    expect(claimOf(claimId)).toMatchObject({
      ...{ state: ClaimState.CLAIM_STATE_PENDING, openRequests: 1 },
      dueHeight: deadline + BigInt(SHORT.requestBlocks),
    });
    expectWhole();
    blocksTo(deadline);
    expect(chain.balance(challenger.address)).toBe(before - FEE + 100n);
    if (tree === solution) expect(claimOf(claimId).state).toBe(ClaimState.CLAIM_STATE_REFUTED);
    expect(bondsHeld(loop)).toBe(1000n);
    expectWhole();
  }
});

test('whoever has the leaves of a card and a claim answers each request, and loses neither', () => {
  begin({ ...LONG, accountRequestsMax: 20 });
  const { chain, attestor, seller, challenger } = loop;
  const cardId = publishCard(head.card.card);
  emptyBlocks(loop, LONG.challengeBlocks);
  const claim = influenceClaim(cardId);
  const claimId = submit(claim);
  pay(claimId);
  const before = chain.balance(attestor.address);
  for (const tree of [solution, effects, sums, coordinates]) {
    const place = tree === coordinates ? leafAt(tree, 0, 1) : leafAt(tree, 1);
    const { requestId } = askOk(challenger, { claimId, claim, place });
    const piece = openPiece(head.claim, place);
    expectRefused(
      seller,
      serving(seller, requestId, { ...piece, leaves: piece.leaves.map((leaf) => leaf.slice(1)) }),
      'wrong-chunk',
    );
    const other = tree === effects ? solution : effects;
    expectRefused(seller, serving(seller, requestId, openPiece(head.claim, leafAt(other))), 'wrong-chunk');
    expectRefused(seller, serving(seller, requestId, { ...piece, leaves: [] }), 'wrong-chunk');
    expectRefused(seller, serving(seller, requestId, { ...piece, content: Uint8Array.of(0) }), 'wrong-chunk');
    // Anybody may answer; who is paid is the claimant.
    deliverOk(chain, seller, serving(seller, requestId, piece));
  }
  expect(chain.balance(attestor.address)).toBe(before + 4n * 10n);
  for (const tree of [weights, examples, residuals, sums, coordinates, groups]) {
    const place = tree === coordinates ? leafAt(tree, 0, 1) : leafAt(tree, 1);
    const { requestId } = askOk(challenger, { cardId, place });
    const piece = openPiece(head.card, place);
    const without = serving(seller, requestId, { ...piece, node: new Uint8Array(33) });
    expectRefused(seller, without, 'wrong-chunk');
    deliverOk(chain, seller, serving(seller, requestId, piece));
  }
  expectWhole();
  blocksTo(claimOf(claimId).dueHeight);
  expect(claimOf(claimId).state).toBe(ClaimState.CLAIM_STATE_FINAL);
  expect([standingOfCard(cardId), bondsHeld(loop)]).toEqual([ACTIVE, 1000n]);
  expectWhole();
});

test('a claim is decided as long behind the deadline of a request as that had time, also when it is answered before', () => {
  const { chain, attestor, challenger } = loop;
  const cardId = publishCard(head.card.card);
  emptyBlocks(loop, SHORT.challengeBlocks);
  const claim = influenceClaim(cardId);
  const claimId = submit(claim);
  pay(claimId);
  blocksTo(claimOf(claimId).finalHeight - 1n);
  const place = leafAt(effects, 3);
  const { requestId, deadline } = askOk(challenger, { claimId, claim, place });
  const due = deadline + BigInt(SHORT.requestBlocks);
  deliverOk(chain, attestor, serving(attestor, requestId, openPiece(head.claim, place)));
  expect(claimOf(claimId).openRequests).toBe(0);
  // Whoever asked has as long to use the answer when it comes in the last block.
  blocksTo(due - 1n);
  expect(claimOf(claimId)).toMatchObject({ state: ClaimState.CLAIM_STATE_PENDING, dueHeight: due });
  expectWhole();
  blocksTo(due);
  expect(claimOf(claimId).state).toBe(ClaimState.CLAIM_STATE_FINAL);
  expectWhole();
});

test('questions lead on to questions behind the final height, and delay a claim by two windows and no more', () => {
  const { chain, attestor, challenger } = loop;
  const cardId = publishCard(head.card.card);
  emptyBlocks(loop, SHORT.challengeBlocks);
  const claim = influenceClaim(cardId);
  const claimId = submit(claim);
  pay(claimId);
  const { height, finalHeight } = claimOf(claimId);
  const last = finalHeight + 2n * (finalHeight - height);
  blocksTo(finalHeight - 1n);
  let asked = 0;
  while (chain.height < last - 1n) {
    const place = leafAt(effects, asked++);
    const { requestId, deadline } = askOk(challenger, { claimId, claim, place });
    blocksTo(deadline - 1n < last - 1n ? deadline - 1n : last - 1n);
    deliverOk(chain, attestor, serving(attestor, requestId, openPiece(head.claim, place)));
  }
  expect(asked).toBeGreaterThan(1);
  blocksTo(last);
  const another = asking(challenger, { claimId, claim, place: leafAt(effects, asked) });
  expectRefused(challenger, another, 'claim-closed');
  blocksTo(claimOf(claimId).dueHeight);
  expect(claimOf(claimId).state).toBe(ClaimState.CLAIM_STATE_FINAL);
  expectWhole();
});
