/**
 * Whether the evidence in blocks is true: it takes stake away. Judged as nodes judge it, by the blocks of its
 * age, of which only the hashes stay in memory: a header that is needed is read again and must have its hash.
 */
import type { Block } from '../../consensus/types/block.ts';
import type { Commit } from '../../consensus/types/commit.ts';
import { type Evidence, evidenceHash, evidenceHeight } from '../../consensus/types/evidence.ts';
import { type Header, headerHash } from '../../consensus/types/header.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { toHex, toUpperHex } from '../../core/bytes.ts';
import { defined, messageOf } from '../../core/errors.ts';
import { machine } from '../../node/environment.ts';
import { isExpired } from '../../node/evidence/expiry.ts';
import { verifyEvidence } from '../../node/evidence/verify.ts';
import type { ChainState } from '../../node/state/chain-state.ts';
import { AuditDifference } from './difference.ts';

/** Heights that are remembered at most: 250 bytes each. Evidence of older ones is not judged. */
const HEIGHTS_MAX = 200_000;

/** Reads a block again, or one that comes after. */
export type ReadBlock = (height: bigint) => Promise<Block>;

interface Known {
  /** Of its header, upper-case hexadecimal. */
  readonly hash: string;
  readonly time: Time;
  /** Who decided it. One object for all blocks of the same validators. */
  readonly validators: KnownSet;
}

/** A set of validators and the last height that it decided. */
interface KnownSet {
  readonly set: ValidatorSet;
  last: bigint;
}

/** See the file comment. */
export class EvidenceWindow {
  /** Pieces found true. */
  judged = 0;
  /** Pieces of heights before the first block of the replay: the signatures of the block stand for them. */
  unjudged = 0;
  readonly #blocks = new Map<bigint, Known>();
  readonly #sets = new Map<string, KnownSet>();
  /** Hash of each piece that is in a block, with the height that it is of. */
  readonly #committed = new Map<string, bigint>();

  /** Remembers an executed block; `validators` decided it. */
  add({ header }: Block, validators: ValidatorSet, state: ChainState): void {
    const { height, time } = header;
    const name = toHex(header.validatorsHash);
    const known = this.#sets.get(name) ?? { set: validators, last: height };
    known.last = height;
    this.#sets.set(name, known);
    this.#blocks.set(height, { hash: toUpperHex(headerHash(header)), time, validators: known });
    for (const [old, { time: at }] of this.#blocks) {
      if (this.#blocks.size <= HEIGHTS_MAX && !isExpired({ height: old, time: at }, state)) break;
      this.#blocks.delete(old);
    }
    const [lowest = height] = this.#blocks.keys();
    for (const [key, { last }] of this.#sets) if (last < lowest) this.#sets.delete(key);
    for (const [key, of] of this.#committed) if (of < lowest) this.#committed.delete(key);
  }

  /** Judges the evidence of the block that follows. @throws AuditDifference */
  async check(block: Block, state: ChainState, read: ReadBlock): Promise<void> {
    for (const evidence of block.evidence) {
      const key = toHex(evidenceHash(evidence));
      try {
        if (this.#committed.has(key)) throw new RangeError('the same evidence is in a block before');
        if (await this.#judge(evidence, state, read)) this.judged++;
        else this.unjudged++;
      } catch (error) {
        if (error instanceof AuditDifference) throw error;
        const { height } = block.header;
        const chain = `${toUpperHex(evidenceHash(evidence))} of height ${evidenceHeight(evidence)}`;
        throw new AuditDifference({ height, what: 'evidence', chain, replay: messageOf(error) }, error);
      }
      this.#committed.set(key, evidenceHeight(evidence));
    }
  }

  /** False when it is of a height that the replay does not know. @throws what `verifyEvidence` throws */
  async #judge(evidence: Evidence, state: ChainState, read: ReadBlock): Promise<boolean> {
    const last = state.lastBlockHeight;
    const heights = new Set([evidenceHeight(evidence)]);
    if (evidence.kind === 'lightClientAttack') {
      const { height } = evidence.conflictingBlock.header;
      heights.add(height < last ? height : last);
    }
    if ([...heights].some((height) => !this.#blocks.has(height))) return false;
    const headers = new Map<bigint, Header>();
    const commits = new Map<bigint, Commit>();
    for (const height of heights) {
      headers.set(height, (await this.#block(height, read)).header);
      if (height < last) commits.set(height, (await this.#block(height + 1n, read)).lastCommit);
    }
    const chain = {
      range: () => ({ base: [...this.#blocks.keys()][0] ?? 0n, height: last }),
      header: (height: bigint) => headers.get(height),
      commit: (height: bigint) => commits.get(height),
      validators: (height: bigint) => this.#blocks.get(height)?.validators.set,
      evidence: () => [],
    };
    verifyEvidence(evidence, { chain, state, verify: machine.verify });
    return true;
  }

  /** A block that was executed before. */
  async #block(height: bigint, read: ReadBlock): Promise<Block> {
    const block = await read(height);
    const { hash } = defined(this.#blocks.get(height), 'executed block');
    const chain = toUpperHex(headerHash(block.header));
    if (chain === hash) return block;
    const note = 'the source gave another block when it was asked before';
    throw new AuditDifference({ height, what: 'block hash', chain, replay: hash, note });
  }
}
