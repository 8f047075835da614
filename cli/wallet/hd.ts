/** Keys of a mnemonic, as Cosmos wallets derive them: BIP-39, then BIP-32 along `m/44'/118'/0'/0/0`. */
import { pbkdf2Sync } from 'node:crypto';
import { HDKey } from '@scure/bip32';
import { entropyToMnemonic, generateMnemonic, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { toBech32 } from '../../core/bech32.ts';
import { concatBytes, utf8 } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { ripemd160, sha256 } from '../../core/hash.ts';

/** The path of the first account of a Cosmos wallet: coin type 118. */
export const COSMOS_HD_PATH = "m/44'/118'/0'/0/0";
const WORDS_24_ENTROPY_BITS = 256;
const BIP39_ROUNDS = 2048;
const BIP39_SEED_BYTES = 64;

/** A secp256k1 account key. */
export interface AccountKey {
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array;
}

/** A new mnemonic of 24 words. */
export function newMnemonic(): string {
  return generateMnemonic(wordlist, WORDS_24_ENTROPY_BITS);
}

/**
 * A mnemonic with single spaces and lower case.
 * @throws LedgerError `keys.mnemonic` when it is none
 */
export function normalizeMnemonic(text: string): string {
  const mnemonic = text.trim().toLowerCase().split(/\s+/).join(' ');
  if (!validateMnemonic(mnemonic, wordlist)) {
    throw new LedgerError(
      'keys.mnemonic',
      'the mnemonic is not valid: it must be 12, 15, 18, 21 or 24 English BIP-39 words whose checksum is right',
    );
  }
  return mnemonic;
}

/**
 * The account key of a mnemonic.
 * @throws LedgerError `keys.mnemonic`, `keys.path`
 */
export function keyOfMnemonic(mnemonic: string, path: string = COSMOS_HD_PATH): AccountKey {
  const words = normalizeMnemonic(mnemonic).normalize('NFKD');
  const seed = pbkdf2Sync(words, 'mnemonic', BIP39_ROUNDS, BIP39_SEED_BYTES, 'sha512');
  let node: HDKey;
  try {
    node = HDKey.fromMasterSeed(seed).derive(path);
  } catch (cause) {
    throw new LedgerError(
      'keys.path',
      `"${path}" is not a derivation path such as ${COSMOS_HD_PATH}`,
      {},
      cause,
    );
  }
  return {
    privateKey: defined(node.privateKey ?? undefined, 'private key'),
    publicKey: defined(node.publicKey ?? undefined, 'public key'),
  };
}

/** The 20-byte address of a compressed secp256k1 key: RIPEMD-160 of its SHA-256. */
export function addressOfPublicKey(publicKey: Uint8Array): Uint8Array {
  return ripemd160(sha256(publicKey));
}

/** The bech32 address of a compressed secp256k1 key. */
export function accountAddress(prefix: string, publicKey: Uint8Array): string {
  return toBech32(prefix, addressOfPublicKey(publicKey));
}

/**
 * The mnemonics of a row of accounts: the first is the given one, each further one is made of it, so that
 * one mnemonic brings all accounts back and every account still has a mnemonic of its own that any wallet
 * can import.
 */
export function mnemonicsOf(mnemonic: string, count: number): readonly string[] {
  const first = normalizeMnemonic(mnemonic);
  return Array.from({ length: count }, (_, index) =>
    index === 0
      ? first
      : entropyToMnemonic(sha256(concatBytes(utf8(`openledger account ${index}\n`), utf8(first))), wordlist),
  );
}
