/** State of the application, and what a node says of itself. */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { headerHash } from '../../consensus/types/header.ts';
import type { JsonField } from '../json/field.ts';
import { hexJson, type Json, timeJson } from '../json/json.ts';
import { type ProofOp, storeOfPath, verifyStoreProof } from '../proof/store-proof.ts';
import { blockAfter, type JsonObject, lie, type ProxyPorts } from './ports.ts';

/** Most operations of a proof that are read; two are needed. */
const PROOF_OPS_MAX = 8;

/** A query of the application. */
export interface AbciQuery {
  readonly path: string;
  readonly data: Uint8Array;
  /** 0: the latest. */
  readonly height: bigint;
}

/**
 * `abci_query`: a value of a store, or that there is none (`/store/<name>/key`), by its proof. Other queries
 * cannot be proven.
 */
export async function abciQuery(ports: ProxyPorts, query: AbciQuery): Promise<Json> {
  const { path, data, height } = query;
  const store = storeOfPath(path);
  const prove = store !== undefined;
  if (!prove && !ports.passUnverified) throw unprovable(`the query ${path.slice(0, 100)}`);
  const params = { path, data: toHex(data), height: height.toString(), prove };
  const answer = await ports.rpc().call('abci_query', params);
  if (!prove) return answer.json();
  const response = answer.at('response');
  const code = response.at('code');
  if (!code.isEmpty && code.int32() !== 0)
    throw new LedgerError('light.query', `the query failed: ${response.at('log').string()}`);
  const at = response.at('height').int64();
  if (at < 1n || (height !== 0n && at !== height)) throw lie('its answer is of another height', { at });
  if (!equalBytes(response.at('key').base64(), data)) throw lie('its answer is about another key');
  const { header } = await blockAfter(ports, at);
  verify(response, { appHash: header.appHash, store, key: data });
  return answer.json();
}

function verify(
  response: JsonField,
  claim: { readonly appHash: Uint8Array; readonly store: string; readonly key: Uint8Array },
): void {
  const ops = response.at('proofOps').at('ops').list(PROOF_OPS_MAX).map(readProofOp);
  const value = response.at('value').base64();
  if (value.length > 0) {
    verifyStoreProof(ops, { ...claim, value });
    return;
  }
  try {
    verifyStoreProof(ops, { ...claim, value: undefined });
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    // JSON does not tell no value from an empty one; the proof does.
    verifyStoreProof(ops, { ...claim, value });
  }
}

function readProofOp(json: JsonField): ProofOp {
  return {
    type: json.at('type').string(),
    key: json.at('key').base64(),
    data: json.at('data').base64(),
  };
}

/** `status`: the latest block is the verified one; the rest is the primary's word. */
export async function status(ports: ProxyPorts): Promise<Json> {
  const answer = await ports.rpc().call('status', {});
  const { header } = await ports.client.latest();
  const network = answer.at('node_info').at('network').string();
  if (network !== ports.client.chainId) throw lie(`it is a node of chain ${network.slice(0, 50)}`);
  const sync = objectOf(answer.at('sync_info'));
  return {
    ...objectOf(answer),
    sync_info: {
      ...sync,
      latest_block_hash: hexJson(headerHash(header)),
      latest_app_hash: hexJson(header.appHash),
      latest_block_height: header.height.toString(),
      latest_block_time: timeJson(header.time),
    },
  };
}

function objectOf(field: JsonField): JsonObject {
  const value = field.json();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw field.wrong('an object');
  return Object.fromEntries(Object.entries(value));
}

/** What a node says of itself: passed on. */
export async function passed(ports: ProxyPorts, method: string, params: JsonObject = {}): Promise<Json> {
  return (await ports.rpc().call(method, params)).json();
}

/** What a node says of the chain and nothing proves: passed on only when the user wants it. */
export async function passedIfWanted(
  ports: ProxyPorts,
  method: string,
  params: JsonObject = {},
): Promise<Json> {
  if (!ports.passUnverified) throw unprovable(method);
  return passed(ports, method, params);
}

function unprovable(what: string): LedgerError {
  return new LedgerError(
    'light.unverifiable',
    `${what} cannot be verified and is refused: ask a node that you trust, or start the proxy with ` +
      '--pass-unverified',
  );
}
