import { toBase64, toUpperHex, utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { formatInstant } from '../core/time.ts';
import { canonicalJson, type JsonObject } from '../framework/json.ts';
import { CONSENSUS_KEY_JSON, consensusKeyMessage } from '../modules/consensus/keys.ts';
import type { RequestInitChain } from '../proto/gen/tendermint/abci/types.ts';
import type { GenesisDocument, GenesisValidator } from './document.ts';
import { consensusParamsToJson } from './params-json.ts';

/** The document as JSON in CometBFT's shape: what the RPC method `genesis` returns and the file holds. */
export function genesisToJson(document: GenesisDocument): JsonObject {
  return {
    genesis_time: formatInstant(document.genesisTime),
    chain_id: document.chainId,
    initial_height: document.initialHeight.toString(),
    consensus_params: consensusParamsToJson(document.consensusParams),
    validators: document.validators.map(validatorToJson),
    app_hash: toUpperHex(document.appHash),
    app_state: document.appState,
  };
}

/**
 * The document as the SDK's tools write one (`AppGenesis`), with what wrote it: `consensus` holds validators
 * and parameters, the height is a number (0 stands for 1).
 */
export function appGenesisToJson(document: Omit<GenesisDocument, 'appHash'>, appVersion: string): JsonObject {
  return {
    app_name: 'openledgerd',
    app_version: appVersion,
    genesis_time: formatInstant(document.genesisTime),
    chain_id: document.chainId,
    initial_height: Number(document.initialHeight),
    app_hash: null,
    app_state: document.appState,
    consensus: {
      validators: document.validators.map(validatorToJson),
      params: consensusParamsToJson(document.consensusParams),
    },
  };
}

function validatorToJson({ address, keyType, pubKey, power, name }: GenesisValidator): JsonObject {
  return {
    address: toUpperHex(address),
    pub_key: { type: CONSENSUS_KEY_JSON[keyType], value: toBase64(pubKey) },
    power: power.toString(),
    name,
  };
}

/** Text of `genesis.json`: canonical JSON, indented, with a newline at its end. */
export function encodeGenesis(document: GenesisDocument): string {
  return `${canonicalJson(genesisToJson(document), { indent: 2 })}\n`;
}

/**
 * SHA-256 of the canonical one-line JSON: equal for documents that say the same, however they are laid out.
 */
export function genesisHash(document: GenesisDocument): Uint8Array {
  return sha256(utf8(canonicalJson(genesisToJson(document))));
}

/** What the node hands the application on a new chain. */
export function initChainRequest(document: GenesisDocument): RequestInitChain {
  return {
    time: document.genesisTime,
    chainId: document.chainId,
    consensusParams: document.consensusParams,
    validators: document.validators.map(({ keyType, pubKey, power }) => ({
      pubKey: consensusKeyMessage({ type: keyType, bytes: pubKey }),
      power,
    })),
    appStateBytes: utf8(canonicalJson(document.appState)),
    initialHeight: document.initialHeight,
  };
}
