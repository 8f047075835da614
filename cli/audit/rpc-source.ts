/** Blocks of a node behind its RPC, this program's or CometBFT's. */
import { concatBytes, fromBase64, fromUtf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { BLOCK_BYTES_MAX } from '../../consensus/types/limits.ts';
import { type Fetch, JsonRpc, JsonRpcError } from '../../light/json-rpc.ts';
import type { JsonField } from '../../light/json/field.ts';
import { readSignedHeader } from '../../light/json/read.ts';
import { readBlock } from '../../light/json/read-block.ts';
import { deterministic } from '../../light/proxy/blocks.ts';
import { type BlockSource, blockMissing } from './source.ts';

const TIMEOUT_MS = 30_000;
/** Transactions stand in base64, and results repeat their events as text. */
const RESPONSE_BYTES_MAX = 4 * BLOCK_BYTES_MAX;
const RESULTS_MAX = 1_000_000;
const GENESIS_CHUNKS_MAX = 64;

/** The blocks of a running node. @param url `http://…` @param fetch default: the platform's */
export function rpcSource(url: string, fetch?: Fetch): BlockSource {
  const limits = { timeoutMs: TIMEOUT_MS, responseBytesMax: RESPONSE_BYTES_MAX };
  const rpc = new JsonRpc({ url, ...limits, ...(fetch === undefined ? {} : { fetch }) });
  return {
    name: url,
    range: async () => {
      const sync = (await rpc.call('status', {})).at('sync_info');
      const base = sync.at('earliest_block_height').int64();
      const stored = sync.at('latest_block_height').int64();
      // The last block that is stored may be under way: its results come with the application.
      const executed = heightIn(await appInfo(rpc));
      return { base, height: executed < stored ? executed : stored };
    },
    block: async (height) => readBlock((await ask(rpc, 'block', height)).at('block')),
    lastCommit: async (height) =>
      readSignedHeader((await ask(rpc, 'commit', height)).at('signed_header')).commit,
    results: async (height) =>
      listOf((await ask(rpc, 'block_results', height)).at('txs_results')).map(deterministic),
    appHash: async (height) => {
      const info = await appInfo(rpc);
      return heightIn(info) === height ? info.at('last_block_app_hash').base64() : undefined;
    },
    genesis: () => genesisText(rpc),
    close: async () => undefined,
  };
}

/**
 * @throws LedgerError `audit.block_missing` when the node has no such block, `light.*` when it does not answer
 */
async function ask(rpc: JsonRpc, method: string, height: bigint): Promise<JsonField> {
  try {
    const answer = await rpc.call(method, { height: height.toString() });
    if (method === 'block' && answer.at('block').isEmpty) throw blockMissing(rpc.url, height);
    return answer;
  } catch (error) {
    if (!(error instanceof JsonRpcError)) throw error;
    const missing = blockMissing(rpc.url, height);
    throw new LedgerError(missing.code, `${missing.message}: ${error.rpc.data || error.rpc.message}`, {
      height,
    });
  }
}

async function appInfo(rpc: JsonRpc): Promise<JsonField> {
  return (await rpc.call('abci_info', {})).at('response');
}

/** Before the first block it is left out. */
function heightIn(info: JsonField): bigint {
  const height = info.at('last_block_height');
  return height.isEmpty ? 0n : height.int64();
}

/** Go writes null for no results. */
function listOf(field: JsonField): readonly JsonField[] {
  return field.isEmpty ? [] : field.list(RESULTS_MAX);
}

/** The document to the letter: in chunks it is never printed again. */
async function genesisText(rpc: JsonRpc): Promise<string> {
  const chunks: Uint8Array[] = [];
  for (let total = 1n; BigInt(chunks.length) < total; ) {
    const answer = await rpc.call('genesis_chunked', { chunk: chunks.length.toString() });
    total = answer.at('total').int64();
    if (total > GENESIS_CHUNKS_MAX)
      throw new LedgerError(
        'audit.genesis',
        `the genesis of ${rpc.url} has ${total} chunks: give it by --genesis`,
      );
    chunks.push(fromBase64(answer.at('data').string()));
  }
  return fromUtf8(concatBytes(...chunks));
}
