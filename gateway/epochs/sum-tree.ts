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

/** Nodes that are kept, level by level from 0 on, `CHUNK_NODES` in a buffer. */
export type KeptNodes = readonly (readonly Uint8Array[])[];

/** A tree as nothing but buffers: what one thread can hand to another. */
export interface PackedTree {
  readonly leaves: PackedLeaves;
  readonly nodes: KeptNodes;
}

/**
 * A tree over packed leaves, which it uses from then on.
 * @throws AssertionError when a leaf is malformed, or a sum does not fit into 64 bits
 */
export function buildSumTree(of: SumTreeKind, leaves: PackedLeaves): PublishedTree {
  return openTree(of, packTree(of, leaves));
}

/** The same, packed. @throws AssertionError as `buildSumTree` does */
export function packTree(of: SumTreeKind, leaves: PackedLeaves): PackedTree {
  const nodes = nodesOver(of, sourceOf(leaves));
  if ('why' in nodes) assert(false, nodes.why, { kind: of.kind, index: nodes.index });
  return { leaves, nodes };
}

/** The tree that was packed. */
export function openTree(of: SumTreeKind, { leaves, nodes }: PackedTree): PublishedTree {
  return treeWith(of, sourceOf(leaves), nodes);
}

/** A tree over any leaves, which it asks for again when something is opened. */
export function sumTreeOf(of: SumTreeKind, source: LeafSource): PublishedTree | NoSumTree {
  const nodes = nodesOver(of, source);
  return 'why' in nodes ? nodes : treeWith(of, source, nodes);
}

function sourceOf(leaves: PackedLeaves): LeafSource {
  return { count: leaves.count, leaf: (index) => packedLeaf(leaves, index) };
}

/** Hashes all of it; the nodes that are kept. */
function nodesOver(of: SumTreeKind, { count, leaf }: LeafSource): KeptNodes | NoSumTree {
  if (count === 0) return [];
  const levels = new Levels(of, count);
  for (let index = 0; index < count; index++) {
    const why = levels.add(leaf(index));
    if (why !== undefined) return { why, index };
  }
  return levels.end() ? levels.kept() : { why: 'a sum does not fit into 64 bits', index: count - 1 };
}

function treeWith(of: SumTreeKind, { count, leaf }: LeafSource, nodes: KeptNodes): PublishedTree {
  if (count === 0) return emptyTree(of, leaf);
  const node = (level: number, index: number): SumNode => {
    assert(index * 2 ** level < count && level <= levelOver(count), 'no such node', { level, index });
    if (level >= FIRST_KEPT_LEVEL) return keptNode(of, nodes[level] ?? [], index);
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

function keptNode(of: SumTreeKind, chunks: readonly Uint8Array[], index: number): SumNode {
  const chunk = defined(chunks[Math.floor(index / CHUNK_NODES)], 'node');
  return readSumNode(of, chunk, (index % CHUNK_NODES) * nodeBytes(of));
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

  /** Nodes of the levels that are kept; the others have none. */
  kept(): KeptNodes {
    return this.#levels.map(({ chunks }) => chunks);
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
