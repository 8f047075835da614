/** Blocks, headers, commits, validators and results, each checked against a verified header. */
import { equalBytes, toBase64, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { type Header, headerHash } from '../../consensus/types/header.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { consensusParamsHash, DEFAULT_CONSENSUS_PARAMS } from '../../consensus/types/params.ts';
import { type DeterministicResult, resultsHash } from '../../consensus/types/results.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import type { JsonField } from '../json/field.ts';
import type { Json } from '../json/json.ts';
import { blockIdJson, blockJson, commitJson, headerJson, validatorJson } from '../json/print.ts';
import { readHeader } from '../json/read.ts';
import { readBlock } from '../json/read-block.ts';
import { blockAfter, blockAt, type JsonObject, lie, type ProxyPorts } from './ports.ts';

const PER_PAGE_DEFAULT = 30;
const PER_PAGE_MAX = 100;
/** Most block metas in an answer of `blockchain`, as nodes give them. */
const METAS_MAX = 20;
/** Most transactions whose results are read. */
const RESULTS_MAX = 1_000_000;

/** `header`: straight from the light client. */
export async function header(ports: ProxyPorts, height: bigint | undefined): Promise<Json> {
  return { header: headerJson((await blockAt(ports, height)).header) };
}

/** `header_by_hash`: the primary says only at which height it is. */
export async function headerByHash(ports: ProxyPorts, hash: Uint8Array): Promise<Json> {
  const answer = await ports.rpc().call('header_by_hash', { hash: toHex(hash) });
  if (answer.at('header').isEmpty) return { header: null };
  const claimed = readHeader(answer.at('header'));
  const { header: verified } = await ports.client.lightBlock(claimed.height);
  if (!equalBytes(headerHash(verified), hash)) throw lie('its header has another hash');
  return { header: headerJson(verified) };
}

/** `commit`: straight from the light client. */
export async function commit(ports: ProxyPorts, height: bigint | undefined): Promise<Json> {
  const block = await blockAt(ports, height);
  return {
    signed_header: { header: headerJson(block.header), commit: commitJson(block.commit) },
    canonical: true,
  };
}

/** `validators`: a page of the light client's set. */
export async function validators(
  ports: ProxyPorts,
  height: bigint | undefined,
  asked: { readonly page: number | undefined; readonly perPage: number | undefined },
): Promise<Json> {
  const block = await blockAt(ports, height);
  const members = block.validators.validators;
  const given = asked.perPage ?? PER_PAGE_DEFAULT;
  const perPage = given < 1 ? PER_PAGE_DEFAULT : Math.min(given, PER_PAGE_MAX);
  const pages = Math.max(1, Math.ceil(members.length / perPage));
  const page = asked.page ?? 1;
  if (page < 1 || page > pages)
    throw new LedgerError('light.options', `page should be within [1, ${pages}] range, given ${page}`);
  const list = members.slice((page - 1) * perPage, page * perPage);
  return {
    block_height: block.header.height.toString(),
    validators: list.map(validatorJson),
    count: list.length.toString(),
    total: members.length.toString(),
  };
}

/** `block`: every byte of it hangs on the header's hashes. */
export async function block(ports: ProxyPorts, height: bigint | undefined): Promise<Json> {
  const trusted = await blockAt(ports, height);
  const answer = await ports.rpc().call('block', { height: trusted.header.height.toString() });
  return verifiedBlock(answer, trusted);
}

/** `block_by_hash` */
export async function blockByHash(ports: ProxyPorts, hash: Uint8Array): Promise<Json> {
  const answer = await ports.rpc().call('block_by_hash', { hash: toBase64(hash) });
  const claimed = answer.at('block');
  if (claimed.isEmpty) return answer.json();
  const trusted = await ports.client.lightBlock(claimed.at('header').at('height').int64());
  if (!equalBytes(headerHash(trusted.header), hash)) throw lie('its block has another hash');
  return verifiedBlock(answer, trusted);
}

/** `block_search`: each block found; that none is missing cannot be proven. */
export async function blockSearch(ports: ProxyPorts, params: JsonObject): Promise<Json> {
  const answer = await ports.rpc().call('block_search', params);
  const blocks: Json[] = [];
  for (const found of answer.at('blocks').list(PER_PAGE_MAX)) {
    const height = found.at('block').at('header').at('height').int64();
    blocks.push(verifiedBlock(found, await ports.client.lightBlock(height)));
  }
  return { blocks, total_count: answer.at('total_count').int64().toString() };
}

function verifiedBlock(answer: JsonField, trusted: LightBlock): Json {
  const claimed = readBlock(answer.at('block'));
  if (!equalBytes(headerHash(claimed.header), headerHash(trusted.header)))
    throw lie('its block is not the one of the verified header', { height: trusted.header.height });
  return { block_id: blockIdJson(trusted.commit.blockId), block: blockJson(claimed) };
}

/**
 * `blockchain`: newest first; the first header is verified, each other one is named by the one before. The
 * block's size and number of transactions are the primary's word.
 */
export async function blockchain(ports: ProxyPorts, minHeight: bigint, maxHeight: bigint): Promise<Json> {
  const top = await blockAt(ports, maxHeight === 0n ? undefined : maxHeight);
  const answer = await ports.rpc().call('blockchain', {
    minHeight: minHeight.toString(),
    maxHeight: top.header.height.toString(),
  });
  const metas: Json[] = [];
  let expected: BlockId = top.commit.blockId;
  let height = top.header.height;
  for (const meta of answer.at('block_metas').list(METAS_MAX)) {
    const claimed: Header = readHeader(meta.at('header'));
    if (claimed.height !== height || !equalBytes(headerHash(claimed), expected.hash))
      throw lie('a header is not on the chain', { height });
    metas.push({
      block_id: blockIdJson(expected),
      block_size: meta.at('block_size').int64().toString(),
      header: headerJson(claimed),
      num_txs: meta.at('num_txs').int64().toString(),
    });
    expected = claimed.lastBlockId;
    height--;
  }
  return { last_height: answer.at('last_height').int64().toString(), block_metas: metas };
}

/** Results of a block's transactions that the next header vouches for. */
export interface VerifiedResults {
  readonly answer: JsonField;
  readonly results: readonly JsonField[];
}

/**
 * The results of a block: code, data and gas of each transaction, and the app hash. Log, events and updates
 * of validators and parameters are the primary's word.
 */
export async function verifiedResults(ports: ProxyPorts, height: bigint): Promise<VerifiedResults> {
  const next = await blockAfter(ports, height);
  const answer = await ports.rpc().call('block_results', { height: height.toString() });
  if (answer.at('height').int64() !== height) throw lie('its results are of another height', { height });
  const results = answer.at('txs_results').list(RESULTS_MAX);
  if (!equalBytes(resultsHash(results.map(deterministic)), next.header.lastResultsHash))
    throw lie('its results are not those that the next header names', { height });
  const claimedHash = answer.at('app_hash');
  if (!claimedHash.isEmpty && !equalBytes(claimedHash.base64(), next.header.appHash))
    throw lie('its app hash is not that of the next header', { height });
  return { answer, results };
}

/** What is agreed on of a transaction's result. */
export function deterministic(result: JsonField): DeterministicResult {
  return {
    code: result.at('code').isEmpty ? 0 : result.at('code').int32(),
    data: result.at('data').base64(),
    gasWanted: result.at('gas_wanted').int64(),
    gasUsed: result.at('gas_used').int64(),
  };
}

/** `block_results`; without a height those of the block before the latest, which can be verified. */
export async function blockResults(ports: ProxyPorts, height: bigint | undefined): Promise<Json> {
  const at = height ?? (await ports.client.latest()).header.height - 1n;
  return (await verifiedResults(ports, at)).answer.json();
}

/** `consensus_params`: the header vouches for the block's size and gas, as CometBFT hashes no more. */
export async function consensusParams(ports: ProxyPorts, height: bigint | undefined): Promise<Json> {
  const trusted = await blockAt(ports, height);
  const answer = await ports.rpc().call('consensus_params', { height: trusted.header.height.toString() });
  const limits = answer.at('consensus_params').at('block');
  const hash = consensusParamsHash({
    ...DEFAULT_CONSENSUS_PARAMS,
    block: { maxBytes: limits.at('max_bytes').int64(), maxGas: limits.at('max_gas').int64() },
  });
  if (!equalBytes(hash, trusted.header.consensusHash))
    throw lie('its parameters are not those of the header', { height: trusted.header.height });
  return answer.json();
}
