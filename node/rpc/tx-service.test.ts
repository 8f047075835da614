import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import {
  BroadcastMode,
  BroadcastTxRequest,
  BroadcastTxResponse,
  GetBlockWithTxsRequest,
  GetBlockWithTxsResponse,
  GetTxRequest,
  GetTxResponse,
  GetTxsEventRequest,
  GetTxsEventResponse,
  OrderBy,
} from '../../proto/gen/cosmos/tx/v1beta1/service.ts';
import { AuthInfo, Tx, TxBody } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { ResponseQuery } from '../../proto/gen/tendermint/abci/types.ts';
import { txKey } from '../tx-key.ts';
import { TestNode } from './testing/test-node.ts';
import { answerNodeQuery, NODE_QUERY_PATHS, type NodeQueryPorts } from './node-queries.ts';

const SERVICE = '/cosmos.tx.v1beta1.Service/';
const MEMOS = ['first=1', 'second=2', 'third=3'];
const txs = MEMOS.map((memo) =>
  Tx.create({ body: TxBody.create({ memo }), authInfo: AuthInfo.create({}), signatures: [utf8('s')] }),
);
const bytes = txs.map((tx) => Tx.encode(tx));
const keys = bytes.map(txKey);
const identity = { reportedVersion: '0.38.17', address: () => 'tcp://127.0.0.1:26657' };
let node: TestNode;

beforeAll(async () => {
  node = await TestNode.start();
  await node.commit([]);
  await node.commit([...bytes, utf8('x=1')]);
  await node.commit([utf8('fail=1')]);
});

afterAll(() => node.stop());

interface Asked<T> {
  readonly method: string;
  readonly request: MessageType<T>;
  readonly value: Partial<T>;
}

async function ask<T>(
  { method, request, value }: Asked<T>,
  ports: NodeQueryPorts = { ...node.ports, identity },
): Promise<ResponseQuery> {
  const data = request.encode(request.create(value));
  const answer = await answerNodeQuery(ports, { path: SERVICE + method, data });
  if (answer === undefined) throw new Error('it is left to the application');
  return answer;
}

const getTx = (hash: string): Asked<GetTxRequest> => ({
  method: 'GetTx',
  request: GetTxRequest,
  value: { hash },
});
const search = (value: Partial<GetTxsEventRequest>): Asked<GetTxsEventRequest> => ({
  method: 'GetTxsEvent',
  request: GetTxsEventRequest,
  value,
});
const block = (height: bigint, page?: Partial<{ offset: bigint; limit: bigint; reverse: boolean }>) => ({
  method: 'GetBlockWithTxs',
  request: GetBlockWithTxsRequest,
  value: {
    height,
    pagination: page && {
      key: new Uint8Array(),
      offset: 0n,
      limit: 100n,
      countTotal: false,
      reverse: false,
      ...page,
    },
  },
});

