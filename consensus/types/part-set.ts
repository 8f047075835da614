/**
 * A block cut into parts that travel on their own, each with a proof that it belongs to the header's root.
 * A part is checked in full before it is kept: index and proof index must agree (GHSA-r3r4-g7hq-pq4f),
 * sizes must be exact, and the number of parts is bounded before anything is allocated. Whether a part is
 * right depends on the part alone, never on which others are here: who hands on a right part is not at fault,
 * however large its proposer made the block. That is judged when all of it is here.
 */
import { concatBytes } from '../../core/bytes.ts';
import { assert, DecodeError, defined } from '../../core/errors.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { MERKLE_AUNTS_MAX, type MerkleProof, merkleProofs, verifyMerkleProof } from '../../core/merkle.ts';
import { Part as PartMessage } from '../../proto/gen/tendermint/types/types.ts';
import { type BitArray, bitArray } from './bit-array.ts';
import type { PartSetHeader } from './block-id.ts';
import { BLOCK_PART_BYTES, BLOCK_PARTS_MAX } from './limits.ts';

/** One part: its bytes and the path to the root. */
export interface Part {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly proof: MerkleProof;
}

/** What became of a part: kept, had already, or not of this set (the sender is faulty). */
export type AddedPart = 'added' | 'duplicate' | 'invalid';

/** The parts of one block, as far as they have come. Has a lifecycle: it fills up. */
export class PartSet {
  readonly header: PartSetHeader;
  readonly #parts: (Part | undefined)[];
  readonly #bytesMax: number;
  #count = 0;
  #byteLength = 0;

  /**
   * An empty set to be filled.
   * @param header from a proposal, or from votes of +2/3
   * @param bytesMax largest encoded block that the consensus parameters allow
   * @throws DecodeError when the header states no part, or more than that size has
   */
  constructor(header: PartSetHeader, bytesMax: number) {
    const partsMax = Math.min(BLOCK_PARTS_MAX, Math.ceil(bytesMax / BLOCK_PART_BYTES));
    const totalRight = Number.isInteger(header.total) && header.total >= 1 && header.total <= partsMax;
    if (!totalRight || header.hash.length !== HASH_BYTES) {
      throw new DecodeError('part set: impossible header', { total: header.total, partsMax });
    }
    this.header = header;
    this.#bytesMax = bytesMax;
    this.#parts = new Array<Part | undefined>(header.total).fill(undefined);
  }

  /** Keeps a part if it is one of this set. Never throws. */
  add(part: Part): AddedPart {
    const { total, hash } = this.header;
    if (!Number.isInteger(part.index) || part.index < 0 || part.index >= total) return 'invalid';
    if (this.#parts[part.index] !== undefined) return 'duplicate';
    if (part.proof.index !== part.index || part.proof.total !== total) return 'invalid';
    const last = part.index === total - 1;
    const sizeRight = last
      ? part.bytes.length > 0 && part.bytes.length <= BLOCK_PART_BYTES
      : part.bytes.length === BLOCK_PART_BYTES;
    if (!sizeRight) return 'invalid';
    if (!verifyMerkleProof(part.proof, hash, part.bytes)) return 'invalid';
    this.#parts[part.index] = part;
    this.#count++;
    this.#byteLength += part.bytes.length;
    return 'added';
  }

  /** True when all parts are here. */
  isComplete(): boolean {
    return this.#count === this.header.total;
  }

  /** The part at an index, if it is here. */
  part(index: number): Part | undefined {
    return this.#parts[index];
  }

  /** Which parts are here. */
  bits(): BitArray {
    const here: number[] = [];
    this.#parts.forEach((part, index) => {
      if (part !== undefined) here.push(index);
    });
    return bitArray(this.header.total, here);
  }

  /** How many parts are here. */
  count(): number {
    return this.#count;
  }

  /**
   * The block's encoding, put together. The caller knows that the set is complete.
   * @throws DecodeError when it is larger than a block may be
   */
  assemble(): Uint8Array {
    assert(this.isComplete(), 'an incomplete part set cannot be assembled', { total: this.header.total });
    const [bytes, bytesMax] = [this.#byteLength, this.#bytesMax];
    if (bytes > bytesMax) throw new DecodeError('part set: the block is too large', { bytes, bytesMax });
    return concatBytes(...this.#parts.map((part) => defined(part, 'part').bytes));
  }
}

/**
 * Cuts an encoded block into parts with proofs; a complete set. `partBytes` differs from the standard in
 * tests only.
 */
export function partsOf(
  bytes: Uint8Array,
  partBytes: number = BLOCK_PART_BYTES,
): { readonly header: PartSetHeader; readonly parts: readonly Part[] } {
  assert(bytes.length > 0, 'a block has at least one byte');
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += partBytes) {
    pieces.push(bytes.subarray(from, Math.min(bytes.length, from + partBytes)));
  }
  const { root, proofs } = merkleProofs(pieces);
  const parts = pieces.map((piece, index) => ({
    index,
    bytes: piece,
    proof: defined(proofs[index], 'proof'),
  }));
  return { header: { total: parts.length, hash: root }, parts };
}

/** The complete part set of an encoded block. */
export function partSetOf(bytes: Uint8Array): PartSet {
  const { header, parts } = partsOf(bytes);
  const set = new PartSet(header, bytes.length);
  for (const part of parts) assert(set.add(part) === 'added', 'own part is valid', { index: part.index });
  return set;
}

/** Encodes a part. */
export function encodePart(part: Part): Uint8Array {
  return PartMessage.encode(partToMessage(part));
}

/** @throws DecodeError when the bytes are not a part, or not one that `partFromMessage` takes */
export function decodePart(bytes: Uint8Array): Part {
  return partFromMessage(PartMessage.decode(bytes, { elementsMax: MERKLE_AUNTS_MAX }));
}

/** The part as a message, to stand inside another. */
export function partToMessage(part: Part): PartMessage {
  const { total, index, leafHash, aunts } = part.proof;
  return {
    index: part.index,
    bytes: part.bytes,
    proof: { total: BigInt(total), index: BigInt(index), leafHash, aunts },
  };
}

/**
 * Reads a part and checks what can be checked without its set.
 * @throws DecodeError when numbers are out of range or disagree, or hashes have a wrong length
 */
export function partFromMessage(message: PartMessage): Part {
  const { proof } = message;
  const total = Number(proof.total);
  if (proof.total < 1n || proof.total > BigInt(BLOCK_PARTS_MAX) || message.index >= total) {
    throw new DecodeError('part: index or total out of range', { index: message.index, total: proof.total });
  }
  if (proof.index !== BigInt(message.index)) throw new DecodeError('part: index is not that of its proof');
  if (message.bytes.length > BLOCK_PART_BYTES) throw new DecodeError('part: too large');
  const hashesRight =
    proof.leafHash.length === HASH_BYTES &&
    proof.aunts.length <= MERKLE_AUNTS_MAX &&
    proof.aunts.every((aunt) => aunt.length === HASH_BYTES);
  if (!hashesRight) throw new DecodeError('part: malformed proof');
  const { leafHash, aunts } = proof;
  return {
    index: message.index,
    bytes: message.bytes,
    proof: { total, index: message.index, leafHash, aunts },
  };
}
