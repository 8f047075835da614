/**
 * Evidence on disk: what waits for a block, and the ids of what is in one. Few and small records: the list
 * of what waits is one of them, so that nothing has to be searched for.
 */
import {
  decodeEvidence,
  encodeEvidence,
  evidenceHash,
  type Evidence,
} from '../../consensus/types/evidence.ts';
import { concatBytes, fromUint64BigEndian, uint64BigEndian, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { openChecked } from '../checked-database.ts';
import { isOfRecords, SYNC_AGAIN } from '../checksum.ts';
import { type Database, type OpenDatabase, openLevelDatabase } from '../database.ts';

const LIST_KEY = utf8('L');
const PENDING = utf8('P');
const COMMITTED = utf8('C');
const HASH_BYTES = 32;

const keyOf = (kind: Uint8Array, hash: Uint8Array): Uint8Array => concatBytes(kind, hash);

/** What changes together. */
export interface EvidenceChange {
  readonly added: readonly Evidence[];
  /** Hashes. */
  readonly removed: readonly Uint8Array[];
  /** Hashes of evidence in the block of that height. */
  readonly committed: { readonly height: bigint; readonly hashes: readonly Uint8Array[] } | undefined;
  /** Hashes of all that waits once this has changed. */
  readonly pending: readonly Uint8Array[];
}

/** A node's evidence store. One writer. */
export class EvidenceStore {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Opens or makes the store in a directory of its own.
   * @throws LedgerError `evidence.open` when another process has it or its files are damaged,
   * `database.format` and `database.corrupt`: see `node/checksum.ts`. Every method throws the latter
   */
  static async open(
    directory: string,
    openDatabase: OpenDatabase = openLevelDatabase,
  ): Promise<EvidenceStore> {
    const place = { directory, repair: SYNC_AGAIN, witnesses: [LIST_KEY] };
    try {
      return new EvidenceStore(await openChecked(place, openDatabase));
    } catch (cause) {
      if (isOfRecords(cause)) throw cause;
      const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
      throw new LedgerError(
        'evidence.open',
        `cannot open the evidence store ${directory}: ${messageOf(inner)}. Is another node running on this home? If its ` +
          `files are damaged, ${SYNC_AGAIN}.`,
        { directory },
        cause,
      );
    }
  }

  /**
   * What waits for a block.
   * @throws LedgerError `evidence.corrupt`
   */
  pending(): readonly Evidence[] {
    const list = this.#database.getSync(LIST_KEY) ?? new Uint8Array(0);
    const found: Evidence[] = [];
    for (let at = 0; at + HASH_BYTES <= list.length; at += HASH_BYTES) {
      const bytes = this.#database.getSync(keyOf(PENDING, list.subarray(at, at + HASH_BYTES)));
      if (bytes !== undefined) found.push(readEvidence(bytes));
    }
    return found;
  }

  /** The height of the block that evidence is in. */
  committedAt(hash: Uint8Array): bigint | undefined {
    const bytes = this.#database.getSync(keyOf(COMMITTED, hash));
    return bytes === undefined ? undefined : fromUint64BigEndian(bytes);
  }

  /** Writes a change as a whole; durably when evidence was committed. */
  async write(change: EvidenceChange): Promise<void> {
    const batch = this.#database.batch();
    for (const evidence of change.added)
      batch.put(keyOf(PENDING, evidenceHash(evidence)), encodeEvidence(evidence));
    for (const hash of change.removed) batch.del(keyOf(PENDING, hash));
    const { committed } = change;
    for (const hash of committed?.hashes ?? [])
      batch.put(keyOf(COMMITTED, hash), uint64BigEndian(committed?.height ?? 0n));
    batch.put(LIST_KEY, concatBytes(...change.pending));
    await batch.write({ sync: committed !== undefined });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

function readEvidence(bytes: Uint8Array): Evidence {
  try {
    return decodeEvidence(bytes);
  } catch (cause) {
    throw new LedgerError(
      'evidence.corrupt',
      `the evidence store holds bytes that cannot be read (${messageOf(cause)}); ${SYNC_AGAIN}`,
      {},
      cause,
    );
  }
}
