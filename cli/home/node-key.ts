/** `node_key.json`, the peer identity, in CometBFT's form: an ed25519 key, seed and public key in base64. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { concatBytes, fromBase64, toBase64, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { machineFiles, replaceFile } from '../../node/privval/durable-file.ts';

const SEED_BYTES = 32;
const KEY_BYTES = 64;
const KEY_TYPE = 'tendermint/PrivKeyEd25519';

/**
 * Writes a new node key.
 * @returns its 64 bytes: seed and public key
 * @throws LedgerError `home.exists` when there is one already
 */
export async function createNodeKey(path: string): Promise<Uint8Array> {
  if (existsSync(path))
    throw new LedgerError('home.exists', `${path} exists already and is never overwritten`);
  const seed = Uint8Array.from(randomBytes(SEED_BYTES));
  const key = concatBytes(seed, ed25519Signer(seed).publicKey);
  const content = { priv_key: { type: KEY_TYPE, value: toBase64(key) } };
  await replaceFile(machineFiles, path, utf8(`${JSON.stringify(content, undefined, 2)}\n`));
  return key;
}

/**
 * Reads a node key.
 * @returns its 64 bytes: seed and public key
 * @throws LedgerError `home.node_key`
 */
export function readNodeKey(path: string): Uint8Array {
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const key = fromBase64(valueIn(content));
    if (key.length !== KEY_BYTES) throw new Error(`its key has ${key.length} bytes, not ${KEY_BYTES}`);
    return key;
  } catch (cause) {
    throw new LedgerError('home.node_key', `the node key ${path} cannot be read: ${messageOf(cause)}`, {
      path,
    });
  }
}

function valueIn(content: unknown): string {
  const key = memberOf(content, 'priv_key');
  const value = memberOf(key, 'value');
  if (memberOf(key, 'type') !== KEY_TYPE || typeof value !== 'string') {
    throw new Error(`it must have a priv_key of type ${KEY_TYPE}`);
  }
  return value;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
