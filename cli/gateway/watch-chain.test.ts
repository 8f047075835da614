import { expect, test } from 'vitest';
import type { Connection } from '../../client/index.ts';
import { toHex } from '../../core/bytes.ts';
import { EpochOpening, EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import {
  Epoch,
  EpochRequest,
  EpochState,
  Params,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { MsgRequestEpochPiece, MsgServeEpochPiece } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import { AccountEpochWatchChain } from './watch-chain.ts';

const OWN = 'open1watcher';
const HASH = new Uint8Array(32).fill(7);
const { EPOCH_STATE_PENDING: PENDING, EPOCH_STATE_PAYING: PAYING, EPOCH_STATE_FINAL: FINAL } = EpochState;

type Answers = Readonly<Record<string, (request: never) => unknown>>;

/** A watcher's chain whose node answers about settlement like this; what its account sends. */
function watching(settlement: Answers, comet: object = {}) {
  const sent: unknown[] = [];
  const asked = Object.entries(settlement).map(([name, answer]) => [
    name,
    async (request: never) => answer(request),
  ]);
  const queries = { openledger: { settlement: Object.fromEntries(asked) } };
  const account = {
    address: OWN,
    async send(messages: readonly { readonly value: unknown }[]) {
      sent.push(...messages.map(({ value }) => value));
      return { hash: 'AB' };
    },
  };
  return { chain: new AccountEpochWatchChain({ queries, comet } as unknown as Connection, account), sent };
}

/** Pages of two, from the end. */
function listing(epochs: readonly Epoch[], read: number[]) {
  return ({
    pagination,
  }: {
    readonly pagination: { readonly key: Uint8Array; readonly reverse: boolean };
  }) => {
    expect(pagination.reverse).toBe(true);
    const from = pagination.key[0] ?? 0;
    read.push(from);
    const rows = epochs.toReversed().slice(from, from + 2);
    const nextKey = Uint8Array.from(from + 2 < epochs.length ? [from + 2] : []);
    return { epochs: rows, pagination: { nextKey, total: 0n } };
  };
}

const epochOf = (id: bigint, state: EpochState): Epoch => Epoch.create({ id, state, gateway: `g${id % 2n}` });
const gateway = ({ address }: { readonly address: string }) => ({
  gateway: { endpoint: `http://${address}` },
});

test('pending epochs come with their endpoints, the oldest first; those that are over are read once', async () => {
  const read: number[] = [];
  let epochs = [FINAL, FINAL, FINAL, PENDING, PAYING, PENDING].map((state, i) =>
    epochOf(BigInt(i + 1), state),
  );
  const { chain } = watching({ epochs: (request: never) => listing(epochs, read)(request), gateway });
  const look = async () => (await chain.pendingEpochs()).map(({ epoch, endpoint }) => [epoch.id, endpoint]);
  const both = [
    [4n, 'http://g0'],
    [6n, 'http://g0'],
  ];
  expect(await look()).toEqual(both);
  expect(await look()).toEqual(both);
  expect(read).toEqual([0, 2, 4, 0, 2]);
  epochs = [...epochs.map(({ id }) => epochOf(id, FINAL)), epochOf(7n, FINAL)];
  expect(await look()).toEqual([]);
  epochs = [...epochs, epochOf(8n, PENDING)];
  read.length = 0;
  expect(await look()).toEqual([[8n, 'http://g0']]);
  expect(read).toEqual([0]);
});

function request(id: number, piece: string, requester: string) {
  const attributes = Object.entries({
    ...{ request_id: `${id}`, epoch_id: '5', requester, piece, bond: `${id}0uopen`, deadline: '9' },
  });
  return { type: 'request_epoch_piece', attributes: attributes.map(([key, value]) => ({ key, value })) };
}

test('what was asked for, by whom, and what was answered, also in an index that is asked twice', async () => {
  const attribution = Uint8Array.of(1, 2, 3);
  const answer = MsgServeEpochPiece.create({ sender: 'open1gateway', requestId: 2n, attribution });
  const message = Any.create({
    typeUrl: MsgServeEpochPiece.typeUrl,
    value: MsgServeEpochPiece.encode(answer),
  });
  const tx = TxRaw.encode(TxRaw.create({ bodyBytes: TxBody.encode(TxBody.create({ messages: [message] })) }));
  const searches: string[] = [];
  const events = [
    ...[request(1, '2/256', OWN), request(2, toHex(HASH), 'open1other'), request(3, '9/0', OWN)],
    request(4, '1/0', 'open1other'),
  ];
  const comet = {
    async txSearchAll({ query }: { readonly query: string }) {
      searches.push(query);
      if (query === "request_epoch_piece.epoch_id='5'") return { txs: [{ tx, result: { events } }] };
      return { txs: query.endsWith("='2'") ? [{ tx, result: { events: [] } }] : [] };
    },
  };
  const open = { requests: () => ({ requests: [EpochRequest.create({ id: 1n, epochId: 5n })] }) };
  const { chain } = watching(open, comet);
  const wanted = [
    { id: 1n, piece: { tree: 'allocations', first: 256 }, bond: 10n, own: true, answer: undefined },
    {
      id: 2n,
      piece: { hash: HASH },
      bond: 20n,
      own: false,
      answer: { opening: EpochOpening.create(), attribution },
    },
    // Its epoch was convicted before it was answered.
    { id: 4n, piece: { tree: 'receipts', first: 0 }, bond: 40n, own: false, answer: undefined },
  ];
  expect(await chain.demands(5n)).toEqual(wanted);
  expect(await chain.demands(5n)).toEqual(wanted);
  expect(searches.filter((query) => query === "serve_epoch_piece.request_id='2'")).toHaveLength(1);
});

const PARAMS = Params.create({ requestBond: 20n, bondDenom: 'uopen', accountRequestsMax: 5 });

test('a request costs more with each that is open; a conviction pays its part of the bond', async () => {
  const bond = { denom: 'uopen', amount: '1001' };
  const epoch = Epoch.create({ id: 5n, bond, openRequests: 2, rewardBps: 2_500, requestBlocks: 40 });
  const { chain } = watching({ params: () => ({ params: PARAMS }), epoch: () => ({ epoch }) });
  expect(await chain.stakes(5n)).toEqual({ bond: 60n, least: 20n, reward: 250n, requestBlocks: 40n });
});

test('runs are asked for by their first leaf, attributions by a receipt; own open ones take places', async () => {
  let open = [OWN, 'open1other', OWN].map((requester, i) =>
    EpochRequest.create({ id: BigInt(i + 1), epochId: 5n, requester }),
  );
  const { chain, sent } = watching({
    params: () => ({ params: PARAMS }),
    requests: () => ({ requests: open }),
  });
  expect(await chain.ownRequests()).toEqual({ open: [], most: 5 });
  const receipt = EpochOpening.create({ leaves: [HASH] });
  const none = EpochOpening.create();
  await chain.requestPiece(
    5n,
    { kind: 'run', tree: 'entitlements', first: 512 },
    { receipt: none, bond: 20n },
  );
  await chain.requestPiece(5n, { kind: 'attribution', hash: HASH, receipt: 3 }, { receipt, bond: 40n });
  const common = { requester: OWN, epochId: 5n };
  const { EPOCH_TREE_ENTITLEMENTS, EPOCH_TREE_UNSPECIFIED } = EpochTree;
  expect(sent).toEqual([
    MsgRequestEpochPiece.create({
      ...{ ...common, tree: EPOCH_TREE_ENTITLEMENTS, index: 512 },
      bond: { denom: 'uopen', amount: '20' },
    }),
    MsgRequestEpochPiece.create({
      ...{ ...common, tree: EPOCH_TREE_UNSPECIFIED, index: 3, receipt },
      bond: { denom: 'uopen', amount: '40' },
    }),
  ]);
  expect(await chain.ownRequests()).toEqual({ open: ['epoch 5', 'epoch 5'], most: 5 });
  open = [];
  expect(await chain.ownRequests()).toEqual({ open: [], most: 5 });
});
