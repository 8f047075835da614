import { equalBytes, fromHex } from '../core/bytes.ts';
import { type Instant, parseInstant } from '../core/time.ts';
import { type JsonObject, JsonReader, parseJson } from '../framework/json.ts';
import {
  CONSENSUS_KEY_BYTES,
  CONSENSUS_KEY_JSON,
  CONSENSUS_KEY_TYPES,
  consensusAddress,
  type ConsensusKeyType,
} from '../modules/consensus/keys.ts';
import { requireKeyTypes, validateConsensusParams } from '../modules/consensus/params.ts';
import type { ConsensusParams } from '../proto/gen/tendermint/types/params.ts';
import { consensusParamsFromJson } from './params-json.ts';

/** Longest chain id: CometBFT's `MaxChainIDLen`. */
export const CHAIN_ID_LENGTH_MAX = 50;

/** Largest total voting power: CometBFT's `MaxTotalVotingPower`, 2^63 / 8. */
const TOTAL_POWER_MAX = ((1n << 63n) - 1n) / 8n;

/** Largest height of a first block: heights are shown as numbers, and there must be some left. */
const INITIAL_HEIGHT_MAX = 1_000_000_000_000_000n;

/** A validator of the first set. */
export interface GenesisValidator {
  /** 20 bytes, of the key. */
  readonly address: Uint8Array;
  readonly keyType: ConsensusKeyType;
  /** 32 bytes (ed25519) or 33 (secp256k1, compressed). */
  readonly pubKey: Uint8Array;
  readonly power: bigint;
  /** For people; may be empty. */
  readonly name: string;
}

/** Where a chain begins: equal on all its nodes. */
export interface GenesisDocument {
  readonly genesisTime: Instant;
  readonly chainId: string;
  /** Height of the first block, at least 1. */
  readonly initialHeight: bigint;
  readonly consensusParams: ConsensusParams;
  readonly validators: readonly GenesisValidator[];
  /** App hash before the first block; empty on a new chain. */
  readonly appHash: Uint8Array;
  /** Sections by module; the application reads them. */
  readonly appState: JsonObject;
}

const MEMBERS = [
  'app_hash',
  'app_name',
  'app_state',
  'app_version',
  'chain_id',
  'consensus',
  'consensus_params',
  'genesis_time',
  'initial_height',
  'validators',
] as const;

/**
 * Reads a genesis document in CometBFT's shape (`consensus_params`, `validators`) or the SDK's
 * (`consensus`). Sections of modules are checked by the application, not here.
 * @throws JsonError naming the path of what is wrong
 */
export function parseGenesis(text: string): GenesisDocument {
  const json = new JsonReader(parseJson(text), '');
  json.onlyMembers(...MEMBERS);
  const nested = json.member('consensus').present;
  const params = nested ? json.member('consensus').member('params') : json.member('consensus_params');
  const validators = nested ? json.member('consensus').member('validators') : json.member('validators');
  const consensusParams = consensusParamsFromJson(params);
  const set = readValidators(validators);
  params.attempt(() => validateConsensusParams(consensusParams, set.length));
  params.attempt(() =>
    requireKeyTypes(
      consensusParams,
      set.map(({ keyType: type }) => ({ type })),
    ),
  );
  return {
    genesisTime: readTime(json.member('genesis_time')),
    chainId: readChainId(json.member('chain_id')),
    initialHeight: readInitialHeight(json.member('initial_height')),
    consensusParams,
    validators: set,
    appHash: readAppHash(json.member('app_hash')),
    appState: json.member('app_state').object(),
  };
}

function readTime(json: JsonReader): Instant {
  const text = json.text();
  return json.attempt(() => parseInstant(text));
}

function readChainId(json: JsonReader): string {
  const text = json.text();
  if (text === '') json.fail('is empty');
  if (text.length > CHAIN_ID_LENGTH_MAX) json.fail(`is longer than ${CHAIN_ID_LENGTH_MAX} characters`);
  return text;
}

function readInitialHeight(json: JsonReader): bigint {
  const height = json.present ? json.integer() : 1n;
  if (height < 0n) json.fail('is negative');
  if (height > INITIAL_HEIGHT_MAX) json.fail(`is larger than ${INITIAL_HEIGHT_MAX}`);
  return height === 0n ? 1n : height;
}

function readAppHash(json: JsonReader): Uint8Array {
  const text = json.textOr('');
  return json.attempt(() => fromHex(text));
}

function readValidators(json: JsonReader): readonly GenesisValidator[] {
  const seen = new Set<string>();
  let total = 0n;
  return json.elements().map((element) => {
    const validator = readValidator(element);
    const key = String(validator.pubKey);
    if (seen.has(key)) element.fail('has the key of an earlier validator');
    seen.add(key);
    total += validator.power;
    if (total > TOTAL_POWER_MAX)
      element.member('power').fail(`total voting power exceeds ${TOTAL_POWER_MAX}`);
    return validator;
  });
}

function readValidator(json: JsonReader): GenesisValidator {
  const keyType = readKeyType(json.member('pub_key').member('type'));
  const value = json.member('pub_key').member('value');
  const pubKey = value.base64();
  const length = CONSENSUS_KEY_BYTES[keyType];
  if (pubKey.length !== length) value.fail(`has ${pubKey.length} bytes, a key of ${keyType} has ${length}`);
  const address = consensusAddress({ type: keyType, bytes: pubKey });
  const stated = json.member('address');
  if (stated.present && stated.text() !== '') {
    const bytes = stated.attempt(() => fromHex(stated.text()));
    if (!equalBytes(bytes, address)) stated.fail('is not the address of the key');
  }
  const power = json.member('power').integer();
  if (power <= 0n) json.member('power').fail(`is ${power}, a validator needs at least 1`);
  return { address, keyType, pubKey, power, name: json.member('name').textOr('') };
}

function readKeyType(json: JsonReader): ConsensusKeyType {
  const name = json.text();
  const type = CONSENSUS_KEY_TYPES.find((known) => CONSENSUS_KEY_JSON[known] === name);
  const known = Object.values(CONSENSUS_KEY_JSON).join(' or ');
  return type ?? json.fail(`${name} keys cannot validate; use ${known}`);
}
