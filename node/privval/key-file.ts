/**
 * `priv_validator_key.json` in CometBFT's form: address, public key, private key (seed and public key, 64
 * bytes).
 */
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromUtf8,
  toBase64,
  toUpperHex,
  utf8,
} from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { type DurableFiles, machineFiles, replaceFile } from './durable-file.ts';
import { fieldOf, parseObject } from './json.ts';
import type { KeySigner, MakeKeySigner } from './ports.ts';

const SEED_BYTES = 32;
const PUBLIC_KEY_TYPE = 'tendermint/PubKeyEd25519';
const PRIVATE_KEY_TYPE = 'tendermint/PrivKeyEd25519';

/** The address of an ed25519 consensus key: the first 20 bytes of its SHA-256. */
export function addressOfKey(publicKey: Uint8Array): Uint8Array {
  return sha256(publicKey).slice(0, 20);
}

/** The text of the key file for a 32-byte seed. */
export function keyFileText(seed: Uint8Array, publicKey: Uint8Array): string {
  const content = {
    address: toUpperHex(addressOfKey(publicKey)),
    pub_key: { type: PUBLIC_KEY_TYPE, value: toBase64(publicKey) },
    priv_key: { type: PRIVATE_KEY_TYPE, value: toBase64(concatBytes(seed, publicKey)) },
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Writes the key file of a seed, durably. */
export async function writeKeyFile(
  path: string,
  key: { readonly seed: Uint8Array; readonly publicKey: Uint8Array },
  files: DurableFiles = machineFiles,
): Promise<void> {
  await replaceFile(files, path, utf8(keyFileText(key.seed, key.publicKey)));
}

/**
 * Reads a key file.
 * @throws LedgerError `privval.key_file` saying what is wrong with it
 */
export async function readKeyFile(
  path: string,
  makeSigner: MakeKeySigner,
  files: DurableFiles = machineFiles,
): Promise<KeySigner> {
  const bytes = await files.read(path);
  if (bytes === undefined) throw keyFileError(path, 'it does not exist; `openledgerd init` makes one');
  try {
    const content = parseObject(fromUtf8(bytes));
    const privateKey = fieldOf(content, 'priv_key', 'object');
    if (fieldOf(privateKey, 'type', 'string') !== PRIVATE_KEY_TYPE) {
      throw new LedgerError('privval.key_file', `priv_key.type must be ${PRIVATE_KEY_TYPE}`);
    }
    const secret = fromBase64(fieldOf(privateKey, 'value', 'string'));
    const signer = makeSigner(secret.slice(0, SEED_BYTES));
    if (!equalBytes(secret.slice(SEED_BYTES), signer.publicKey)) {
      throw new LedgerError('privval.key_file', 'priv_key.value is not a seed followed by its public key');
    }
    return signer;
  } catch (cause) {
    throw keyFileError(path, messageOf(cause), cause);
  }
}

function keyFileError(path: string, what: string, cause?: unknown): LedgerError {
  return new LedgerError(
    'privval.key_file',
    `cannot read the validator key ${path}: ${what}`,
    { path },
    cause,
  );
}
