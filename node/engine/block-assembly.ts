/**
 * The blocks that one height is about, on their way from parts to a whole. A part says in its proof which
 * root it belongs to, so parts that come before their proposal are kept, within a bound, and used when the
 * proposal is here.
 */
import type { BitArray } from '../../consensus/types/bit-array.ts';
import { type Block, decodeBlock } from '../../consensus/types/block.ts';
import type { BlockId, PartSetHeader } from '../../consensus/types/block-id.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { BLOCK_BYTES_MAX } from '../../consensus/types/limits.ts';
import { type Part, PartSet } from '../../consensus/types/part-set.ts';
import type { ConsensusView } from '../../consensus/view.ts';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { defined, LedgerError } from '../../core/errors.ts';
import { leafHash, rootFromProof } from '../../core/merkle.ts';
import { EarlyParts } from './early-parts.ts';
import type { PartsReader } from './ports.ts';

/** Different blocks of one height that are held: one per round is usual. */
const BLOCKS_MAX = 64;

/**
 * What became of a part. `early`: kept until somebody asks for its block. `unwanted`: there was no room to
 * keep it.
 */
export type PartOutcome = 'added' | 'duplicate' | 'invalid' | 'early' | 'unwanted';

interface Assembly {
  readonly set: PartSet;
  block: Block | undefined;
}

/**
 * Parts and blocks of the current height. A block that was forgotten for others may be needed again:
 * somebody must `want` it anew.
 */
export class BlockAssembly implements PartsReader {
  readonly #inUse: () => readonly PartSetHeader[];
  #bytesMax: number = BLOCK_BYTES_MAX;
  #assemblies = new Map<string, Assembly>();
  #early = new EarlyParts();

  /** `inUse` names the blocks that must not be forgotten. */
  constructor(inUse: () => readonly PartSetHeader[] = (): readonly PartSetHeader[] => []) {
    this.#inUse = inUse;
  }

  /** Begins a height: forgets the blocks of the one before. */
  reset(blockBytesMax: bigint): void {
    this.#bytesMax = blockBytesMax === -1n ? BLOCK_BYTES_MAX : Number(blockBytesMax);
    this.#assemblies = new Map();
    this.#early = new EarlyParts();
  }

  /**
   * Asks for a block; beyond `BLOCKS_MAX` the oldest one that is not in use is forgotten. Returns the parts
   * that had come early and are part of it now.
   * @throws DecodeError when the header states no part, or more than a block may have
   */
  want(header: PartSetHeader): readonly Part[] {
    const key = headerKey(header);
    if (this.#assemblies.has(key)) return [];
    const set = new PartSet(header, this.#bytesMax);
    if (this.#assemblies.size >= BLOCKS_MAX) this.#forgetOldest();
    this.#assemblies.set(key, { set, block: undefined });
    return this.#early.take(key).filter((part) => set.add(part) === 'added');
  }

  #forgetOldest(): void {
    const kept = new Set(this.#inUse().map(headerKey));
    for (const key of this.#assemblies.keys()) {
      if (kept.has(key)) continue;
      this.#assemblies.delete(key);
      return;
    }
  }

  /** Takes a part from a peer. */
  add(
    part: Part,
    peer: string,
  ): { readonly outcome: PartOutcome; readonly header: PartSetHeader | undefined } {
    const hash = rootFromProof(part.proof);
    if (hash === undefined) return { outcome: 'invalid', header: undefined };
    const header = { total: part.proof.total, hash };
    const key = headerKey(header);
    const assembly = this.#assemblies.get(key);
    if (assembly !== undefined) return { outcome: assembly.set.add(part), header };
    // Checked now: forged bytes would stand in the way of the right ones.
    const isRight = part.index === part.proof.index && equalBytes(leafHash(part.bytes), part.proof.leafHash);
    if (!isRight) return { outcome: 'invalid', header };
    return { outcome: this.#early.add({ key, part, peer }), header };
  }

  /** Takes a part that this node verified before: from its own proposal, its log, or block sync. */
  restore(part: Part): void {
    const hash = rootFromProof(part.proof);
    if (hash === undefined) return;
    const header = { total: part.proof.total, hash };
    this.want(header);
    this.#assemblies.get(headerKey(header))?.set.add(part);
  }

  /** True when all parts of the block are here. */
  isComplete(header: PartSetHeader): boolean {
    return this.#assemblies.get(headerKey(header))?.set.isComplete() ?? false;
  }

  /** The parts of a block, as far as they are here. */
  set(header: PartSetHeader): PartSet | undefined {
    return this.#assemblies.get(headerKey(header))?.set;
  }

  /** All parts of a block; none when some are missing. */
  parts(header: PartSetHeader): readonly Part[] {
    const set = this.set(header);
    if (set === undefined || !set.isComplete()) return [];
    return Array.from({ length: header.total }, (_, index) => defined(set.part(index), 'part'));
  }

  /**
   * The block of a complete set; undefined when parts are missing.
   * @throws DecodeError when the bytes are not a block, or not the one that the id names
   */
  block(blockId: BlockId): Block | undefined {
    const assembly = this.#assemblies.get(headerKey(blockId.partSetHeader));
    if (assembly === undefined || !assembly.set.isComplete()) return undefined;
    assembly.block ??= decodeBlock(assembly.set.assemble());
    if (equalBytes(headerHash(assembly.block.header), blockId.hash)) return assembly.block;
    throw new LedgerError(
      'engine.block_hash',
      'the parts make a block with another hash than the proposal says',
    );
  }

  partBits(header: PartSetHeader): BitArray | undefined {
    return this.set(header)?.bits();
  }

  part(header: PartSetHeader, index: number): Part | undefined {
    return this.set(header)?.part(index);
  }
}

/** What may still be decided or proposed again. */
export function blocksInUse(view: ConsensusView): readonly PartSetHeader[] {
  const { lockedBlockId, validBlockId, proposal, decided } = view;
  return [lockedBlockId, validBlockId, proposal?.blockId, decided?.blockId]
    .filter((id) => id !== undefined)
    .map((id) => id.partSetHeader);
}

/** A string that is equal for equal headers: a map key. */
export function headerKey(header: PartSetHeader): string {
  return `${header.total}/${toHex(header.hash)}`;
}
