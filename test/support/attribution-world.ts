/** The economic loop with short windows of attribution, and indexes over its two documents. */
import { shardInMemory } from '../../attest/prove/memory.ts';
import type { ShardReader, SourceDocument } from '../../attest/shard.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { moduleAddress } from '../../framework/address.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { TxMsgData } from '../../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import type {
  ObjectState,
  Params,
  ShardCommitment,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { GenesisState } from '../../proto/gen/openledger/attribution/v1/genesis.ts';
import * as query from '../../proto/gen/openledger/attribution/v1/query.ts';
import {
  type IndexShard,
  MsgPublishIndex,
  MsgPublishIndexResponse,
} from '../../proto/gen/openledger/attribution/v1/tx.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { type Loop, deliverOk, playLoop } from './economic-loop.ts';
import { anyOf, type TestAccount, TestChain } from './test-chain.ts';

/** Parameters with windows of a few blocks. */
export const SHORT: Params = {
  ...DEFAULT_PARAMS,
  shardBond: 1000n,
  cardBond: 1000n,
  requestBond: 100n,
  claimBond: 200n,
  challengeBlocks: 3,
  unbondingBlocks: 6,
  requestBlocks: 4,
  claimBlocks: 4,
  accountRequestsMax: 2,
  spanBytesMin: 4,
};

/** A loop whose chain has these parameters of attribution, and an attestor and a challenger. */
export interface AttributionLoop extends Loop {
  readonly attestor: TestAccount;
  readonly challenger: TestAccount;
}

/** See the file comment. */
export function attributionLoop(params: Partial<Params> = {}): AttributionLoop {
  const attribution = messageToJson(GenesisState, GenesisState.create({ params: { ...SHORT, ...params } }));
  const chain = new TestChain({ accounts: 8, genesis: { sections: { attribution } } });
  return { ...playLoop(chain), attestor: chain.account(5), challenger: chain.account(6) };
}

/** Documents of a loop from the one at a position, as the chain has them. */
export function sourcesOf(
  { chain, documents, first, second }: Loop,
  range: { readonly from: number; readonly count: number },
): readonly SourceDocument[] {
  return documents.slice(range.from, range.from + range.count).map((document, i) => ({
    contributionId: BigInt(range.from + i + 1),
    contributor: chain.app.composition.addresses.toBytes([first, second][range.from + i]?.address ?? ''),
    root: document.commitment.root,
    byteLength: document.commitment.byteLength,
    content: document.content,
  }));
}

/** The honest shard of some documents of a loop; all by default. */
export function shardOf(loop: Loop, range = { from: 0, count: 2 }): ShardReader {
  const options = { datanetId: 1n, firstPosition: BigInt(range.from) };
  return shardInMemory(naiveShard(sourcesOf(loop, range)), options);
}

/** Blocks without transactions. */
export function emptyBlocks({ chain }: Loop, count: number): void {
  for (let i = 0; i < count; i++) chain.block();
}

/** What the module's account holds. */
export function bondsHeld({ chain }: Loop): bigint {
  return chain.balance(chain.app.composition.addresses.toText(moduleAddress('attribution')));
}

/** Balance of the community pool's account. */
export function poolHeld({ chain }: Loop): bigint {
  return chain.balance(chain.app.composition.addresses.toText(moduleAddress('distribution')));
}

/** Asks a query of attribution. */
export function ask<Q, A>(
  { chain }: Loop,
  method: string,
  types: { readonly request: MessageType<Q>; readonly response: MessageType<A> },
  request: Q,
): A {
  return chain.query(`/openledger.attribution.v1.Query/${method}`, types, request);
}

/** Where an index stands. */
export function standingOfIndex(loop: Loop, indexId: bigint): ObjectState {
  const types = { request: query.QueryIndexRequest, response: query.QueryIndexResponse };
  return ask(loop, 'Index', types, { indexId }).index.state;
}

/** A MsgPublishIndex of snapshot 1. */
export function publishIndex(
  publisher: TestAccount,
  shards: readonly (ShardCommitment | bigint)[],
  change: Partial<MsgPublishIndex> = {},
): MsgPublishIndex {
  return {
    publisher: publisher.address,
    snapshotId: 1n,
    shards: shards.map(
      (shard): IndexShard =>
        typeof shard === 'bigint'
          ? { shardId: shard, commitment: undefined }
          : { shardId: 0n, commitment: shard },
    ),
    bond: { denom: 'uopen', amount: '1000' },
    endpoint: 'http://127.0.0.1:8080',
    ...change,
  };
}

/** Delivers it; the ids of its shards. */
export function publishIndexOk(
  { chain }: Loop,
  publisher: TestAccount,
  ...more: [shards: readonly (ShardCommitment | bigint)[], change?: Partial<MsgPublishIndex>]
): MsgPublishIndexResponse {
  const message = publishIndex(publisher, ...more);
  return responseOf(MsgPublishIndexResponse, deliverOk(chain, publisher, anyOf(MsgPublishIndex, message)));
}

/** The response of a transaction's first message. */
export function responseOf<T>(type: MessageType<T>, { data }: ExecTxResult): T {
  return type.decode(TxMsgData.decode(data).msgResponses[0]?.value ?? new Uint8Array(0));
}
