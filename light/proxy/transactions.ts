/** Transactions: each found one is proven to be in its block, and its result in the next header. */
import { equalBytes, toBase64, toUpperHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { verifyMerkleProof } from '../../core/merkle.ts';
import type { JsonField } from '../json/field.ts';
import { base64Json, hexJson, type Json } from '../json/json.ts';
import { txProofJson } from '../json/print.ts';
import { readMerkleProof } from '../json/read.ts';
import { deterministic, verifiedResults, type VerifiedResults } from './blocks.ts';
import { type JsonObject, lie, type ProxyPorts } from './ports.ts';

const PER_PAGE_MAX = 100;

/** `tx`: the proof is always asked for. */
export async function tx(ports: ProxyPorts, hash: Uint8Array, prove: boolean): Promise<Json> {
  const answer = await ports.rpc().call('tx', { hash: toBase64(hash), prove: true });
  const found = await verifiedTx(ports, answer, new Map());
  if (!equalBytes(sha256(answer.at('tx').base64()), hash)) throw lie('it is another transaction');
  return prove ? found : withoutProof(found);
}

/** `tx_search`: each transaction found; that none is missing cannot be proven. */
export async function txSearch(ports: ProxyPorts, params: JsonObject): Promise<Json> {
  const answer = await ports.rpc().call('tx_search', { ...params, prove: true });
  const results = new Map<bigint, VerifiedResults>();
  const txs: Json[] = [];
  for (const item of answer.at('txs').list(PER_PAGE_MAX)) {
    const found = await verifiedTx(ports, item, results);
    txs.push(params['prove'] === true ? found : withoutProof(found));
  }
  return { txs, total_count: answer.at('total_count').int64().toString() };
}

async function verifiedTx(
  ports: ProxyPorts,
  answer: JsonField,
  known: Map<bigint, VerifiedResults>,
): Promise<JsonObject> {
  const height = answer.at('height').int64();
  const index = answer.at('index').int32();
  const bytes = answer.at('tx').base64();
  const proof = readMerkleProof(answer.at('proof').at('proof'));
  const { header } = await ports.client.lightBlock(height);
  const hash = sha256(bytes);
  if (proof.index !== index || !verifyMerkleProof(proof, header.dataHash, hash))
    throw lie('the transaction is not in that block', { height, tx: toUpperHex(hash) });
  const results = known.get(height) ?? (await verifiedResults(ports, height));
  known.set(height, results);
  const result = results.results[index];
  const stated = deterministic(answer.at('tx_result'));
  const agreed = result === undefined ? undefined : deterministic(result);
  const same =
    agreed !== undefined &&
    agreed.code === stated.code &&
    equalBytes(agreed.data, stated.data) &&
    agreed.gasWanted === stated.gasWanted &&
    agreed.gasUsed === stated.gasUsed;
  if (!same) throw lie('the result of the transaction is another one', { height, tx: toUpperHex(hash) });
  return {
    hash: hexJson(hash),
    height: height.toString(),
    index,
    tx_result: answer.at('tx_result').json(),
    tx: base64Json(bytes),
    proof: txProofJson({ root: header.dataHash, tx: bytes, proof }),
  };
}

function withoutProof(found: JsonObject): Json {
  return Object.fromEntries(Object.entries(found).filter(([name]) => name !== 'proof'));
}

/**
 * `broadcast_tx_sync`, `_async` and `_commit`: passed on. What the primary says of it is its word; look the
 * transaction up to know.
 */
export async function broadcast(ports: ProxyPorts, method: string, bytes: Uint8Array): Promise<Json> {
  const answer = await ports.rpc().call(method, { tx: toBase64(bytes) });
  if (!equalBytes(answer.at('hash').hex(), sha256(bytes))) throw lie('it took another transaction');
  return answer.json();
}
