/** More requests fall due at one height than one block lets expire. */
import { expect, test } from 'vitest';
import { concatBytes, uint64BigEndian } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { openLeaves, openRun, type PublishedEpoch } from '../../gateway/epochs/published.ts';
import { buildSumTree } from '../../gateway/epochs/sum-tree.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { BOND, SettlementWorld } from '../../test/support/settlement-world.ts';
import { anyOf, type TestAccount } from '../../test/support/test-chain.ts';
import { EXPIRED_PER_BLOCK_MAX } from './end-block.ts';
import { settlementErrors as errors } from './errors.ts';
import { RECEIPTS } from './proof/kinds.ts';
import { encodeReceipt, RECEIPT_BYTES } from './proof/leaves.ts';
import { settlementState } from './state.ts';

const STATE = settlementState();
/** Costs of a call of model 1. */
const CALL = 1_260n;
const REWARD = BOND / 2n;
const GAS = 100_000_000n;

/** An epoch of so many calls, each with an attribution of its own, which nobody has. */
function epochOfPieces(world: SettlementWorld): PublishedEpoch {
  const leaves = world
    .receipts()
    .map((receipt, i) => encodeReceipt({ ...receipt, attribution: sha256(uint64BigEndian(BigInt(i))) }));
  const packed = { bytes: concatBytes(...leaves), width: RECEIPT_BYTES, count: leaves.length };
  const receipts = buildSumTree(RECEIPTS, packed);
  const epoch = world.published();
  return { ...epoch, receipts, commitment: { ...epoch.commitment, receipts: receipts.tree } };
}

interface Due {
  readonly world: SettlementWorld;
  /** Epoch 2. */
  readonly second: PublishedEpoch;
  /** Of the requests about epoch 1, and the first about epoch 2. */
  readonly deadline: bigint;
}

/**
 * Epoch 1, about which the watcher has asked for so many pieces, and epoch 2, about which the payer has asked
 * once, all in one block and all unanswered.
 */
function manyDue(pieces: number, requestBlocks: number): Due {
  const limits = { epochRequestsMax: 1_000, accountRequestsMax: 1_000 };
  const world = new SettlementWorld({ ...limits, requestBlocks, requestBond: 1n });
  const { chain, watcher, loop } = world;
  world.register();
  const first = BigInt(pieces) * CALL;
  world.claim([0, first]);
  const epoch = epochOfPieces(world);
  world.settle(epoch);
  world.claim([0, first + CALL]);
  const second = world.published();
  world.settle(second);
  chain.block();
  const asks = Array.from({ length: pieces }, (_, index) =>
    request(watcher, {
      tree: EpochTree.EPOCH_TREE_UNSPECIFIED,
      index,
      receipt: openLeaves(epoch.receipts, [index]),
      bond: { denom: 'uopen', amount: `${index + 1}` },
    }),
  );
  const sign = (signer: TestAccount, messages: readonly Any[]) =>
    chain.sign(signer, messages, { gas: GAS, fee: '' });
  const asked = chain.block(sign(watcher, asks), sign(loop.payer, [request(loop.payer, { epochId: 2n })]));
  expect(asked.txResults.map(({ log }) => log)).toEqual(['', '']);
  return { world, second, deadline: chain.height + BigInt(requestBlocks) };
}

function request({ address: requester }: TestAccount, change: Partial<wire.MsgRequestEpochPiece>): Any {
  const bond = { denom: 'uopen', amount: '1' };
  const message = { requester, epochId: 1n, tree: EpochTree.EPOCH_TREE_RECEIPTS, index: 0, bond };
  return anyOf(wire.MsgRequestEpochPiece, wire.MsgRequestEpochPiece.create({ ...message, ...change }));
}

function openRequests({ chain }: SettlementWorld): readonly bigint[] {
  return [...STATE.requests.iterate(chain.app.contextAt(chain.app.height))].map(([id]) => id);
}

function blocksTo({ chain }: SettlementWorld, height: bigint): void {
  while (chain.height < height) chain.block();
}

test('who fell due first is convicted for first, a block later; nobody answers after his deadline', () => {
  const { world, second, deadline } = manyDue(EXPIRED_PER_BLOCK_MAX, 3);
  const { chain, watcher, loop, gateway } = world;
  const last = BigInt(EXPIRED_PER_BLOCK_MAX) + 1n;
  // The watcher asks a block later, for another piece: due a block later, when both are dealt with.
  const tree = EpochTree.EPOCH_TREE_ALLOCATIONS;
  const bond = { denom: 'uopen', amount: '2' };
  world.sendOk(watcher, request(watcher, { epochId: 2n, tree, bond }));
  blocksTo(world, deadline - 1n);
  const [payer, watching] = [chain.balance(loop.payer.address), chain.balance(watcher.address)];
  expect(openRequests(world)).toHaveLength(EXPIRED_PER_BLOCK_MAX + 2);
  chain.block();
  // One hundred: epoch 1 is gone, all bonds about it are back, one reward is paid.
  expect(openRequests(world)).toEqual([last, last + 1n]);
  expect(world.epoch(1n)).toBeUndefined();
  expect(world.epoch(2n)).toMatchObject({ state: EpochState.EPOCH_STATE_PENDING, openRequests: 2 });
  const bonds = (BigInt(EXPIRED_PER_BLOCK_MAX) * last) / 2n;
  expect(chain.balance(watcher.address)).toBe(watching + bonds + REWARD);
  world.sound();
  const opening = openRun(second.receipts, { first: 0, end: second.receipts.tree.leaves });
  const answer = wire.MsgServeEpochPiece.create({ sender: gateway.address, requestId: last, opening });
  // In the block in which it expires, before it does.
  world.refused(gateway, anyOf(wire.MsgServeEpochPiece, answer), errors['request-closed']);
  expect(openRequests(world)).toEqual([]);
  expect(world.epoch(2n)).toBeUndefined();
  expect(chain.balance(loop.payer.address)).toBe(payer + 1n + REWARD);
  expect(chain.balance(watcher.address)).toBe(watching + bonds + REWARD + 2n);
  world.sound();
});

test('an epoch is not paid while a request about it that fell due waits to expire', () => {
  // Due in the next block, so that the window ends in the one after that.
  const { world, deadline } = manyDue(2 * EXPIRED_PER_BLOCK_MAX, 1);
  const { chain } = world;
  blocksTo(world, deadline + 1n);
  const left = world.epoch(2n);
  expect(left?.finalHeight).toBeLessThanOrEqual(chain.height);
  expect(left).toMatchObject({ state: EpochState.EPOCH_STATE_PENDING, openRequests: 1, paidRows: 0 });
  expect(world.round(2n)?.claimed).toBe(`${CALL}`);
  expect(openRequests(world)).toEqual([BigInt(2 * EXPIRED_PER_BLOCK_MAX) + 1n]);
  world.sound();
  chain.block();
  expect(world.epoch(2n)).toBeUndefined();
  expect(world.round(2n)).toMatchObject({ claimed: `${CALL}`, epochId: 0n });
  world.sound();
  world.settle(world.published());
  world.waitWindow();
  world.sound();
});
