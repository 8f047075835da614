/** A chain behind a node's RPC. */
import { toHex, toUpperHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { JsonField } from '../../light/json/field.ts';
import { readHeader } from '../../light/json/read.ts';
import { type Fetch, JsonRpc, JsonRpcError } from '../../light/json-rpc.ts';
import type { Event } from '../../proto/gen/tendermint/abci/types.ts';
import type { ExplainChain, FoundTx } from './chain.ts';
import { SEARCH_MAX } from './chain.ts';

const TIMEOUT_MS = 30_000;
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;
const PER_PAGE = 100;
const PROOF_OPS_MAX = 8;
const EVENTS_MAX = 1_000_000;

/** Asks a node. @param url `http://…` */
export function rpcChain(url: string, fetch: Fetch = globalThis.fetch): ExplainChain {
  const rpc = new JsonRpc({ url, timeoutMs: TIMEOUT_MS, responseBytesMax: RESPONSE_BYTES_MAX, fetch });
  return {
    latest: async () => (await rpc.call('status', {})).at('sync_info').at('latest_block_height').int64(),
    header: async (height) => {
      try {
        return readHeader((await rpc.call('header', { height: `${height}` })).at('header'));
      } catch (error) {
        if (error instanceof JsonRpcError && /must be less than or equal/.test(error.message))
          return undefined;
        throw error;
      }
    },
    ask: async ({ path, data, height, prove }) => {
      const params = { path, data: toHex(data), height: `${height}`, prove };
      const answer = (await rpc.call('abci_query', params)).at('response');
      if (!answer.at('code').isEmpty && answer.at('code').int32() !== 0)
        throw new LedgerError('explain.query', `${url} answers: ${answer.at('log').string()}`);
      const ops = prove ? answer.at('proofOps').at('ops').list(PROOF_OPS_MAX) : [];
      return {
        value: answer.at('value').base64(),
        ops: ops.map((op) => ({
          type: op.at('type').string(),
          key: op.at('key').base64(),
          data: op.at('data').base64(),
        })),
        height: answer.at('height').int64(),
      };
    },
    tx: async (hash) => (await search(rpc, 'tx_search', `tx.hash='${hash}'`, 'txs')).map(readTx)[0],
    txs: async (query) => (await search(rpc, 'tx_search', query, 'txs')).map(readTx),
    blocks: async (query) =>
      (await search(rpc, 'block_search', query, 'blocks')).map((block) =>
        block.at('block').at('header').at('height').int64(),
      ),
    blockEvents: async (height) => {
      const results = await rpc.call('block_results', { height: `${height}` });
      return eventsOf(results.at('finalize_block_events'));
    },
  };
}

/** All results, page by page; more than `SEARCH_MAX` of them are refused with the first page. */
async function search(
  rpc: JsonRpc,
  method: 'tx_search' | 'block_search',
  query: string,
  member: string,
): Promise<readonly JsonField[]> {
  const found: JsonField[] = [];
  for (let page = 1; ; page++) {
    const params = { query, order_by: 'asc', page: `${page}`, per_page: `${PER_PAGE}` };
    const answer = await rpc.call(method, method === 'tx_search' ? { ...params, prove: false } : params);
    const [results, total] = [answer.at(member).list(PER_PAGE), answer.at('total_count').int64()];
    if (total > BigInt(SEARCH_MAX))
      throw new LedgerError(
        'explain.too_long',
        `the node finds ${total} results of ${query}, and ${SEARCH_MAX} at most are read: ask for a later ` +
          '--since (an address), for one block (a slot: @HEIGHT), or for single transactions',
      );
    found.push(...results);
    if (BigInt(found.length) >= total) return found;
    if (results.length === 0)
      throw new LedgerError(
        'explain.query',
        `${rpc.url} finds ${total} results of ${query} and answers only ${found.length}: ask again`,
      );
  }
}

function readTx(json: JsonField): FoundTx {
  const result = json.at('tx_result');
  return {
    hash: toUpperHex(json.at('hash').hex()),
    height: json.at('height').int64(),
    tx: json.at('tx').base64(),
    code: result.at('code').isEmpty ? 0 : result.at('code').int32(),
    events: eventsOf(result.at('events')),
  };
}

function eventsOf(json: JsonField): readonly Event[] {
  if (json.isEmpty) return [];
  return json.list(EVENTS_MAX).map((event) => ({
    type: event.at('type').string(),
    attributes: event.at('attributes').isEmpty
      ? []
      : event
          .at('attributes')
          .list(EVENTS_MAX)
          .map((attribute) => ({
            key: attribute.at('key').string(),
            value: attribute.at('value').isEmpty ? '' : attribute.at('value').string(),
            index: true,
          })),
  }));
}
