import { equalBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { verifySecp256k1 } from './secp256k1.ts';
import { verifyEd25519 } from './ed25519.ts';
import { fitsRecord, type Secp256k1Record, type VerifyRecord } from './verify-batch.ts';

/**
 * A signature over bytes: compressed secp256k1 key and compact signature, SHA-256 of the bytes being what is
 * signed, or ed25519.
 */
export interface SignatureTask {
  /** Default secp256k1. */
  readonly kind?: 'secp256k1' | 'ed25519';
  readonly publicKey: Uint8Array;
  readonly signBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Verifies batches of signatures away from the caller: `VerifierPool`, or a test's own. */
export interface SignaturePool {
  /** Whether each passed; of an ed25519 signature, false may also mean that it has to be looked at again. */
  verify(records: readonly VerifyRecord[]): Promise<readonly boolean[]>;
  stop(): Promise<void>;
}

/** Counts for metrics and benchmarks. */
export interface VerifierStats {
  /** `verify` answered from the cache. */
  readonly hits: number;
  /** `verify` had to compute on the main thread. */
  readonly misses: number;
}

/** What is known of the bytes that were signed: one result, the last. */
interface Known {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

/**
 * The signature verifier that the application calls: synchronous, and quick because `prefetch` has verified
 * the signature on a worker before. Each signature is verified once, at CheckTx; the block finds the result.
 *
 * A result is found in two places. The first is the array of signed bytes itself, which the decoded
 * transaction keeps: no hash is needed to see that the same is asked again. Nobody may write to an array that
 * was handed in. The second is a cache by content, for transactions that were decoded anew; it keeps two
 * generations of results and drops the older one when the younger is full.
 */
export class CachedSignatureVerifier {
  readonly #pool: SignaturePool;
  readonly #generationMax: number;
  readonly #byArray = new WeakMap<Uint8Array, Known>();
  #young = new Map<string, boolean>();
  #old = new Map<string, boolean>();
  #hits = 0;
  #misses = 0;

  constructor(pool: SignaturePool, options: { readonly cacheEntriesMax: number }) {
    this.#pool = pool;
    this.#generationMax = Math.max(1, Math.ceil(options.cacheEntriesMax / 2));
  }

  get stats(): VerifierStats {
    return { hits: this.#hits, misses: this.#misses };
  }

  /** True when the signature is valid: from a cache, or else computed here and now. */
  verify(publicKey: Uint8Array, signBytes: Uint8Array, signature: Uint8Array): boolean {
    const task: SignatureTask = { publicKey, signBytes, signature };
    const same = this.#byArray.get(signBytes);
    if (same !== undefined && isOf(same, task)) {
      this.#hits++;
      return same.valid;
    }
    const record: Secp256k1Record = { publicKey, digest: sha256(signBytes), signature };
    if (!fitsRecord(record)) return false;
    const key = cacheKey({ publicKey, signBytes, signature }, record.digest);
    const known = this.#lookUp(key);
    if (known === undefined) this.#misses++;
    else this.#hits++;
    const valid = known ?? verifySecp256k1(publicKey, record.digest, signature);
    if (known === undefined) this.#remember(key, valid);
    this.#byArray.set(signBytes, { publicKey, signature, valid });
    return valid;
  }

  /**
   * The same for ed25519. Only what passed on a worker is known: the rest is decided here, by ZIP-215, and
   * not remembered.
   */
  verifyEd25519(publicKey: Uint8Array, signBytes: Uint8Array, signature: Uint8Array): boolean {
    const task: SignatureTask = { kind: 'ed25519', publicKey, signBytes, signature };
    if (!fitsRecord({ publicKey, message: signBytes, signature })) return false;
    const isKnown = this.#lookUp(cacheKey(task, sha256(signBytes))) === true;
    if (isKnown) this.#hits++;
    else this.#misses++;
    return isKnown || verifyEd25519(publicKey, signBytes, signature);
  }

  /**
   * Verifies what the caches do not know yet on the workers, so that `verify` will find it. Undefined when
   * there is nothing to wait for.
   * @throws LedgerError through the promise: `crypto.overloaded` when too many signatures wait
   */
  prefetch(tasks: readonly SignatureTask[]): Promise<void> | undefined {
    const asked: { readonly task: SignatureTask; readonly key: string }[] = [];
    const records: VerifyRecord[] = [];
    for (const task of tasks) {
      const { publicKey, signBytes, signature } = task;
      const digest = sha256(signBytes);
      const record: VerifyRecord =
        task.kind === 'ed25519'
          ? { publicKey, message: signBytes, signature }
          : { publicKey, digest, signature };
      if (!fitsRecord(record)) continue;
      const key = cacheKey(task, digest);
      if (this.#lookUp(key) !== undefined) continue;
      asked.push({ task, key });
      records.push(record);
    }
    if (records.length === 0) return undefined;
    return this.#pool.verify(records).then((results) => {
      for (const [index, { task, key }] of asked.entries()) {
        const { kind, publicKey, signBytes, signature } = task;
        const valid = results[index] ?? false;
        if (valid || kind !== 'ed25519') this.#remember(key, valid);
        if (kind !== 'ed25519') this.#byArray.set(signBytes, { publicKey, signature, valid });
      }
    });
  }

  #lookUp(key: string): boolean | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  #remember(key: string, valid: boolean): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, valid);
  }
}

function isOf(known: Known, { publicKey, signature }: SignatureTask): boolean {
  return isSame(known.signature, signature) && isSame(known.publicKey, publicKey);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || equalBytes(a, b);
}

/**
 * Kind, key, digest and signature as one string of 130 characters: cheaper than hashing them once more. Their
 * lengths are fixed for each kind, so no two tasks have the same.
 */
function cacheKey({ kind, publicKey, signature }: SignatureTask, digest: Uint8Array): string {
  const name = kind === 'ed25519' ? 'e' : 's';
  return name + Buffer.concat([publicKey, digest, signature]).toString('latin1');
}
