/** A shard as readers see it: its arrays, and leaves and nodes of its trees, made from what is stored. */
import { HASH_BYTES } from '../../core/hash.ts';
import { innerHash, leafHash } from '../../core/merkle.ts';
import { LEAF_TOKENS, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import { SEPARATOR, tokenBytes } from '../../modules/attribution/proof/tokenise.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { leafOfArrays } from '../prove/memory.ts';
import { type LeafSalt, saltBy } from '../prove/salts.ts';
import type { ShardDocument, ShardReader } from '../shard.ts';
import { indexError } from './errors.ts';
import { DOCUMENT_BYTES, DOCUMENT_FIELDS, type ShardStorage, type Uint32Source } from './shard-files.ts';
import { FIRST_KEPT_LEVEL, keptNodes, nodesOf, rootLevel } from './tree-layout.ts';

/** Reads a shard from where a build has put it. */
export class StoredShard implements ShardReader {
  readonly commitment: ShardCommitment;
  readonly tokens: number;
  readonly documents: number;
  readonly #storage: ShardStorage;
  readonly #salt: LeafSalt;
  readonly #text: Uint32Source;
  readonly #suffix: Uint32Source;
  readonly #inverse: Uint32Source;
  readonly #marks: Uint32Source;

  /** @param saltSecret of a salted shard, to open its leaves; its arrays are read without */
  constructor(commitment: ShardCommitment, storage: ShardStorage, saltSecret?: Uint8Array) {
    this.commitment = commitment;
    this.tokens = commitment.tokens;
    this.documents = commitment.documents;
    this.#storage = storage;
    this.#salt = commitment.salted && saltSecret === undefined ? missingSalt : saltBy(saltSecret, commitment);
    this.#text = storage.uint32('text');
    this.#suffix = storage.uint32('suffix');
    this.#inverse = storage.uint32('inverse');
    this.#marks = storage.uint32('marks');
  }

  token(position: number): number {
    return this.#text.get(position);
  }

  suffix(rank: number): number {
    return this.#suffix.get(rank);
  }

  rank(position: number): number {
    return this.#inverse.get(position);
  }

  documentAt(position: number): number {
    const mark = Math.floor(position / LEAF_TOKENS);
    let document = this.#marks.get(2 * mark);
    const next = LEAF_TOKENS * (mark + 1);
    if (next < this.tokens && this.#marks.get(2 * mark + 2) === document) return document;
    for (let i = LEAF_TOKENS * mark; i < position; i++) if (this.token(i) === SEPARATOR) document++;
    return document;
  }

  byteOffset(position: number): number {
    const mark = Math.floor(position / LEAF_TOKENS);
    let offset = this.#marks.get(2 * mark + 1);
    for (let i = LEAF_TOKENS * mark; i < position; i++) {
      const token = this.token(i);
      offset = token === SEPARATOR ? 0 : offset + tokenBytes(token);
    }
    return offset;
  }

  document(index: number): ShardDocument {
    const bytes = this.#storage.read('documents', index * DOCUMENT_BYTES, DOCUMENT_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const address = view.getUint32(DOCUMENT_FIELDS.address, true);
    const [length = 0] = this.#storage.read('addresses', address, 1);
    return {
      contributionId: view.getBigUint64(DOCUMENT_FIELDS.contributionId, true),
      tombstone: (view.getUint32(DOCUMENT_FIELDS.flags, true) & 1) === 1,
      contributor: Uint8Array.from(this.#storage.read('addresses', address + 1, length)),
      root: bytes.slice(DOCUMENT_FIELDS.root, DOCUMENT_FIELDS.root + HASH_BYTES),
      byteLength: Number(view.getBigUint64(DOCUMENT_FIELDS.byteLength, true)),
      firstToken: view.getUint32(DOCUMENT_FIELDS.firstToken, true),
      tokens: view.getUint32(DOCUMENT_FIELDS.tokens, true),
    };
  }

  leaf(tree: ShardTree, index: number): Uint8Array {
    const { entriesPerLeaf } = this.commitment;
    return leafOfArrays(this, { tree, index, entriesPerLeaf, salt: this.#salt(tree, index) });
  }

  node(tree: ShardTree, level: number, index: number): Uint8Array {
    const leaves = leafCount(this.commitment, tree);
    if (level > rootLevel(leaves) || index >= nodesOf(leaves, level))
      throw indexError(
        'missing',
        `the ${tree} tree of ${leaves} leaves has no node ${index} at level ${level}`,
      );
    if (level === 0) return leafHash(this.leaf(tree, index));
    if (level >= FIRST_KEPT_LEVEL) {
      const at = (keptNodes(leaves, level) + index) * HASH_BYTES;
      return Uint8Array.from(this.#storage.read(`${tree}-tree`, at, HASH_BYTES));
    }
    const left = this.node(tree, level - 1, 2 * index);
    const hasRight = 2 * index + 1 < nodesOf(leaves, level - 1);
    return hasRight ? innerHash(left, this.node(tree, level - 1, 2 * index + 1)) : left;
  }
}

const missingSalt: LeafSalt = () => {
  throw indexError('salt', 'the shard is salted: its leaves open only with the secret it was built with');
};
