import { equalBytes, fromBase64, toBase64 } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { newValidatorSet } from '../proposer.ts';
import { addressOf, checkPublicKey, KEY_TYPE_JSON } from './public-key.ts';
import type { PublicKey, ValidatorSet } from './validator.ts';

/** A validator as `genesis.json` lists it. */
export interface GenesisValidator {
  /** 20 bytes, or none: then it is not checked against the key. */
  readonly address: Uint8Array;
  readonly publicKey: PublicKey;
  readonly power: bigint;
  readonly name: string;
}

/**
 * The validators of the first height.
 * @throws DecodeError when an address is not that of its key or a power is not positive; LedgerError
 *   `validators.*` as `newValidatorSet`
 */
export function genesisValidatorSet(validators: readonly GenesisValidator[]): ValidatorSet {
  for (const [index, { address, publicKey, power }] of validators.entries()) {
    checkPublicKey(publicKey);
    if (power <= 0n) throw new DecodeError('genesis: a validator needs positive power', { index, power });
    if (address.length > 0 && !equalBytes(address, addressOf(publicKey))) {
      throw new DecodeError('genesis: validator address is not that of its key', { index });
    }
  }
  return newValidatorSet(validators.map(({ publicKey, power }) => ({ publicKey, votingPower: power })));
}

/** A key as CometBFT's JSON has it: `{"type":"tendermint/PubKeyEd25519","value":"<base64>"}`. */
export interface PublicKeyJson {
  readonly type: string;
  readonly value: string;
}

/** The JSON form of a key. */
export function publicKeyToJson(publicKey: PublicKey): PublicKeyJson {
  return { type: KEY_TYPE_JSON[publicKey.type], value: toBase64(publicKey.bytes) };
}

/** @throws DecodeError when the type is unknown or the bytes are not those of a key */
export function publicKeyFromJson(json: PublicKeyJson): PublicKey {
  for (const type of ['ed25519', 'secp256k1'] as const) {
    if (json.type === KEY_TYPE_JSON[type]) return checkPublicKey({ type, bytes: fromBase64(json.value) });
  }
  throw new DecodeError('unknown type of public key', { type: json.type });
}
