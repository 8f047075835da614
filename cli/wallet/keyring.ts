/**
 * Account keys in files, one a key, under the home of a node: `keyring-file` sealed with a passphrase,
 * `keyring-test` in the clear, for development only. Names and public keys are in the clear in both, so that
 * listing needs no passphrase.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64, toBase64, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { AccountKey } from './hd.ts';
import { type Sealed, seal, unseal } from './seal.ts';
import { makeFolder } from '../home/folder.ts';

/** How keys are kept. */
export type KeyringBackend = 'file' | 'test';

/** A key without its secret. */
export interface KeyEntry {
  readonly name: string;
  /** 33 bytes, compressed secp256k1. */
  readonly publicKey: Uint8Array;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PASSPHRASE_CHARACTERS_MIN = 8;
const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

interface KeyFile {
  readonly version: 1;
  readonly type: 'secp256k1';
  readonly name: string;
  readonly pubkey: string;
  readonly sealed?: Sealed;
  readonly privkey?: string;
}

/** The keys under one home. */
export class Keyring {
  readonly #directory: string;
  readonly #backend: KeyringBackend;

  constructor(home: string, backend: KeyringBackend) {
    this.#directory = join(home, `keyring-${backend}`);
    this.#backend = backend;
  }

  /** True when adding and exporting need a passphrase. */
  get sealed(): boolean {
    return this.#backend === 'file';
  }

  /** All keys, by name. */
  list(): readonly KeyEntry[] {
    return namesIn(this.#directory).map((name) => this.find(name));
  }

  has(name: string): boolean {
    return namesIn(this.#directory).includes(name);
  }

  /** @throws LedgerError `keys.not_found`, `keys.file` */
  find(name: string): KeyEntry {
    const file = this.#read(name);
    return { name, publicKey: fromBase64(file.pubkey) };
  }

  /**
   * Stores a key under a new name.
   * @throws LedgerError `keys.name`, `keys.exists`, `keys.passphrase`
   */
  add(name: string, key: AccountKey, passphrase?: string): KeyEntry {
    checkName(name);
    if (this.has(name)) {
      throw new LedgerError('keys.exists', `there is a key named "${name}" already; delete it first`);
    }
    const head = { version: 1, type: 'secp256k1', name, pubkey: toBase64(key.publicKey) } as const;
    const file: KeyFile = this.sealed
      ? { ...head, sealed: this.#seal(name, key, passphrase) }
      : { ...head, privkey: toBase64(key.privateKey) };
    makeFolder(this.#directory, OWNER_ONLY_DIRECTORY);
    writeFileSync(this.#path(name), `${JSON.stringify(file, undefined, 2)}\n`, {
      mode: OWNER_ONLY,
      flag: 'wx',
    });
    return { name, publicKey: key.publicKey };
  }

  /** The key with its secret. @throws LedgerError `keys.not_found`, `keys.passphrase`, `keys.file` */
  open(name: string, passphrase?: string): AccountKey {
    const file = this.#read(name);
    const publicKey = fromBase64(file.pubkey);
    if (file.sealed !== undefined) {
      if (passphrase === undefined)
        throw new LedgerError('keys.passphrase', `key "${name}" needs its passphrase`);
      return { publicKey, privateKey: unseal(file.sealed, passphrase, boundTo(name, publicKey)) };
    }
    if (file.privkey === undefined)
      throw new LedgerError('keys.file', `key "${name}" has no secret in its file`);
    return { publicKey, privateKey: fromBase64(file.privkey) };
  }

  /** @throws LedgerError `keys.not_found` */
  delete(name: string): void {
    this.#read(name);
    rmSync(this.#path(name));
  }

  #seal(name: string, key: AccountKey, passphrase: string | undefined): Sealed {
    if (passphrase === undefined || passphrase.length < PASSPHRASE_CHARACTERS_MIN) {
      throw new LedgerError(
        'keys.passphrase',
        `the keyring needs a passphrase of at least ${PASSPHRASE_CHARACTERS_MIN} characters; ` +
          'for development only, --keyring-backend test keeps keys in the clear',
      );
    }
    return seal({ secret: key.privateKey, passphrase, bound: boundTo(name, key.publicKey) });
  }

  #read(name: string): KeyFile {
    checkName(name);
    if (!this.has(name)) {
      throw new LedgerError(
        'keys.not_found',
        `there is no key named "${name}" in ${this.#directory}; keys list shows what there is, ` +
          '--keyring-backend chooses the keyring (a devnet has its accounts in "test")',
      );
    }
    try {
      return JSON.parse(readFileSync(this.#path(name), 'utf8')) as KeyFile;
    } catch (cause) {
      const message = `${this.#path(name)} is not a key file: ${messageOf(cause)}`;
      throw new LedgerError('keys.file', message, {}, cause);
    }
  }

  #path(name: string): string {
    return join(this.#directory, `${name}.json`);
  }
}

function namesIn(directory: string): readonly string[] {
  let files: readonly string[];
  try {
    files = readdirSync(directory);
  } catch {
    return []; // no key was ever added
  }
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort((a, b) => (a < b ? -1 : 1));
}

function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new LedgerError(
      'keys.name',
      `"${name}" is not a key name: letters, digits, ".", "_", "-", at most 64`,
    );
  }
}

function boundTo(name: string, publicKey: Uint8Array): Uint8Array {
  return utf8(`${name}\n${toBase64(publicKey)}`);
}
