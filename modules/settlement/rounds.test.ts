/** What a round can hold, what is asked about all this, and how a chain goes on from its midst. */
import { expect, test } from 'vitest';
import type { OpenLedgerApp } from '../../app/app.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import type { PageRequest } from '../../proto/gen/cosmos/base/query/v1beta1/pagination.ts';
import * as channels from '../../proto/gen/openledger/channels/v1/tx.ts';
import { EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import * as query from '../../proto/gen/openledger/settlement/v1/query.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import * as wire from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { SettlementWorld, WINDOW } from '../../test/support/settlement-world.ts';
import { anyOf, TestChain } from '../../test/support/test-chain.ts';
import { settlementErrors as errors } from './errors.ts';

const U64_MAX = (1n << 64n) - 1n;

/** Everybody is so rich that a channel holds more than a round can. */
function richWorld(): SettlementWorld {
  const coins = `${4n * U64_MAX}uopen`;
  const world = new SettlementWorld({}, (options) => new TestChain({ ...options, coins }));
  const amount = { denom: 'uopen', amount: `${3n * U64_MAX}` };
  const sender = world.loop.payer.address;
  world.sendOk(
    world.loop.payer,
    anyOf(channels.MsgTopUpChannel, { sender, channelId: world.channel, amount }),
  );
  return world;
}

test('a round holds 2^64 − 1 and not one more; a claim that would be more changes nothing', () => {
  const world = richWorld();
  const half = 1n << 63n;
  const log = world.refused(world.gateway, world.claiming([0, half], [1, half]), errors['too-much']);
  expect(log).toContain('settle it');
  expect(world.round()).toBeUndefined();
  world.claim([0, half], [1, half - 1n]);
  expect(world.round()?.claimed).toBe(`${U64_MAX}`);
  world.refused(world.gateway, world.claiming([2, 1n]), errors['too-much']);
  // Settled, there is room again.
  world.register();
  world.settle(world.published(world.receipts({ modelId: 0n, tokensIn: 0, tokensOut: 0 })));
  world.claim([2, 1n]);
  expect(world.round(2n)?.claimed).toBe('1');
  world.waitWindow();
  expect(world.epoch()?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(world.moduleBalance('settlement')).toBe(1n);
  world.sound();
});

test('a lane is charged no more than receipts can say', () => {
  const world = richWorld();
  const log = world.refused(world.gateway, world.claiming([0, U64_MAX + 1n]), errors['too-much']);
  expect(log).toContain('more than receipts can say');
  world.claim([0, U64_MAX]);
  world.sound();
});

const SERVICE = '/openledger.settlement.v1.Query';
const RUNS = [EpochTree.EPOCH_TREE_RECEIPTS, EpochTree.EPOCH_TREE_ALLOCATIONS];

/** Epochs 1 and 2 of rounds 1 and 2, the second with two open requests; three lanes wait in round 3. */
function busyWorld(): SettlementWorld {
  const world = new SettlementWorld({ windowBlocks: 2 * WINDOW, requestBond: 10n, requestBlocks: 50 });
  world.register();
  world.claim([0, 1_260n]);
  world.settle(world.published());
  world.claim([0, 2_520n]);
  world.settle(world.published(world.receipts(), 1));
  world.claim([0, 2_521n], [1, 5n], [7, 3n]);
  for (const [i, tree] of RUNS.entries()) {
    const bond = { denom: 'uopen', amount: `${10 * (i + 1)}` };
    const message = { requester: world.watcher.address, epochId: 2n, tree, index: 0, bond };
    const request = wire.MsgRequestEpochPiece.create(message);
    world.sendOk(world.watcher, anyOf(wire.MsgRequestEpochPiece, request));
  }
  return world;
}

/** All that a query lists, asked for one by one. */
function paged<Q, A extends { readonly pagination?: { readonly nextKey: Uint8Array } | undefined }>(
  world: SettlementWorld,
  method: string,
  types: { readonly request: MessageType<Q>; readonly response: MessageType<A> },
  ask: (pagination: PageRequest) => Q,
): readonly A[] {
  const pages: A[] = [];
  let key: Uint8Array = new Uint8Array(0);
  do {
    const pagination = { key, offset: 0n, limit: 1n, countTotal: false, reverse: false };
    const page = world.chain.query(`${SERVICE}/${method}`, types, ask(pagination));
    pages.push(page);
    key = page.pagination?.nextKey ?? new Uint8Array(0);
  } while (key.length > 0);
  return pages;
}

test('lists are asked for page by page, each of what it is about and nothing else', () => {
  const world = busyWorld();
  const gateway = world.gateway.address;
  const epochs = { request: query.QueryEpochsRequest, response: query.QueryEpochsResponse };
  const rounds = { request: query.QueryRoundsRequest, response: query.QueryRoundsResponse };
  const lanes = { request: query.QueryLanesRequest, response: query.QueryLanesResponse };
  const requests = { request: query.QueryRequestsRequest, response: query.QueryRequestsResponse };
  const told = {
    epochs: paged(world, 'Epochs', epochs, (pagination) => ({ pagination })).map((page) =>
      page.epochs.map(({ id }) => id),
    ),
    rounds: paged(world, 'Rounds', rounds, (pagination) => ({ gateway, pagination })).map((page) =>
      page.rounds.map(({ id, claimed }) => `${id}: ${claimed}`),
    ),
    lanes: paged(world, 'Lanes', lanes, (pagination) => ({ roundId: 3n, pagination })).map((page) =>
      page.lanes.map(({ lane, from, to }) => `${lane}: ${from}-${to}`),
    ),
    requests: paged(world, 'Requests', requests, (pagination) => ({ epochId: 2n, pagination })).map((page) =>
      page.requests.map(({ id }) => id),
    ),
  };
  expect(told).toEqual({
    epochs: [[1n], [2n]],
    rounds: [['1: 1260'], ['2: 1260'], ['3: 9']],
    lanes: [['0: 2520-2521'], ['1: 0-5'], ['7: 0-3']],
    requests: [[1n], [2n]],
  });
  const others = world.watcher.address;
  expect(paged(world, 'Rounds', rounds, (pagination) => ({ gateway: others, pagination }))).toMatchObject([
    { rounds: [] },
  ]);
  expect(paged(world, 'Requests', requests, (pagination) => ({ epochId: 1n, pagination }))).toMatchObject([
    { requests: [] },
  ]);
});

test('single things are found by their names, and what is not there is said to be so', () => {
  const world = busyWorld();
  const address = world.gateway.address;
  const gateways = { request: query.QueryGatewayRequest, response: query.QueryGatewayResponse };
  const epochs = { request: query.QueryEpochRequest, response: query.QueryEpochResponse };
  const requests = { request: query.QueryRequestRequest, response: query.QueryRequestResponse };
  const { chain } = world;
  expect(chain.query(`${SERVICE}/Gateway`, gateways, { address }).gateway.address).toBe(address);
  expect(chain.query(`${SERVICE}/Epoch`, epochs, { epochId: 2n }).epoch).toEqual(world.epoch(2n));
  const { request } = chain.query(`${SERVICE}/Request`, requests, { requestId: 2n });
  expect(request).toMatchObject({ id: 2n, epochId: 2n, requester: world.watcher.address });
  const stranger = { address: world.watcher.address };
  expect(() => chain.query(`${SERVICE}/Gateway`, gateways, stranger)).toThrow('there is no gateway');
  expect(() => chain.query(`${SERVICE}/Epoch`, epochs, { epochId: 9n })).toThrow('there is no epoch 9');
  expect(() => chain.query(`${SERVICE}/Request`, requests, { requestId: 9n })).toThrow('no open request 9');
});

/** Blocks without transactions. */
function goOn(app: OpenLedgerApp, count: number): void {
  for (let i = 0; i < count; i++) {
    app.finalizeBlock({
      txs: [],
      decidedLastCommit: { round: 0, votes: [] },
      misbehavior: [],
      hash: new Uint8Array(32),
      height: app.height + 1n,
      time: { seconds: 1_800_000_000n + app.height, nanos: 0 },
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    });
    app.commit();
  }
}

test('a chain that goes on from the midst of windows pays the same as the one that never stopped', () => {
  const world = busyWorld();
  const app = restoreChain(world.chain);
  const settlement = (from: OpenLedgerApp) => from.exportState({}).appState['settlement'];
  world.chain.block();
  expect(world.epoch(1n)?.state).toBe(EpochState.EPOCH_STATE_PENDING);
  for (let blocks = 0; blocks <= 2 * WINDOW; blocks++) {
    expect(app.height).toBe(world.chain.height);
    expect(settlement(app)).toEqual(settlement(world.chain.app));
    expect(app.brokenInvariants()).toEqual([]);
    goOn(app, 1);
    world.chain.block();
  }
  // The first is paid, the second waits for its requests.
  expect(world.epoch(1n)?.state).toBe(EpochState.EPOCH_STATE_FINAL);
  expect(world.epoch(2n)?.state).toBe(EpochState.EPOCH_STATE_PENDING);
});
