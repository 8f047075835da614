/**
 * Proof of misbehaviour on its way into a block.
 *
 * | from                 | checked                              | then                            |
 * | -------------------- | ------------------------------------ | ------------------------------- |
 * | our consensus: votes | signatures, by the engine            | kept, also on disk, until their |
 * |                      |                                      | height is over                  |
 * | a peer, or RPC       | fully                                | pending                         |
 * | a block              | fully, and not in one before         | pending until it is committed   |
 *
 * Two conflicting votes become evidence when their height is decided: only then is its time known. While the
 * pool has no room for them they wait on. A height ends in the log only when its conflicting votes are on
 * disk: before that the log has them. Pending evidence is proposed oldest first and gossiped until it is in a
 * block, has expired, or no block takes it any more.
 */
import { duplicateVoteEvidence } from '../../consensus/types/duplicate-vote.ts';
import {
  type Evidence,
  encodeEvidenceList,
  evidenceHash,
  evidenceHeight,
  evidenceTime,
} from '../../consensus/types/evidence.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { compareBytes, toHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { isDamage } from '../checksum.ts';
import { HELD_BLOCKS_MAX } from '../held-writes.ts';
import { Conflicts, voteOffence, type VotePair } from './conflicts.ts';
import type { EvidenceChange, EvidenceStore } from './evidence-store.ts';
import { isExpired } from './expiry.ts';
import type { EvidenceChain, EvidenceLogger, EvidenceState } from './ports.ts';
import { verifyEvidence } from './verify.ts';

/** Evidence waiting for a block. One offence counts once, however many votes prove it. */
export const PENDING_MAX = 1_000;
/** Of these, votes of one validator: it cannot take the room of others. One piece is enough to punish it. */
export const PENDING_PER_VALIDATOR_MAX = 10;

/** Blocks whose evidence is noted again on opening: those that were being written, and one. */
const BLOCKS_REVISITED: bigint = BigInt(HELD_BLOCKS_MAX) + 1n;

/** What a pool is made of. */
export interface EvidencePorts {
  readonly store: EvidenceStore;
  readonly chain: EvidenceChain;
  readonly verify: VerifySignature;
  readonly log: EvidenceLogger;
}

/** What became of evidence that was handed in. */
export type Added = 'added' | 'known' | 'full';

interface Pending {
  readonly evidence: Evidence;
  readonly hash: Uint8Array;
}

/** A node's evidence pool. */
export class EvidencePool {
  readonly #ports: EvidencePorts;
  readonly #pending = new Map<string, Pending>();
  /** Offences that pending evidence proves. */
  readonly #offences = new Set<string>();
  readonly #conflicts: Conflicts;
  /** What has come to wait since the last block. */
  #fresh: string[] = [];
  /** Pairs of votes that found no room when the last block came. */
  #heldBack = 0;
  readonly #listeners = new Set<(evidence: Evidence) => void>();
  #state: EvidenceState;
  /** Writes follow one another. */
  #writes: Promise<void> = Promise.resolve();
  /** The write of conflicting votes that is under way. */
  #saving: Promise<void> | undefined;

