/** The economic loop with short windows of attribution, and indexes over its two documents. */
import { convict } from '../../attest/prove/convict.ts';
import { commitLeaves, leavesOfArrays, shardInMemory } from '../../attest/prove/memory.ts';
import type { ProvableShard } from '../../attest/prove/prove.ts';
import type { ShardReader, SourceDocument } from '../../attest/shard.ts';
import { naiveShard } from '../../attest/testing/naive-shard.ts';
import { concatBytes } from '../../core/bytes.ts';
import { moduleAddress } from '../../framework/address.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import { encodeFraud } from '../../modules/attribution/proof/shard/fraud-format.ts';
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
import { anyOf, type TestAccount, TestChain, type TestChainOptions } from './test-chain.ts';

/** Parameters with windows of a few blocks. */
export const SHORT: Params = {
  ...DEFAULT_PARAMS,
  shardBond: 1000n,
  cardBond: 1000n,
  requestBond: 100n,
  claimBond: 200n,
  challengeBlocks: 5,
  unbondingBlocks: 6,
  requestBlocks: 4,
  claimBlocks: 5,
  accountRequestsMax: 2,
  spanBytesMin: 4,
};

/** A loop whose chain has these parameters of attribution, and an attestor and a challenger. */
export interface AttributionLoop extends Loop {
  readonly attestor: TestAccount;
  readonly challenger: TestAccount;
}

/** See the file comment. */
export function attributionLoop(
  params: Partial<Params> = {},
  makeChain: (options: TestChainOptions) => TestChain = (options) => new TestChain(options),
): AttributionLoop {
  const attribution = messageToJson(GenesisState, GenesisState.create({ params: { ...SHORT, ...params } }));
  const chain = makeChain({ accounts: 8, genesis: { sections: { attribution } } });
  return { ...playLoop(chain), attestor: chain.account(5), challenger: chain.account(6) };
}

/** Documents of a loop from the one at a position, as the chain has them. */
export function sourcesOf(
  { chain, documents, first, second }: Loop,
  range: DocumentRange,
): readonly SourceDocument[] {
  return documents.slice(range.from, range.from + range.count).map((document, i) => ({
    contributionId: BigInt(range.from + i + 1),
    contributor: chain.app.composition.addresses.toBytes([first, second][range.from + i]?.address ?? ''),
    root: document.commitment.root,
    byteLength: document.commitment.byteLength,
    content: document.content,
  }));
}

/** Some of the documents. */
export interface DocumentRange {
  readonly from: number;
  readonly count: number;
}

const BOTH: DocumentRange = { from: 0, count: 2 };

/** The honest shard of some documents of a loop; all by default. */
export function shardOf(loop: Loop, range: DocumentRange = BOTH): ShardReader {
  const options = { datanetId: 1n, firstPosition: BigInt(range.from) };
  return shardInMemory(naiveShard(sourcesOf(loop, range)), options);
}

/** A shard of both documents whose inverse array has two ranks exchanged. */
export function wrongShardOf(loop: Loop): ProvableShard {
  const arrays = naiveShard(sourcesOf(loop, BOTH));
  const options = { datanetId: 1n };
  const leaves = leavesOfArrays(arrays, options);
  const [first, ...others] = leaves.inverse;
  if (first === undefined) throw new RangeError('no leaf');
  const swapped = concatBytes(first.slice(0, 1), first.slice(5, 9), first.slice(1, 5), first.slice(9));
  return commitLeaves({ ...leaves, inverse: [swapped, ...others] }, arrays, options);
}

/** The proof that convicts a shard of both documents; undefined when it is right. */
export function fraudOf(loop: Loop, accused: ProvableShard): Uint8Array | undefined {
  const sources = sourcesOf(loop, BOTH);
  const content = (document: number): Uint8Array => sources[document]?.content ?? new Uint8Array(0);
  const fraud = convict({ honest: naiveShard(sources), accused, content });
  return fraud === undefined ? undefined : encodeFraud(fraud);
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
