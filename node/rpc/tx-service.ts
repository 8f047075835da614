/**
 * The queries of `cosmos.tx.v1beta1.Service` that need blocks or the mempool, over `abci_query`. What is
 * answered, and the codes and words of what is not, are those of SDK v0.50 (`x/auth/tx/service.go`,
 * `query.go`, `client/broadcast.go`, `baseapp/abci.go`).
 */
import { EMPTY_BYTES, toUpperHex } from '../../core/bytes.ts';
import { DecodeError, LedgerError, messageOf } from '../../core/errors.ts';
import { formatInstant } from '../../core/time.ts';
import { TxResponse } from '../../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
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
import { Tx } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { TxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { Block } from '../../proto/gen/tendermint/types/block.ts';
import { parseQuery } from '../query.ts';
import { txKey } from '../tx-key.ts';
import { PER_PAGE_MAX } from './config.ts';
import { pageBounds } from './heights.ts';
import type { RpcPorts } from './ports.ts';
import { StatusError } from './query-status.ts';

/** What these queries are answered from. */
export type TxServicePorts = Pick<RpcPorts, 'blocks' | 'index' | 'mempool' | 'logger'>;

/** By path. */
export const TX_ANSWERS: Readonly<
  Record<string, (ports: TxServicePorts, data: Uint8Array) => Uint8Array | Promise<Uint8Array>>
> = {
  '/cosmos.tx.v1beta1.Service/GetTx': getTx,
  '/cosmos.tx.v1beta1.Service/GetTxsEvent': getTxsEvent,
  '/cosmos.tx.v1beta1.Service/GetBlockWithTxs': getBlockWithTxs,
  '/cosmos.tx.v1beta1.Service/BroadcastTx': broadcastTx,
};

async function getTx(ports: TxServicePorts, data: Uint8Array): Promise<Uint8Array> {
  const { hash } = GetTxRequest.decode(data);
  if (hash === '') throw new StatusError('InvalidArgument', 'tx hash cannot be empty');
  if (!/^([0-9a-f]{2})+$/i.test(hash)) throw new LedgerError('rpc.query', 'the hash is not hexadecimal');
  const found = await indexOf(ports).get(hash.toUpperCase());
  if (found === undefined) throw new StatusError('NotFound', `tx not found: ${hash}`);
  const { tx, response } = responseOf(ports, found);
  return GetTxResponse.encode({ tx, txResponse: response });
}

async function getTxsEvent(ports: TxServicePorts, data: Uint8Array): Promise<Uint8Array> {
  const { query, page, limit, orderBy } = GetTxsEventRequest.decode(data);
  if (query === '') throw new StatusError('Internal', 'query cannot be empty');
  const asked = {
    page: page === 0n ? 1 : Number(page),
    perPage: limit === 0n ? PER_PAGE_MAX : Number(limit),
  };
  try {
    const { items, total } = await indexOf(ports).searchTxs({
      query: parseQuery(query),
      order: orderBy === OrderBy.ORDER_BY_DESC ? 'desc' : 'asc',
      page: (count) => pageBounds(count, asked),
    });
    const found = items.map((item) => responseOf(ports, item));
    return GetTxsEventResponse.encode({
      txs: found.map(({ tx }) => tx),
      txResponses: found.map(({ response }) => response),
      pagination: undefined,
      total: BigInt(total),
    });
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new StatusError('Internal', `failed to search for txs: ${error.message}`);
  }
}

function getBlockWithTxs(ports: TxServicePorts, data: Uint8Array): Uint8Array {
  const { height, pagination } = GetBlockWithTxsRequest.decode(data);
  const current = ports.blocks.range().height;
  if (height < 1n || height > current) {
    const range = `less than 1 or greater than the current height ${current}`;
    const text = `requested height ${height} but height must not be ${range}: invalid height`;
    throw new StatusError('Unknown', text);
  }
  const bytes = ports.blocks.blockBytes(height);
  if (bytes === undefined) throw notStored(ports, height);
  const block = Block.decode(bytes);
  const all = block.data.txs;
  const [offset, limit] = [Number(pagination?.offset ?? 0n), Number(pagination?.limit ?? PER_PAGE_MAX)];
  if (all.length > 0 && offset >= all.length) {
    const range = `cannot paginate ${all.length} txs with offset ${offset} and limit ${limit}`;
    throw new StatusError('Unknown', `out of range: ${range}: invalid request`);
  }
  // Backwards the SDK goes from the offset down, and never gives the first one.
  const chosen = pagination?.reverse === true ? all.slice(1, offset + 1).reverse() : all.slice(offset);
  return GetBlockWithTxsResponse.encode({
    // One that is no transaction is left out.
    txs: chosen.slice(0, limit).flatMap((tx) => decoded(tx) ?? []),
    blockId: ports.blocks.meta(height)?.blockId,
    block,
    pagination: { nextKey: EMPTY_BYTES, total: BigInt(all.length) },
  });
}

async function broadcastTx(ports: TxServicePorts, data: Uint8Array): Promise<Uint8Array> {
  const { txBytes, mode } = BroadcastTxRequest.decode(data);
  if (txBytes.length === 0) throw new StatusError('InvalidArgument', 'invalid empty tx');
  const txhash = txKey(txBytes);
  const answer = (response: Partial<TxResponse>): Uint8Array =>
    BroadcastTxResponse.encode({ txResponse: TxResponse.create({ txhash, ...response }) });
  switch (mode) {
    case BroadcastMode.BROADCAST_MODE_ASYNC:
      ports.mempool.checkTx(txBytes, txhash).catch((error: unknown) => {
        ports.logger.debug({ error: messageOf(error) }, 'transaction was not taken');
      });
      return answer({});
    case BroadcastMode.BROADCAST_MODE_SYNC:
      try {
        const { code, codespace, data: given, log } = await ports.mempool.checkTx(txBytes, txhash);
        return answer({ code, codespace, data: toUpperHex(given), rawLog: log });
      } catch (error) {
        return answer({ code: refusalCode(error), codespace: 'sdk' });
      }
    default:
      throw new LedgerError('rpc.query', 'unsupported return type unspecified; supported types: sync, async');
  }
}

/**
 * The code in the codespace `sdk` of what the mempool does not take: known by the words, as the SDK does.
 * @throws the error when it says something else
 */
function refusalCode(error: unknown): number {
  const text = messageOf(error).toLowerCase();
  if (text.includes('tx already exists in cache')) return 19;
  if (text.includes('mempool is full')) return 20;
  if (text.includes('tx too large')) return 21;
  throw error;
}

function indexOf({ index }: TxServicePorts): NonNullable<RpcPorts['index']> {
  if (index === undefined) throw new LedgerError('rpc.no_index', 'transaction indexing is disabled');
  return index;
}

function notStored(ports: TxServicePorts, height: bigint): LedgerError {
  const { base } = ports.blocks.range();
  return new LedgerError('rpc.height', `height ${height} is not available, lowest height is ${base}`);
}

function decoded(bytes: Uint8Array): Tx | undefined {
  try {
    return Tx.decode(bytes);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** A committed transaction as the SDK tells of it, with the time of its block in whole seconds. */
function responseOf(
  ports: TxServicePorts,
  { height, tx: bytes, result }: TxResult,
): { readonly tx: Tx; readonly response: TxResponse } {
  const time = ports.blocks.meta(height)?.header.time;
  if (time === undefined) throw notStored(ports, height);
  const tx = decoded(bytes);
  if (tx === undefined)
    throw new LedgerError('rpc.query', `${txKey(bytes)} is no transaction: tx parse error`);
  const response = {
    height,
    txhash: txKey(bytes),
    codespace: result.codespace,
    code: result.code,
    data: toUpperHex(result.data),
    rawLog: result.log,
    logs: [],
    info: result.info,
    gasWanted: result.gasWanted,
    gasUsed: result.gasUsed,
    tx: { typeUrl: Tx.typeUrl, value: Tx.encode(tx) },
    timestamp: formatInstant({ seconds: time.seconds, nanos: 0 }),
    events: result.events,
  };
  return { tx, response };
}