  private constructor(ports: EvidencePorts, state: EvidenceState) {
    this.#ports = ports;
    this.#state = state;
    this.#conflicts = new Conflicts(ports.store.pairs());
    for (const evidence of ports.store.pending()) {
      if (!this.#isOver(evidence)) this.#keep(evidence, evidenceHash(evidence));
    }
  }

  /**
   * Makes a pool of what is stored. The last blocks are gone through: a crash may have come between a block
   * and the note that its evidence is committed, or the end of a height and the evidence of its votes.
   */
  static async open(ports: EvidencePorts, state: EvidenceState): Promise<EvidencePool> {
    const pool = new EvidencePool(ports, state);
    const { lastBlockHeight: last } = state;
    const { base } = ports.chain.range();
    for (let height = last - BLOCKS_REVISITED + 1n; height <= last; height++) {
      if (height < base || height < 1n) continue;
      const committed = ports.chain.evidence(height);
      const hashes = committed.map(evidenceHash);
      const removed = pool.#dropProven(committed);
      if (hashes.length > 0) await pool.#write({ added: [], removed, committed: { height, hashes } });
    }
    await pool.#convictDecided();
    return pool;
  }

  /** How much waits for a block. */
  get size(): number {
    return this.#pending.size;
  }

  /** All that waits, oldest first. */
  all(): readonly Evidence[] {
    return this.#inOrder().map(({ evidence }) => evidence);
  }

  /** What waits, oldest first, as much as fits a block's share for evidence. */
  pending(bytesMax: bigint): { readonly evidence: readonly Evidence[]; readonly bytes: bigint } {
    const taken: Evidence[] = [];
    let bytes = 0n;
    for (const { evidence } of this.#inOrder()) {
      const size = sizeOf(evidence);
      if (bytes + size > bytesMax) continue; // what is smaller may still fit
      taken.push(evidence);
      bytes += size;
    }
    return { evidence: taken, bytes };
  }

  /**
   * Takes evidence from a peer or over RPC.
   * @throws LedgerError `evidence.*` or `commit.*` when it is not true or too old, `evidence.unknown_height`
   * when this node cannot judge it, `evidence.too_large` when no block takes it
   */
  add(evidence: Evidence): Added {
    const hash = evidenceHash(evidence);
    if (this.#pending.has(toHex(hash)) || this.#offences.has(offenceOf(evidence))) return 'known';
    if (this.#ports.store.committedAt(hash) !== undefined) return 'known';
    if (!this.#hasRoom(offenderOf(evidence))) return 'full';
    this.#requireFits(evidence);
    this.#verify(evidence);
    this.#accept(evidence, hash);
    return 'added';
  }

  #hasRoom(offender: string | undefined): boolean {
    if (this.#pending.size >= PENDING_MAX) return false;
    if (offender === undefined) return true;
    let own = 0;
    for (const { evidence } of this.#pending.values()) if (offenderOf(evidence) === offender) own++;
    return own < PENDING_PER_VALIDATOR_MAX;
  }

  #requireFits(evidence: Evidence): void {
    const { maxBytes } = this.#state.consensusParams.evidence;
    const bytes = sizeOf(evidence);
    if (bytes <= maxBytes) return;
    const message = `the evidence has ${bytes} bytes, a block takes at most ${maxBytes} (evidence.max_bytes)`;
    throw new LedgerError('evidence.too_large', message, { bytes, maxBytes });
  }

  /**
   * Checks the evidence of a block that follows on the pool's state. `unknown`: some of it is of heights that
   * this node has no headers of, as after a state sync in which nobody had them; it says nothing about the
   * block.
   * @throws LedgerError `evidence.*` or `commit.*` on the first thing wrong
   */
  check(list: readonly Evidence[], blockHeight: bigint): 'good' | 'unknown' {
    const seen = new Set<string>();
    let found: 'good' | 'unknown' = 'good';
    for (const evidence of list) {
      const hash = evidenceHash(evidence);
      const key = toHex(hash);
      if (seen.has(key))
        throw new LedgerError('evidence.twice', 'the block holds one piece of evidence twice');
      seen.add(key);
      const committedAt = this.#ports.store.committedAt(hash);
      if (committedAt !== undefined && committedAt < blockHeight)
        throw new LedgerError('evidence.committed', 'the evidence is in a block already', {
          height: committedAt,
        });
      // The id of an attack does not cover its signatures: another with the same id is checked again.
      if (evidence.kind === 'duplicateVote' && this.#pending.has(key)) continue;
      if (this.#isBelowHeaders(evidence)) {
        found = 'unknown';
        continue;
      }
      this.#verify(evidence);
      if (!this.#pending.has(key) && this.#hasRoom(offenderOf(evidence))) this.#accept(evidence, hash);
    }
    return found;
  }

  #isBelowHeaders(evidence: Evidence): boolean {
    return evidenceHeight(evidence) < this.#ports.chain.range().base;
  }

  /**
   * Two different votes of one validator in one step, with good signatures: evidence once their height is
   * over. They are on disk soon, and by `conflictsSaved` for certain.
   */
  conflictingVotes(first: Vote, second: Vote): void {
    const added = this.#conflicts.add(first, second);
    if (added === 'full')
      this.#ports.log.warn(votesFacts(first), 'too many conflicting votes at once: this pair is dropped');
    if (added !== 'added') return;
    this.#ports.log.warn(votesFacts(first), 'a validator signed two votes');
    this.#save().catch((error: unknown) => {
      // The log has the votes until their height ends, which waits for them.
      const facts = { ...votesFacts(first), reason: messageOf(error) };
      this.#ports.log.error(facts, 'conflicting votes could not be stored');
    });
  }

  /**
   * Resolves when all conflicting votes that were reported survive a power cut; rejects when they cannot be
   * written. The height that they are of must not end in the log before.
   */
  async conflictsSaved(): Promise<void> {
    while (this.#conflicts.unsaved.length > 0) await this.#save();
  }

  /**
   * After a block: what it holds is committed, what is too old or too large goes, and conflicting votes of
   * decided heights become evidence. Resolves when what was committed is on disk: before the state moves on.
   */
  async update(state: EvidenceState, committed: readonly Evidence[]): Promise<void> {
    this.#state = state;
    const fresh = this.#fresh.splice(0);
    const hashes = committed.map(evidenceHash);
    const removed = this.#dropProven(committed);
    for (const { evidence, hash } of [...this.#pending.values()]) {
      if (this.#isOver(evidence) && this.#drop(hash)) removed.push(hash);
    }
    if (hashes.length > 0 || removed.length > 0) {
      const height = state.lastBlockHeight;
      await this.#write({
        added: [],
        removed,
        committed: hashes.length > 0 ? { height, hashes } : undefined,
      });
    }
    await this.#convictDecided();
    for (const key of fresh) this.#tell(this.#pending.get(key)?.evidence);
  }

  /**
   * The lowest height that blocks must be kept from, when everything below `wanted` may go: evidence of a
   * height is judged by its block for as long as it counts.
   */
  keepFrom(wanted: bigint): bigint {
    const { chain } = this.#ports;
    let low = chain.range().base;
    let high = wanted;
    while (low < high) {
      const middle = (low + high) / 2n;
      const time = chain.header(middle)?.time;
      if (time === undefined || isExpired({ height: middle, time }, this.#state)) low = middle + 1n;
      else high = middle;
    }
    return low;
  }

  /**
   * Calls back for each piece that becomes pending, and once more when it still is after the next block:
   * peers that had not decided its height could not judge it. The returned function ends it.
   */
  onEvidence(listener: (evidence: Evidence) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when nothing is being written any more. */
  async flush(): Promise<void> {
    await this.#saving?.catch(() => undefined); // who asked for it hears of it
    await this.#writes;
  }

  #verify(evidence: Evidence): void {
    const { chain, verify } = this.#ports;
    verifyEvidence(evidence, { chain, verify, state: this.#state });
  }

  /** Writes what is not on disk yet; votes that come meanwhile go together. */
  #save(): Promise<void> {
    this.#saving ??= this.#writeUnsaved().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #writeUnsaved(): Promise<void> {
    await this.#writes;
    const { unsaved } = this.#conflicts;
    if (unsaved.length === 0) return;
    await this.#writePairs({ added: unsaved, removed: [] }, []);
    this.#conflicts.saved(unsaved);
  }

  #writePairs(
    pairs: Record<'added' | 'removed', readonly VotePair[]>,
    added: readonly Evidence[],
  ): Promise<void> {
    const { all } = this.#conflicts;
    return this.#write({ added, removed: [], committed: undefined, pairs: { ...pairs, all } });
  }

  /**
   * Makes evidence of the votes whose height is decided; what finds no room waits for the next block. On disk
   * the evidence takes the place of the votes in one step.
   */
  async #convictDecided(): Promise<void> {
    const settled: VotePair[] = [];
    const made: Evidence[] = [];
    const pairs = this.#conflicts.upTo(this.#state.lastBlockHeight);
    for (const pair of pairs) {
      const outcome = this.#settle(pair);
      if (outcome === 'full') continue;
      settled.push(pair);
      if (outcome !== 'known' && outcome !== 'impossible') made.push(outcome);
    }
    const waiting = pairs.length - settled.length;
    if (waiting !== this.#heldBack && waiting > 0) {
      const facts = { waiting, pending: this.#pending.size };
      this.#ports.log.warn(facts, 'no room for evidence of conflicting votes: they wait for it');
    }
    this.#heldBack = waiting;
    if (settled.length === 0) return;
    for (const pair of settled) this.#conflicts.delete(pair);
    await this.#writePairs({ added: [], removed: settled }, made);
  }

  /** The evidence that votes are, or why they are none. */
  #settle(pair: VotePair): Evidence | 'known' | 'full' | 'impossible' {
    try {
      return this.#convict(pair);
    } catch (error) {
      if (isDamage(error)) throw error; // it says nothing about the votes
      const facts = { ...votesFacts(pair.first), reason: messageOf(error) };
      this.#ports.log.error(facts, 'no evidence could be made of votes');
      return 'impossible';
    }
  }

  /** @throws LedgerError when no evidence can come of the votes: it is too old, or its block is not here */
  #convict({ offence, first, second }: VotePair): Evidence | 'known' | 'full' {
    const { chain } = this.#ports;
    const time = chain.header(first.height)?.time;
    if (time === undefined)
      throw new LedgerError('evidence.unknown_height', 'this node has no block of the height of the votes');
    if (isExpired({ height: first.height, time }, this.#state))
      throw new LedgerError('evidence.expired', 'the votes are too old');
    if (this.#offences.has(offence)) return 'known';
    if (!this.#hasRoom(toHex(first.validatorAddress))) return 'full'; // before anything is made of them
    const validators = chain.validators(first.height);
    if (validators === undefined)
      throw new LedgerError('evidence.unknown_height', 'this node has no validators of that height');
    const evidence = duplicateVoteEvidence({ first, second, blockTime: time, validators });
    const added = this.add(evidence);
    return added === 'added' ? evidence : added;
  }

  #accept(evidence: Evidence, hash: Uint8Array): void {
    this.#keep(evidence, hash);
    const facts = { kind: evidence.kind, height: evidenceHeight(evidence), evidence: toHex(hash) };
    this.#ports.log.warn(facts, 'evidence of misbehaviour waits for a block');
    this.#write({ added: [evidence], removed: [], committed: undefined }).catch((error: unknown) => {
      // It is still in memory, and peers have it: a full disk stops the node at the next block anyway.
      this.#ports.log.error({ ...facts, reason: messageOf(error) }, 'evidence could not be stored');
    });
    this.#fresh.push(toHex(hash));
    this.#tell(evidence);
  }

  #tell(evidence: Evidence | undefined): void {
    if (evidence === undefined) return;
    for (const listener of this.#listeners) listener(evidence);
  }

  #keep(evidence: Evidence, hash: Uint8Array): void {
    this.#pending.set(toHex(hash), { evidence, hash });
    this.#offences.add(offenceOf(evidence));
  }

  /** Drops what proves the offences that these prove, by the same or by other votes. */
  #dropProven(committed: readonly Evidence[]): Uint8Array[] {
    const offences = new Set(committed.map(offenceOf));
    return [...this.#pending.values()]
      .filter(({ evidence, hash }) => offences.has(offenceOf(evidence)) && this.#drop(hash))
      .map(({ hash }) => hash);
  }

  #drop(hash: Uint8Array): boolean {
    const key = toHex(hash);
    const found = this.#pending.get(key);
    if (found === undefined) return false;
    this.#pending.delete(key);
    this.#offences.delete(offenceOf(found.evidence));
    return true;
  }

  #write(change: Omit<EvidenceChange, 'pending'>): Promise<void> {
    const pending = this.#inOrder().map(({ hash }) => hash);
    const written = this.#writes.then(() => this.#ports.store.write({ ...change, pending }));
    this.#writes = written.catch(() => undefined); // each caller hears of its own
    return written;
  }

  #inOrder(): readonly Pending[] {
    return [...this.#pending.values()].sort((a, b) => {
      const [left, right] = [evidenceHeight(a.evidence), evidenceHeight(b.evidence)];
      if (left !== right) return left < right ? -1 : 1;
      return compareBytes(a.hash, b.hash);
    });
  }

  /** No block takes it any more: too old, or the parameters leave no room for it. */
  #isOver(evidence: Evidence): boolean {
    if (sizeOf(evidence) > this.#state.consensusParams.evidence.maxBytes) return true;
    return isExpired({ height: evidenceHeight(evidence), time: evidenceTime(evidence) }, this.#state);
  }
}

/** What evidence is of: a second proof of the same offence is worth nothing. */
function offenceOf(evidence: Evidence): string {
  return evidence.kind === 'duplicateVote' ? voteOffence(evidence.voteA) : toHex(evidenceHash(evidence));
}

/** Whose votes it is of; undefined for an attack, which needs a third of the power together. */
function offenderOf(evidence: Evidence): string | undefined {
  return evidence.kind === 'duplicateVote' ? toHex(evidence.voteA.validatorAddress) : undefined;
}

/** Bytes in a block: a list's encoding is that of its members. */
function sizeOf(evidence: Evidence): bigint {
  return BigInt(encodeEvidenceList([evidence]).length);
}

function votesFacts({ height, round, type, validatorAddress }: Vote): Readonly<Record<string, unknown>> {
  return { height, round, type, validator: toHex(validatorAddress).toUpperCase() };
}
