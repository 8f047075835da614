import { equalBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { verifySecp256k1 } from './secp256k1.ts';
import { fitsRecord, RECORD_BYTES, type VerifyRecord, writeRecord } from './verify-batch.ts';

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
    const record: VerifyRecord = { publicKey, digest: sha256(signBytes), signature };
    if (!fitsRecord(record)) return false;
    const key = cacheKey(record);
    const known = this.#lookUp(key);
    if (known === undefined) this.#misses++;
    else this.#hits++;
    const valid = known ?? verifySecp256k1(publicKey, record.digest, signature);
    if (known === undefined) this.#remember(key, valid);
    this.#byArray.set(signBytes, { publicKey, signature, valid });
    return valid;
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
      const record = { publicKey: task.publicKey, digest: sha256(task.signBytes), signature: task.signature };
      if (!fitsRecord(record)) continue;
      const key = cacheKey(record);
      if (this.#lookUp(key) !== undefined) continue;
      asked.push({ task, key });
      records.push(record);
    }
    if (records.length === 0) return undefined;
    return this.#pool.verify(records).then((results) => {
      for (const [index, { task, key }] of asked.entries()) {
        const { publicKey, signBytes, signature } = task;
        const valid = results[index] ?? false;
        this.#remember(key, valid);
        this.#byArray.set(signBytes, { publicKey, signature, valid });
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

const scratch = Buffer.alloc(RECORD_BYTES);

/** Key, digest and signature as one string of 129 characters: cheaper than hashing them once more. */
function cacheKey(record: VerifyRecord): string {
  writeRecord(record, scratch, 0);
  return scratch.toString('latin1');
}
