import { concatBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { verifySecp256k1 } from './secp256k1.ts';
import { fitsRecord, type VerifyRecord } from './verify-batch.ts';

/** A signature over bytes (their SHA-256 is what is signed): compressed secp256k1 key, compact signature. */
export interface SignatureTask {
  readonly publicKey: Uint8Array;
  readonly signBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Verifies batches of signatures away from the caller: `VerifierPool`, or a test's own. */
export interface SignaturePool {
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

/**
 * The signature verifier that the application calls: synchronous, and quick because `prefetch` has verified
 * the signature on a worker before. Each signature is verified once, at CheckTx; the block finds it in the
 * cache. The cache keeps two generations of results and drops the older one when the younger is full.
 */
export class CachedSignatureVerifier {
  readonly #pool: SignaturePool;
  readonly #generationMax: number;
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

  /** True when the signature is valid: from the cache, or else computed here and now. */
  verify(publicKey: Uint8Array, signBytes: Uint8Array, signature: Uint8Array): boolean {
    const record: VerifyRecord = { publicKey, digest: sha256(signBytes), signature };
    if (!fitsRecord(record)) return false;
    const key = cacheKey(record);
    const known = this.#lookUp(key);
    if (known !== undefined) {
      this.#hits++;
      return known;
    }
    this.#misses++;
    const valid = verifySecp256k1(record.publicKey, record.digest, record.signature);
    this.#remember(key, valid);
    return valid;
  }

  /**
   * Verifies what the cache does not know yet on the workers, so that `verify` will find it.
   * @throws LedgerError `crypto.overloaded` when too many signatures wait
   */
  async prefetch(tasks: readonly SignatureTask[]): Promise<void> {
    const keys: string[] = [];
    const records: VerifyRecord[] = [];
    for (const task of tasks) {
      const record = {
        publicKey: task.publicKey,
        digest: sha256(task.signBytes),
        signature: task.signature,
      };
      const key = cacheKey(record);
      if (!fitsRecord(record) || this.#lookUp(key) !== undefined) continue;
      keys.push(key);
      records.push(record);
    }
    if (records.length === 0) return;
    const results = await this.#pool.verify(records);
    for (const [index, key] of keys.entries()) this.#remember(key, results[index] ?? false);
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

/** 32 characters that stand for key, digest and signature together. */
function cacheKey(record: VerifyRecord): string {
  return Buffer.from(sha256(concatBytes(record.publicKey, record.digest, record.signature))).toString(
    'latin1',
  );
}
