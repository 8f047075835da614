import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBech32 } from '../../core/bech32.ts';
import { utf8 } from '../../core/bytes.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { Bech32PrefixResponse } from '../../proto/gen/cosmos/auth/v1beta1/query.ts';
import * as wire from '../../proto/gen/cosmos/base/tendermint/v1beta1/query.ts';
import { PubKey } from '../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import { type ResponseQuery, ResponseQuery as Answer } from '../../proto/gen/tendermint/abci/types.ts';
import { answerNodeQuery, type NodeQueryPorts } from './node-queries.ts';
import { TestNode } from './testing/test-node.ts';

const SERVICE = '/cosmos.base.tendermint.v1beta1.Service/';
const PREFIX_PATH = '/cosmos.auth.v1beta1.Query/Bech32Prefix';
const identity = { reportedVersion: '0.38.17', address: () => 'tcp://127.0.0.1:26657' };
let node: TestNode;
let ports: NodeQueryPorts;

beforeAll(async () => {
  node = await TestNode.start();
  await node.commit([]);
  await node.commit([utf8('a=1')]);
  const { application } = node.ports;
  const value = Bech32PrefixResponse.encode({ bech32Prefix: 'open' });
  const query: typeof application.query = async (request) =>
    request.path === PREFIX_PATH ? Answer.create({ value }) : application.query(request);
  ports = {
    ...node.ports,
    identity,
    application: { query, info: (request) => application.info(request), checkTx: application.checkTx },
  };
});

afterAll(() => node.stop());

function ask<T>(method: string, type: MessageType<T>, value: Partial<T>): Promise<ResponseQuery> {
  const data = type.encode(type.create(value));
  return answerNodeQuery(ports, { path: SERVICE + method, data }).then((answer) => answer ?? expect.fail());
}

const page = (offset: bigint, limit: bigint) => ({
  ...{ key: new Uint8Array(), offset, limit, countTotal: false, reverse: false },
});

describe('the service of the node', () => {
  it('gives blocks, with the address of their proposer', async () => {
    const latest = await ask('GetLatestBlock', wire.GetLatestBlockRequest, {});
    const { block, blockId, sdkBlock } = wire.GetLatestBlockResponse.decode(latest.value);
    expect(block?.header.height).toBe(2n);
    expect(blockId).toEqual(node.chain.meta(2n)?.blockId);
    const { proposerAddress, ...header } = block?.header ?? expect.fail();
    expect(sdkBlock).toEqual({
      ...block,
      header: { ...header, proposerAddress: toBech32('openvalcons', proposerAddress) },
    });
    const first = await ask('GetBlockByHeight', wire.GetBlockByHeightRequest, { height: 1n });
    expect(wire.GetBlockByHeightResponse.decode(first.value).block?.header.height).toBe(1n);
    const high = await ask('GetBlockByHeight', wire.GetBlockByHeightRequest, { height: 3n });
    expect(high).toMatchObject({
      code: 18,
      codespace: 'sdk',
      log:
        'rpc error: code = InvalidArgument desc = ' +
        'requested block height is bigger then the chain length: invalid request',
    });
    const none = await ask('GetBlockByHeight', wire.GetBlockByHeightRequest, { height: 0n });
    expect(none).toMatchObject({
      code: 18,
      log: 'height must be greater than 0, but got 0: invalid request',
    });
  });

  it('gives validators, page by page', async () => {
    const all = node.chain.validatorSet.validators;
    const { value } = await ask('GetLatestValidatorSet', wire.GetLatestValidatorSetRequest, {});
    expect(wire.GetLatestValidatorSetResponse.decode(value)).toEqual({
      blockHeight: 3n,
      validators: all.map(({ address, publicKey, votingPower, proposerPriority }) => ({
        address: toBech32('openvalcons', address),
        pubKey: { typeUrl: PubKey.typeUrl, value: PubKey.encode({ key: publicKey.bytes }) },
        votingPower,
        proposerPriority,
      })),
      pagination: { nextKey: new Uint8Array(), total: 3n },
    });
    const asked = { height: 1n, pagination: page(2n, 2n) };
    const second = await ask('GetValidatorSetByHeight', wire.GetValidatorSetByHeightRequest, asked);
    const answer = wire.GetValidatorSetByHeightResponse.decode(second.value);
    expect([answer.blockHeight, answer.validators.length]).toEqual([1n, 1]);
    const far = { height: 9n, pagination: undefined };
    expect(await ask('GetValidatorSetByHeight', wire.GetValidatorSetByHeightRequest, far)).toMatchObject({
      code: 18,
    });
  });

  it('tells of itself', async () => {
    const { value } = await ask('GetNodeInfo', wire.GetNodeInfoRequest, {});
    const info = node.ports.status.nodeInfo();
    expect(wire.GetNodeInfoResponse.decode(value)).toMatchObject({
      defaultNodeInfo: {
        defaultNodeId: info.id,
        network: info.network,
        version: '0.38.17',
        other: { txIndex: 'on', rpcAddress: 'tcp://127.0.0.1:26657' },
      },
      applicationVersion: { appName: 'test', version: '1.2.3', cosmosSdkVersion: 'v0.50.11' },
    });
    const syncing = await ask('GetSyncing', wire.GetSyncingRequest, {});
    expect(wire.GetSyncingResponse.decode(syncing.value)).toEqual({
      syncing: node.ports.status.catchingUp(),
    });
  });

  it('passes raw queries on, and no others', async () => {
    const query = (path: string): Promise<ResponseQuery> =>
      ask('ABCIQuery', wire.ABCIQueryRequest, { path, data: utf8('k'), prove: true });
    const { value } = await query('/store/bank/key');
    expect(wire.ABCIQueryResponse.decode(value)).toMatchObject({
      key: utf8('k'),
      value: utf8('/store/bank/key'),
      height: 2n,
      proofOps: { ops: [{ type: 'ics23:iavl' }] },
    });
    expect(await query('')).toMatchObject({
      code: 18,
      log: expect.stringContaining('empty query path'),
    });
    expect(await query('/cosmos.bank.v1beta1.Query/Params')).toMatchObject({
      code: 18,
      log: expect.stringContaining('unsupported ABCI query path: /cosmos.bank.v1beta1.Query/Params'),
    });
  });
});