describe('the queries of transactions', () => {
  it('find one by its hash, in either case', async () => {
    const { code, height, value } = await ask(getTx(keys[1] ?? ''));
    expect([code, height]).toEqual([0, 3n]);
    const { tx, txResponse } = GetTxResponse.decode(value);
    expect(tx).toEqual(txs[1]);
    expect(txResponse).toMatchObject({
      height: 2n,
      txhash: keys[1],
      code: 0,
      gasWanted: 10n,
      gasUsed: 7n,
      tx: { typeUrl: '/cosmos.tx.v1beta1.Tx', value: bytes[1] },
      timestamp: expect.stringMatching(/^2023-11-14T\d\d:\d\d:\d\dZ$/),
      events: [{ type: 'app' }],
    });
    expect(txResponse?.data.startsWith('32')).toBe(true);
    expect((await ask(getTx((keys[1] ?? '').toLowerCase()))).value).toEqual(value);
  });

  it('find some by their events, page by page', async () => {
    const found = async (value: Partial<GetTxsEventRequest>): Promise<readonly unknown[]> => {
      const { code, log, value: answered } = await ask(search(value));
      expect([code, log]).toEqual([0, '']);
      const answer = GetTxsEventResponse.decode(answered);
      return [answer.total, ...answer.txs.map(({ body }) => body?.memo)];
    };
    const query = "tx.height=2 AND app.key CONTAINS 'r'";
    expect(await found({ query })).toEqual([2n, 'first=1', 'third=3']);
    expect(await found({ query, orderBy: OrderBy.ORDER_BY_DESC, limit: 1n })).toEqual([2n, 'third=3']);
    expect(await found({ query, page: 2n, limit: 1n })).toEqual([2n, 'third=3']);
    expect(await found({ query: 'tx.height=1' })).toEqual([0n]);
  });

  it('give a block with those of its transactions that are some', async () => {
    const memos = async (...asked: Parameters<typeof block>): Promise<readonly unknown[]> => {
      const answer = GetBlockWithTxsResponse.decode((await ask(block(...asked))).value);
      expect(answer.block?.header.height).toBe(asked[0]);
      expect(answer.blockId).toEqual(node.chain.meta(asked[0])?.blockId);
      return [answer.pagination?.total, ...answer.txs.map(({ body }) => body?.memo)];
    };
    expect(await memos(1n)).toEqual([0n]);
    expect(await memos(2n)).toEqual([4n, ...MEMOS]);
    expect(await memos(2n, { offset: 1n, limit: 1n })).toEqual([4n, 'second=2']);
    expect(await memos(2n, { offset: 2n, reverse: true })).toEqual([4n, 'third=3', 'second=2']);
    expect(await memos(2n, { limit: 0n })).toEqual([4n]);
  });

  it('fail with the codes and words of the SDK', async () => {
    const failure = async (...asked: Parameters<typeof ask>): Promise<readonly unknown[]> => {
      const { code, codespace, log } = await ask(...asked);
      return [codespace, code, log];
    };
    const none = '00'.repeat(32);
    const status = (name: string, text: string): string => `rpc error: code = ${name} desc = ${text}`;
    const missing = status('NotFound', `tx not found: ${none}: key not found`);
    expect(await failure(getTx(none))).toEqual(['sdk', 22, missing]);
    const empty = status('InvalidArgument', 'tx hash cannot be empty: invalid request');
    expect(await failure(getTx(''))).toEqual(['sdk', 18, empty]);
    expect(await failure(getTx('xyz'))).toEqual(['sdk', 18, expect.stringContaining('hexadecimal')]);
    expect(await failure(getTx(txKey(utf8('x=1'))))).toEqual([
      'sdk',
      18,
      expect.stringContaining('parse error'),
    ]);
    const noIndex = { ...node.ports, identity, index: undefined };
    expect(await failure(getTx(none), noIndex)).toEqual(['sdk', 18, expect.stringContaining('disabled')]);
    const noQuery = status('Internal', 'query cannot be empty: unknown request');
    expect(await failure(search({}))).toEqual(['sdk', 6, noQuery]);
    const far = status('Internal', 'failed to search for txs: page should be within [1, 1] range, given 2');
    expect(await failure(search({ query: 'tx.height=1', page: 2n }))).toEqual([
      'sdk',
      6,
      expect.stringContaining(far),
    ]);
    expect(await failure(search({ query: 'tx.height=' }))).toEqual([
      'sdk',
      6,
      expect.stringContaining('Internal'),
    ]);
    for (const height of [0n, 4n])
      expect(await failure(block(height))).toEqual(['sdk', 6, expect.stringContaining('invalid height')]);
    expect(await failure(block(2n, { offset: 4n }))).toEqual([
      'sdk',
      6,
      expect.stringContaining('out of range'),
    ]);
    const data = Uint8Array.of(0xff);
    for (const path of NODE_QUERY_PATHS)
      expect(await answerNodeQuery({ ...node.ports, identity }, { path, data })).toMatchObject({
        code: 18,
        codespace: 'sdk',
      });
  });

  it('submit one, and say why it was not taken', async () => {
    const broadcast = async (txBytes: Uint8Array, mode: BroadcastMode): Promise<ResponseQuery> =>
      ask({ method: 'BroadcastTx', request: BroadcastTxRequest, value: { txBytes, mode } });
    const told = async (text: string, mode: BroadcastMode = BroadcastMode.BROADCAST_MODE_SYNC) =>
      BroadcastTxResponse.decode((await broadcast(utf8(text), mode)).value).txResponse;
    expect(await told('sync=1')).toMatchObject({ code: 0, txhash: txKey(utf8('sync=1')) });
    expect(await told('sync=1')).toMatchObject({ code: 19, codespace: 'sdk', rawLog: '' });
    expect(await told('async=1', BroadcastMode.BROADCAST_MODE_ASYNC)).toMatchObject({
      code: 0,
      txhash: txKey(utf8('async=1')),
    });
    expect(await broadcast(utf8('y=1'), BroadcastMode.BROADCAST_MODE_UNSPECIFIED)).toMatchObject({
      code: 18,
      codespace: 'sdk',
      log: 'unsupported return type unspecified; supported types: sync, async: invalid request',
    });
    expect(await broadcast(new Uint8Array(), BroadcastMode.BROADCAST_MODE_SYNC)).toMatchObject({
      code: 18,
      log: expect.stringContaining('code = InvalidArgument desc = invalid empty tx'),
    });
  });

  it('are no others', async () => {
    for (const path of [`${SERVICE}Simulate`, `${SERVICE}getTx`, '/toString', 'toString', ''])
      expect(
        await answerNodeQuery({ ...node.ports, identity }, { path, data: new Uint8Array() }),
      ).toBeUndefined();
  });
});
