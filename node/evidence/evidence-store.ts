/**
 * Evidence on disk: conflicting votes whose height is not over, what waits for a block, and the ids of what
 * is in one. Few and small records: the lists of what waits are two of them, so that nothing has to be
 * searched for.
 */
import {
  decodeEvidence,
  encodeEvidence,
  evidenceHash,
  type Evidence,
} from '../../consensus/types/evidence.ts';
import { decodeVote, encodeVote } from '../../consensus/types/vote.ts';
import { concatBytes, fromUint64BigEndian, uint64BigEndian, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { encodeUvarint, readUvarint } from '../../core/varint.ts';
import { openChecked } from '../checked-database.ts';
import { isOfRecords, SYNC_AGAIN } from '../checksum.ts';
import { type Database, type OpenDatabase, openLevelDatabase } from '../database.ts';
import { type VotePair, voteOffence } from './conflicts.ts';

const LIST_KEY = utf8('L');
const PENDING = utf8('P');
const COMMITTED = utf8('C');
const PAIR_LIST_KEY = utf8('W');
const PAIR = utf8('V');
const HASH_BYTES = 32;

const keyOf = (kind: Uint8Array, hash: Uint8Array): Uint8Array => concatBytes(kind, hash);

/** What changes of the conflicting votes of our own consensus. */
export interface PairChange {
  readonly added: readonly VotePair[];
  readonly removed: readonly VotePair[];
  /** All that there are once this has changed. */
  readonly all: readonly VotePair[];
}

/** What changes together. */
export interface EvidenceChange {
  readonly added: readonly Evidence[];
  /** Hashes. */
  readonly removed: readonly Uint8Array[];
  /** Hashes of evidence in the block of that height. */
  readonly committed: { readonly height: bigint; readonly hashes: readonly Uint8Array[] } | undefined;
  /** Hashes of all that waits once this has changed. */
  readonly pending: readonly Uint8Array[];
  readonly pairs?: PairChange | undefined;
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
    return this.#listed(LIST_KEY, PENDING).map((bytes) => readable(() => decodeEvidence(bytes)));
  }

  /**
   * The conflicting votes that were to become evidence.
   * @throws LedgerError `evidence.corrupt`
   */
  pairs(): readonly VotePair[] {
    return this.#listed(PAIR_LIST_KEY, PAIR).map((bytes) => readable(() => decodePair(bytes)));
  }

  #listed(listKey: Uint8Array, kind: Uint8Array): readonly Uint8Array[] {
    const list = this.#database.getSync(listKey) ?? new Uint8Array(0);
    const found: Uint8Array[] = [];
    for (let at = 0; at + HASH_BYTES <= list.length; at += HASH_BYTES) {
      const bytes = this.#database.getSync(keyOf(kind, list.subarray(at, at + HASH_BYTES)));
      if (bytes !== undefined) found.push(bytes);
    }
    return found;
  }

  /** The height of the block that evidence is in. */
  committedAt(hash: Uint8Array): bigint | undefined {
    const bytes = this.#database.getSync(keyOf(COMMITTED, hash));
    return bytes === undefined ? undefined : fromUint64BigEndian(bytes);
  }

  /** Writes a change as a whole; durably when evidence was committed, or votes come or go. */
  async write(change: EvidenceChange): Promise<void> {
    const batch = this.#database.batch();
    for (const evidence of change.added)
      batch.put(keyOf(PENDING, evidenceHash(evidence)), encodeEvidence(evidence));
    for (const hash of change.removed) batch.del(keyOf(PENDING, hash));
    const { committed } = change;
    for (const hash of committed?.hashes ?? [])
      batch.put(keyOf(COMMITTED, hash), uint64BigEndian(committed?.height ?? 0n));
    batch.put(LIST_KEY, concatBytes(...change.pending));
    const { pairs } = change;
    if (pairs !== undefined) {
      for (const pair of pairs.added) batch.put(keyOf(PAIR, pairHash(pair)), encodePair(pair));
      for (const pair of pairs.removed) batch.del(keyOf(PAIR, pairHash(pair)));
      batch.put(PAIR_LIST_KEY, concatBytes(...pairs.all.map(pairHash)));
    }
    await batch.write({ sync: committed !== undefined || pairs !== undefined });
  }

  async close(): Promise<void> {
    await this.#database.close();
  }
}

function pairHash({ offence }: VotePair): Uint8Array {
  return sha256(utf8(offence));
}

/** The length of the first vote, the first vote, the second. */
function encodePair({ first, second }: VotePair): Uint8Array {
  const bytes = encodeVote(first);
  return concatBytes(encodeUvarint(BigInt(bytes.length)), bytes, encodeVote(second));
}

/** @throws DecodeError when it is no pair of votes */
function decodePair(bytes: Uint8Array): VotePair {
  const { value, next } = readUvarint(bytes, 0);
  const middle = next + Number(value);
  const first = decodeVote(bytes.subarray(next, middle));
  return { offence: voteOffence(first), first, second: decodeVote(bytes.subarray(middle)) };
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new LedgerError(
      'evidence.corrupt',
      `the evidence store holds bytes that cannot be read (${messageOf(cause)}); ${SYNC_AGAIN}`,
      {},
      cause,
    );
  }
}
