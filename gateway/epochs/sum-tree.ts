/**
 * Merkle-sum trees in memory, built while their leaves pass by. Each level has one input of its hash, in
 * which the two children of a node lie as they are hashed: a node is written there once, and where its tree
 * keeps it.
 *
 * The lowest levels are not kept: they are seven eighths of the nodes, and eight leaves are hashed again in
 * the time of a few microseconds when one of theirs is asked for.
 */
import { assert, defined } from '../../core/errors.ts';
import { HASH_BYTES, sha256Into } from '../../core/hash.ts';
import type { SumTreeKind } from '../../modules/settlement/proof/kinds.ts';
import { addSums, nodeBytes, readSumNode, sumNodeHash } from '../../modules/settlement/proof/sum-tree.ts';
import type { SumNode, SumTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { writeLeafSums } from './leaf-sums.ts';
import { type PackedLeaves, packedLeaf } from './packed.ts';
import { levelOver, type PublishedTree } from './published.ts';

const TWO_32 = 2 ** 32;
/** The lowest level that is kept. */
const FIRST_KEPT_LEVEL = 3;
const CHUNK_NODES = 4096;
const NODE_PREFIX = 1;
/** Prefix and kind. */
const NODE_HEAD_BYTES = 2;

/** Leaves that are asked for one by one, each once and in order. */
export interface LeafSource {
  readonly count: number;
  /** It may be a view. */
  readonly leaf: (index: number) => Uint8Array;
}

/** Why leaves have no tree. */
export interface NoSumTree {
  readonly why: 'a leaf is malformed' | 'a sum does not fit into 64 bits';
  /** Of the leaf; of the last leaf below the sum. */
  readonly index: number;
}

/**
 * A tree over packed leaves, which it uses from then on.
 * @throws AssertionError when a leaf is malformed, or a sum does not fit into 64 bits
 */
export function buildSumTree(of: SumTreeKind, leaves: PackedLeaves): PublishedTree {
  const built = sumTreeOf(of, { count: leaves.count, leaf: (index) => packedLeaf(leaves, index) });
  if ('why' in built) assert(false, built.why, { kind: of.kind, index: built.index });
  return built;
}

/** The same over any leaves, which it asks for again when something is opened. */
export function sumTreeOf(of: SumTreeKind, { count, leaf }: LeafSource): PublishedTree | NoSumTree {
  if (count === 0) return emptyTree(of, leaf);
  const levels = new Levels(of, count);
  for (let index = 0; index < count; index++) {
    const why = levels.add(leaf(index));
    if (why !== undefined) return { why, index };
  }
  if (!levels.end()) return { why: 'a sum does not fit into 64 bits', index: count - 1 };
  const node = (level: number, index: number): SumNode => {
    assert(index * 2 ** level < count && level <= levelOver(count), 'no such node', { level, index });
    if (level >= FIRST_KEPT_LEVEL) return levels.kept(level, index);
    if (level === 0) return leafNode(of, leaf(index));
    const left = node(level - 1, 2 * index);
    if ((2 * index + 1) * 2 ** (level - 1) >= count) return left;
    const right = node(level - 1, 2 * index + 1);
    return { hash: sumNodeHash(of, left, right), sums: defined(addSums(left.sums, right.sums), 'sums') };
  };
  const top = node(levelOver(count), 0);
  const tree: SumTree = { leaves: count, sums: top.sums, root: top.hash };
  return { of, tree, leaf, node };
}

function emptyTree(of: SumTreeKind, leaf: PublishedTree['leaf']): PublishedTree {
  const node = (level: number, index: number): SumNode => {
    assert(false, 'a tree without leaves has no nodes', { level, index });
  };
  return { of, tree: { leaves: 0, sums: [], root: new Uint8Array(0) }, leaf, node };
}

function leafNode(of: SumTreeKind, leaf: Uint8Array): SumNode {
  const node = Buffer.alloc(nodeBytes(of));
  const input = Buffer.alloc(1 + leaf.length);
  input.set(leaf, 1);
  sha256Into(input, node, 0);
  assert(writeLeafSums(of, leaf, node, HASH_BYTES), 'a leaf is malformed', { kind: of.kind });
  return readSumNode(of, node, 0);
}

/** A level while it is built, and what is kept of it. */
interface Level {
  /** What the next node above is the hash of: prefix, kind, left child, right child. */
  readonly input: Buffer;
  readonly view: DataView;
  /** Its nodes, `CHUNK_NODES` in each, as they come: a stated number of leaves makes nobody take memory. */
  readonly chunks: Buffer[];
  count: number;
}

/** All levels of a tree while it is built. */
class Levels {
  readonly #of: SumTreeKind;
  readonly #leaves: number;
  readonly #width: number;
  readonly #levels: readonly Level[];
  #leafInput: Buffer = Buffer.alloc(0);

  constructor(of: SumTreeKind, leaves: number) {
    this.#of = of;
    this.#leaves = leaves;
    this.#width = nodeBytes(of);
    this.#levels = Array.from({ length: levelOver(leaves) + 1 }, (): Level => {
      const input = Buffer.alloc(NODE_HEAD_BYTES + 2 * this.#width);
      input[0] = NODE_PREFIX;
      input[1] = of.kind;
      const view = new DataView(input.buffer, input.byteOffset, input.length);
      return { input, view, chunks: [], count: 0 };
    });
  }

  /** Adds the next leaf; why it cannot be added. */
  add(leaf: Uint8Array): NoSumTree['why'] | undefined {
    const bottom = this.#level(0);
    const at = this.#nextAt(bottom);
    // The prefix of a leaf is 0.
    if (this.#leafInput.length !== 1 + leaf.length) this.#leafInput = Buffer.alloc(1 + leaf.length);
    this.#leafInput.set(leaf, 1);
    if (!writeLeafSums(this.#of, leaf, bottom.input, at + HASH_BYTES)) return 'a leaf is malformed';
    sha256Into(this.#leafInput, bottom.input, at);
    return this.#raise(0) ? undefined : 'a sum does not fit into 64 bits';
  }

  /** Takes lone last nodes up to the root, as they are. False when a sum does not fit. */
  end(): boolean {
    for (const [number, { count, input }] of this.#levels.entries()) {
      if (number === this.#levels.length - 1 || count % 2 === 0) continue;
      const above = this.#level(number + 1);
      input.copy(above.input, this.#nextAt(above), NODE_HEAD_BYTES, NODE_HEAD_BYTES + this.#width);
      if (!this.#raise(number + 1)) return false;
    }
    return true;
  }

  /** A node of a level that is kept. */
  kept(level: number, index: number): SumNode {
    const chunk = this.#level(level).chunks[Math.floor(index / CHUNK_NODES)];
    return readSumNode(this.#of, defined(chunk, 'node'), (index % CHUNK_NODES) * this.#width);
  }

  #keep(number: number, node: Uint8Array): void {
    const { chunks, count } = this.#level(number);
    const last = count % CHUNK_NODES === 0 ? undefined : chunks.at(-1);
    const nodes = Math.min(CHUNK_NODES, Math.ceil(this.#leaves / 2 ** number) - count);
    const chunk = last ?? Buffer.alloc(nodes * this.#width);
    if (last === undefined) chunks.push(chunk);
    chunk.set(node, (count % CHUNK_NODES) * this.#width);
  }

  #level(number: number): Level {
    return defined(this.#levels[number], 'level');
  }

  /** Where the level's next node goes in its input. */
  #nextAt({ count }: Level): number {
    return NODE_HEAD_BYTES + (count % 2) * this.#width;
  }

  /** A node was written to the input of a level: keeps it, and hashes what it completes. */
  #raise(number: number): boolean {
    const level = this.#level(number);
    const at = this.#nextAt(level);
    if (number >= FIRST_KEPT_LEVEL) this.#keep(number, level.input.subarray(at, at + this.#width));
    level.count++;
    if (level.count % 2 === 1) return true;
    const above = this.#level(number + 1);
    const to = this.#nextAt(above);
    sha256Into(level.input, above.input, to);
    for (let column = 0; column < this.#of.columns; column++) {
      const sum = NODE_HEAD_BYTES + HASH_BYTES + 8 * column;
      const fits = addUint64(level.view, sum, sum + this.#width, {
        view: above.view,
        at: to + HASH_BYTES + 8 * column,
      });
      if (!fits) return false;
    }
    return this.#raise(number + 1);
  }
}

/**
 * Writes the sum of two unsigned 64-bit integers, as halves of 32 bits: a tenth of the time of bigints. False
 * when it does not fit.
 */
function addUint64(
  view: DataView,
  a: number,
  b: number,
  out: { readonly view: DataView; readonly at: number },
): boolean {
  const low = view.getUint32(a + 4) + view.getUint32(b + 4);
  const high = view.getUint32(a) + view.getUint32(b) + (low >= TWO_32 ? 1 : 0);
  if (high >= TWO_32) return false;
  out.view.setUint32(out.at, high);
  out.view.setUint32(out.at + 4, low % TWO_32);
  return true;
}
