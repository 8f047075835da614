/**
 * `priv_validator_key.json` in CometBFT's form: address, public key, private key (ed25519: seed and public
 * key, 64 bytes; secp256k1: 32 bytes).
 */
import { addressOf, KEY_TYPE_JSON } from '../../consensus/types/public-key.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
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
import { type DurableFiles, machineFiles, replaceFile } from './durable-file.ts';
import { fieldOf, parseObject } from './json.ts';
import type { KeySigner, KeyType, MakeKeySigner } from './ports.ts';

const SECRET_BYTES = 32;
const PRIVATE_KEY_TYPE: Readonly<Record<KeyType, string>> = {
  ed25519: 'tendermint/PrivKeyEd25519',
  secp256k1: 'tendermint/PrivKeySecp256k1',
};

/** The secret half of a consensus key, 32 bytes, and the public half that belongs to it. */
export interface SecretKey {
  readonly secret: Uint8Array;
  readonly publicKey: PublicKey;
}

/** A key that was read: what it signs with, and what others know it by. */
export interface OpenedKey {
  readonly signer: KeySigner;
  readonly publicKey: PublicKey;
}

/** The text of the key file. */
export function keyFileText({ secret, publicKey }: SecretKey): string {
  const { type, bytes } = publicKey;
  const content = {
    address: toUpperHex(addressOf(publicKey)),
    pub_key: { type: KEY_TYPE_JSON[type], value: toBase64(bytes) },
    priv_key: {
      type: PRIVATE_KEY_TYPE[type],
      value: toBase64(type === 'ed25519' ? concatBytes(secret, bytes) : secret),
    },
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** Writes the key file, durably. */
export async function writeKeyFile(
  path: string,
  key: SecretKey,
  files: DurableFiles = machineFiles,
): Promise<void> {
  await replaceFile(files, path, utf8(keyFileText(key)));
}

/**
 * Reads a key file.
 * @throws LedgerError `privval.key_file` saying what is wrong with it
 */
export async function readKeyFile(
  path: string,
  makeSigner: MakeKeySigner,
  files: DurableFiles = machineFiles,
): Promise<OpenedKey> {
  const bytes = await files.read(path);
  if (bytes === undefined) throw keyFileError(path, 'it does not exist; `openledgerd init` makes one');
  try {
    return openKey(fromUtf8(bytes), makeSigner);
  } catch (cause) {
    throw keyFileError(path, messageOf(cause), cause);
  }
}

function openKey(text: string, makeSigner: MakeKeySigner): OpenedKey {
  const content = parseObject(text);
  const privateKey = fieldOf(content, 'priv_key', 'object');
  const type = keyTypeOf(fieldOf(privateKey, 'type', 'string'));
  const secret = fromBase64(fieldOf(privateKey, 'value', 'string'));
  const signer = makeSigner(secret.slice(0, SECRET_BYTES), type);
  const rest = secret.slice(SECRET_BYTES);
  if (type === 'ed25519' ? !equalBytes(rest, signer.publicKey) : rest.length > 0) {
    const expected = type === 'ed25519' ? 'a seed followed by its public key' : `${SECRET_BYTES} bytes`;
    throw new LedgerError('privval.key_file', `priv_key.value is not ${expected}`);
  }
  const stated = fieldOf(content, 'pub_key', 'object');
  const isOwn =
    fieldOf(stated, 'type', 'string') === KEY_TYPE_JSON[type] &&
    equalBytes(fromBase64(fieldOf(stated, 'value', 'string')), signer.publicKey);
  if (!isOwn) throw new LedgerError('privval.key_file', 'pub_key is not the public half of priv_key');
  return { signer, publicKey: { type, bytes: signer.publicKey } };
}

function keyTypeOf(name: string): KeyType {
  if (name === PRIVATE_KEY_TYPE.ed25519) return 'ed25519';
  if (name === PRIVATE_KEY_TYPE.secp256k1) return 'secp256k1';
  const known = `${PRIVATE_KEY_TYPE.ed25519} or ${PRIVATE_KEY_TYPE.secp256k1}`;
  throw new LedgerError('privval.key_file', `priv_key.type must be ${known}`);
}

function keyFileError(path: string, what: string, cause?: unknown): LedgerError {
  return new LedgerError(
    'privval.key_file',
    `cannot read the validator key ${path}: ${what}`,
    { path },
    cause,
  );
}
