/** The key that a gateway signs receipts by: `gateway/receipt_key` in its home, a seed in hexadecimal. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fromHex, fromUtf8, toHex, utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { ed25519Signer, type Ed25519Signer } from '../../node/crypto/ed25519.ts';
import { machineFiles, replaceFile } from '../../node/privval/durable-file.ts';
import { makeFolder } from '../home/folder.ts';

const SEED_BYTES = 32;
const SEED_FORM = /^[0-9a-f]{64}\s*$/;

/** Where a gateway keeps what it writes. */
export function gatewayFolder(home: string): string {
  return join(home, 'gateway');
}

/** Undefined when there is none yet. @throws LedgerError `gateway.key` when the file is something else */
export async function readReceiptKey(home: string): Promise<Ed25519Signer | undefined> {
  const path = keyFile(home);
  const bytes = await machineFiles.read(path);
  if (bytes === undefined) return undefined;
  const text = fromUtf8(bytes);
  if (SEED_FORM.test(text)) return ed25519Signer(fromHex(text.trim()));
  throw new LedgerError('gateway.key', `${path} is no receipt key: ${SEED_BYTES} bytes in hexadecimal`);
}

/** The key, made if there is none: on the disk before anybody hears of it, for it is for good. */
export async function makeReceiptKey(home: string): Promise<Ed25519Signer> {
  const known = await readReceiptKey(home);
  if (known !== undefined) return known;
  makeFolder(gatewayFolder(home), 0o700);
  const seed = randomBytes(SEED_BYTES);
  await replaceFile(machineFiles, keyFile(home), utf8(`${toHex(seed)}\n`));
  return ed25519Signer(seed);
}

function keyFile(home: string): string {
  return join(gatewayFolder(home), 'receipt_key');
}
