/**
 * A whole version as a sequence of chunks, and back: for restarts, and for peers that want the state.
 *
 * A chunk is a sequence of items: `2 name` begins a substore; its nodes follow in post-order as `0 version
 * key value` (leaf) or `1 version` (inner node over the last two subtrees). Shape and versions are all that
 * hashes need beside the pairs, so an import ends with the app hash computed from nothing but the chunks.
 */
import { fromUtf8, utf8 } from '../core/bytes.ts';
import { DecodeError } from '../core/errors.ts';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import { hashImported } from './iavl/hash.ts';
import { type NodeArena, type NodeId, searchKey } from './iavl/node-arena.ts';

/** A chunk ends with the item that fills it beyond this. */
export const SNAPSHOT_CHUNK_BYTES: number = 256 * 1024;

const LEAF = 0;
const INNER = 1;
const STORE = 2;

/** The chunks of the trees under these roots (by store name), each ended by the item that fills it. */
export function* exportChunks(
  arena: NodeArena,
  roots: Iterable<readonly [name: string, root: NodeId]>,
  chunkBytes: number = SNAPSHOT_CHUNK_BYTES,
): Generator<Uint8Array, void, void> {
  let out = new ByteWriter();
  for (const [name, root] of roots) {
    out.uvarint(STORE);
    out.bytes(utf8(name));
    for (const node of postOrder(arena, root)) {
      writeNode(arena, node, out);
      if (out.length < chunkBytes) continue;
      yield out.finish();
      out = new ByteWriter();
    }
  }
  if (out.length > 0) yield out.finish();
}

function writeNode(arena: NodeArena, node: NodeId, out: ByteWriter): void {
  const isLeaf = arena.isLeaf(node);
  out.uvarint(isLeaf ? LEAF : INNER);
  out.uvarint(arena.version(node));
  if (!isLeaf) return;
  out.bytes(arena.bytes.read(arena.keyRef(node)));
  out.bytes(arena.bytes.read(arena.value(node)));
}

function* postOrder(arena: NodeArena, root: NodeId): Generator<NodeId, void, void> {
  if (root === 0) return;
  // A negative entry is an inner node whose children have been visited.
  const stack: number[] = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node < 0) yield -node;
    else if (arena.isLeaf(node)) yield node;
    else stack.push(-node, arena.right(node), arena.left(node));
  }
}

/** A subtree that waits for its sibling or its end. */
interface Subtree {
  readonly node: NodeId;
  readonly leftmost: NodeId;
}

/** Builds trees from chunks in their order. */
export class SnapshotImport {
  readonly #arena: NodeArena;
  readonly #highest: number;
  readonly #roots = new Map<string, NodeId>();
  #name: string | undefined;
  #stack: Subtree[] = [];

  /** `version` is that of the snapshot: no node may have a higher one. */
  constructor(arena: NodeArena, version: bigint) {
    this.#arena = arena;
    this.#highest = Number(version);
  }

  /** @throws DecodeError when the chunk cannot follow those before */
  add(chunk: Uint8Array): void {
    const input = new ByteReader(chunk);
    while (!input.done) {
      const kind = input.uvarint();
      if (kind === STORE) this.#beginStore(fromUtf8(input.bytes()));
      else if (kind === LEAF) this.#addLeaf(input);
      else if (kind === INNER) this.#addInner(input);
      else throw new DecodeError('unknown kind of snapshot item', { kind });
    }
  }

  /**
   * Roots by store name, after the last chunk.
   * @throws DecodeError when chunks are missing
   */
  finish(): ReadonlyMap<string, NodeId> {
    this.#endStore();
    return this.#roots;
  }

  #beginStore(name: string): void {
    this.#endStore();
    if (this.#roots.has(name)) throw new DecodeError('a store is twice in a snapshot', { name });
    this.#name = name;
    this.#stack = [];
  }

  #endStore(): void {
    if (this.#name === undefined) return;
    if (this.#stack.length > 1)
      throw new DecodeError('a tree in a snapshot is cut short', { name: this.#name });
    this.#roots.set(this.#name, this.#stack[0]?.node ?? 0);
    this.#name = undefined;
  }

  #addLeaf(input: ByteReader): void {
    const version = this.#version(input);
    const key = searchKey(input.bytes());
    const node = this.#arena.newLeaf(key, input.bytes());
    hashImported(this.#arena, node, version);
    this.#stack.push({ node, leftmost: node });
  }

  #addInner(input: ByteReader): void {
    const version = this.#version(input);
    const right = this.#stack.pop();
    const left = this.#stack.pop();
    if (left === undefined || right === undefined) {
      throw new DecodeError('an inner node in a snapshot lacks a child', { name: this.#name });
    }
    const node = this.#arena.newInner(right.leftmost, left.node, right.node);
    hashImported(this.#arena, node, version);
    this.#stack.push({ node, leftmost: left.leftmost });
  }

  #version(input: ByteReader): number {
    const version = input.uvarint();
    if (this.#name === undefined || version === 0 || version > this.#highest) {
      throw new DecodeError('a node in a snapshot is out of place', { name: this.#name, version });
    }
    return version;
  }
}
