import { expect, test } from 'vitest';
import { EpochOpening, EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { ClaimRow, MsgInitiateWithdrawal } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { MsgRequestEpochPiece } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { answered, type GatewayProcess, GatewayWorld } from '../../test/support/gateway-world.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import type { SettlementChain } from './ports.ts';
import { Settler } from './settler.ts';
import { takeTurns, type Transactions } from './take-turns.ts';

const BOND = 20n;
const { EPOCH_TREE_RECEIPTS, EPOCH_TREE_ALLOCATIONS } = EpochTree;

/** A gateway with so many epochs, of one answer each; requests about them fall due after two blocks. */
async function withEpochs(epochs: number): Promise<GatewayWorld & { readonly process1: GatewayProcess }> {
  const gateway = await GatewayWorld.start(1, { requestBlocks: 2, requestBond: BOND, windowBlocks: 40 });
  const process1 = await gateway.process();
  await process1.settler.observe();
  for (let i = 0; i < epochs; i++) {
    answered(await gateway.buy(process1.desk, 0, `prompt ${i}`));
    await process1.settler.claim();
    await process1.settler.settle(1n);
  }
  return Object.assign(gateway, { process1 });
}

/** Asks for both trees of each of these, in one transaction. */
function ask({ world }: GatewayWorld, epochIds: readonly bigint[]): void {
  const request = (epochId: bigint, tree: EpochTree, bond: bigint) =>
    anyOf(MsgRequestEpochPiece, {
      ...{ requester: world.watcher.address, epochId, tree, index: 0 },
      receipt: EpochOpening.create(),
      bond: { denom: 'uopen', amount: `${bond}` },
    });
  const messages = epochIds.flatMap((id) => [
    request(id, EPOCH_TREE_RECEIPTS, BOND),
    request(id, EPOCH_TREE_ALLOCATIONS, 4n * BOND),
  ]);
  world.sendOk(world.watcher, messages, 20_000_000n);
}

/** The payer of the channel wants his money back. */
function withdraw({ world }: GatewayWorld): void {
  const message = { payer: world.loop.payer.address, channelId: world.channel };
  world.sendOk(world.loop.payer, anyOf(MsgInitiateWithdrawal, message));
}

test('requests about many epochs at once convict no gateway that answers', async () => {
  const gateway = await withEpochs(5);
  const { world } = gateway;
  const pending = [1n, 2n, 3n, 4n, 5n].filter(
    (id) => world.epoch(id)?.state === EpochState.EPOCH_STATE_PENDING,
  );
  expect(pending).toHaveLength(5);
  ask(gateway, pending);
  for (let i = 0; i < 4; i++) await gateway.process1.settler.round();
  world.waitWindow(60);
  expect(pending.map((id) => world.epoch(id)?.state)).toEqual(
    pending.map(() => EpochState.EPOCH_STATE_FINAL),
  );
  expect(gateway.sent.filter((what) => what === 'answers')).toHaveLength(1);
  expect(gateway.alarms).toEqual([]);
  world.sound();
});

test('answers and urgent claims are sent by turns, and neither ends the other by failing', async () => {
  for (const refused of [undefined, 'answers', 'claims'] as const) {
    const gateway = await withEpochs(1);
    const { world, process1 } = gateway;
    for (const lane of [1, 2, 3]) answered(await gateway.buy(process1.desk, lane, `lane ${lane}`));
    ask(gateway, [1n]);
    withdraw(gateway);
    gateway.sent.length = 0;
    if (refused !== undefined) gateway.refused.add(refused);
    const round = process1.settler.round();
    if (refused === 'claims') await expect(round).rejects.toThrow('refuses: claims');
    else await round;
    if (refused === undefined) expect(gateway.sent.slice(0, 3)).toEqual(['answers', 'claims', 'claims']);
    // Both pieces together, then each alone.
    if (refused === 'answers')
      expect(gateway.sent.slice(0, 5)).toEqual(['answers', 'claims', 'answers', 'claims', 'answers']);
    expect(world.epoch()?.openRequests === 0, `${refused}`).toBe(refused !== 'answers');
    expect(process1.settler.unclaimed === 0n, `${refused}`).toBe(refused !== 'claims');
  }
});

test('a round sends 32 transactions of a kind that has a deadline, and the next one the rest', async () => {
  const gateway = await GatewayWorld.start();
  const { payee, receipts, epochs } = await gateway.process();
  let left = Array.from({ length: 80 }, (_, lane) => ClaimRow.create({ preimageIndex: lane }));
  payee.urgent = () => [gateway.world.channel];
  payee.claims = (channels) => (channels === undefined ? [] : left);
  const sent: number[] = [];
  const chain = new Proxy({} as SettlementChain, {
    get: (_, name) => async (rows: readonly ClaimRow[]) => {
      if (name !== 'claimVouchers') return [];
      sent.push(rows.length);
      left = left.filter((row) => !rows.includes(row));
      return undefined;
    },
  });
  const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const options = { claimRowsMax: 2, claimMin: 1n, settleMin: 1n, stateUncovered: false };
  const settler = new Settler({ chain, payee, receipts, epochs, logger }, options);
  await settler.round();
  expect(sent.splice(0)).toEqual(Array.from({ length: 32 }, () => 2));
  await settler.round();
  expect([sent, left]).toEqual([Array.from({ length: 8 }, () => 2), []]);
});

/** Takes so many steps, writing each down, and fails at one. */
async function* steps(name: string, count: number, seen: string[], failsAt?: number): Transactions {
  for (let i = 0; i < count; i++) {
    if (i === failsAt) throw new RangeError(`${name} failed`);
    seen.push(`${name}${i}`);
    yield;
  }
}

test('turns go round, are bounded, and outlast what fails', async () => {
  const seen: string[] = [];
  await takeTurns([steps('a', 3, seen), steps('b', 1, seen)], 10);
  expect(seen.splice(0)).toEqual(['a0', 'b0', 'a1', 'a2']);
  await takeTurns([steps('a', 9, seen), steps('b', 9, seen)], 2);
  expect(seen.splice(0)).toEqual(['a0', 'b0', 'a1', 'b1']);
  const one = takeTurns([steps('a', 3, seen, 1), steps('b', 3, seen)], 10);
  await expect(one).rejects.toThrow(/^a failed$/);
  expect(seen.splice(0)).toEqual(['a0', 'b0', 'b1', 'b2']);
  const both = takeTurns([steps('a', 3, seen, 0), steps('b', 3, seen, 0)], 10);
  await expect(both).rejects.toThrow('a failed; b failed');
});
