/**
 * Builds a shard: sorts its suffixes, commits to its four trees, and writes both as shard-files.ts says.
 * Memory: 8 bytes a token for text and suffix array, 8 more while they are sorted or inverted, and some for
 * each document.
 */
import { HASH_BYTES } from '../../core/hash.ts';
import { LEAF_TOKENS, SHARD_TREES, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { checkCommitment, leafCount } from '../../modules/attribution/proof/shard/commitment.ts';
import { LEAF_BYTES_MAX } from '../../modules/attribution/proof/shard/leaves.ts';
import { saltCommitment } from '../../modules/attribution/proof/shard/salts.ts';
import { SEPARATOR, TOKENISER_VERSION, tokenBytes } from '../../modules/attribution/proof/tokenise.ts';
import { committedRoot } from '../../modules/attribution/proof/tree.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { type LeafSalt, saltBy, secretOfShard } from '../prove/salts.ts';
import type { ShardDocument } from '../shard.ts';
import {
  type BatchHasher,
  type BatchLimits,
  batchHasher,
  type SuffixHasher,
  type SuffixText,
  wasmSuffixHasher,
} from '../wasm/batch-hasher.ts';
import { wasmSuffixArray } from '../wasm/suffix-array.ts';
import { documentLeaves, inverseLeaves, type LeafSources, suffixLeaves, textLeaves } from './leaf-writers.ts';
import { inverseOf, type OnSortProgress, suffixArray } from './sais.ts';
import { DOCUMENT_BYTES, DOCUMENT_FIELDS, type ShardSink } from './shard-files.ts';
import type { ShardInput } from './shard-input.ts';
import { buildTree, type WriteBatch, type WriteLeaf } from './tree-builder.ts';
import { keptNodes } from './tree-layout.ts';

/** Where a build is: which stage, and how far of how much, in tokens or leaves. */
export interface BuildProgress {
  readonly stage: 'sort' | 'text' | 'suffix' | 'inverse' | 'documents';
  readonly done: number;
  readonly total: number;
  /** What the sort is at, for a person. */
  readonly detail?: string;
}

/** What a shard is to be, and where it goes. */
export interface BuildOptions {
  readonly datanetId: bigint;
  /** Position of the first document in the Datanet's log. */
  readonly firstPosition: bigint;
  /** 1 or 8. */
  readonly entriesPerLeaf: number;
  /** Of the index. Makes the shard a salted one: attest/prove/salts.ts. */
  readonly saltSecret?: Uint8Array | undefined;
  readonly sink: ShardSink;
  readonly progress?: ((progress: BuildProgress) => void) | undefined;
}

/** What does the heavy work: another one gives the same bytes. */
export interface BuildEngines {
  readonly sort: (text: Uint32Array, progress?: OnSortProgress) => Uint32Array;
  readonly hasher: (limits: BatchLimits) => BatchHasher;
  /** Of the suffix tree, where there is one that writes its leaves too. */
  readonly suffixHasher?: (limits: BatchLimits, text: SuffixText) => SuffixHasher | undefined;
}

/** WebAssembly where it runs. */
export const FASTEST: BuildEngines = {
  sort: (text, progress) => wasmSuffixArray(text, progress) ?? suffixArray(text, progress),
  hasher: batchHasher,
  suffixHasher: wasmSuffixHasher,
};

/** Leaves that are hashed in one call: what they are written in stays in a processor's second cache. */
const LIMITS: BatchLimits = { capacity: 512, leafBytesMax: LEAF_BYTES_MAX };

/**
 * Builds a shard and writes its arrays and trees.
 * @throws LedgerError (`attribution.shard_commitment`) for a shard that cannot be: no documents, for one
 */
export function buildShard(
  input: ShardInput,
  options: BuildOptions,
  engines: BuildEngines = FASTEST,
): ShardCommitment {
  const shape = shapeOf(input, options);
  checkCommitment(shape);
  return new ShardBuild(input, options, shape, engines).run();
}

/** The commitment without its roots, which are zeros yet. */
function shapeOf({ documents, text }: ShardInput, options: BuildOptions): ShardCommitment {
  const none = new Uint8Array(HASH_BYTES);
  const { datanetId, firstPosition, saltSecret } = options;
  const place = { datanetId, firstPosition, documents: documents.length };
  return {
    ...place,
    tokens: text.length,
    tokeniser: TOKENISER_VERSION,
    entriesPerLeaf: options.entriesPerLeaf,
    salted: saltSecret !== undefined,
    saltCommitment:
      saltSecret === undefined ? new Uint8Array(0) : saltCommitment(place, secretOfShard(saltSecret, place)),
    ...{ textRoot: none, suffixRoot: none, inverseRoot: none, documentRoot: none },
  };
}

/** Document and byte offset of the first of each 64 tokens: a tombstone's separator is at 0. */
function marksOf(text: Uint32Array): Uint32Array {
  const marks = new Uint32Array(2 * Math.ceil(text.length / LEAF_TOKENS));
  let document = 0;
  let offset = 0;
  for (let position = 0; position < text.length; position++) {
    if (position % LEAF_TOKENS === 0) {
      marks[position / 32] = document;
      marks[position / 32 + 1] = offset;
    }
    const token = text[position] ?? 0;
    offset += tokenBytes(token);
    if (token === SEPARATOR) {
      document++;
      offset = 0;
    }
  }
  return marks;
}

class ShardBuild {
  readonly #input: ShardInput;
  readonly #options: BuildOptions;
  readonly #shape: ShardCommitment;
  readonly #engines: BuildEngines;
  readonly #hasher: BatchHasher;
  readonly #salt: LeafSalt;

  constructor(input: ShardInput, options: BuildOptions, shape: ShardCommitment, engines: BuildEngines) {
    this.#input = input;
    this.#options = options;
    this.#shape = shape;
    this.#engines = engines;
    this.#hasher = engines.hasher(LIMITS);
    this.#salt = saltBy(options.saltSecret, shape);
  }

  run(): ShardCommitment {
    const { text, documents } = this.#input;
    const { entriesPerLeaf } = this.#options;
    const tokens = text.length;
    this.#array('text', text);
    const sa = this.#engines.sort(text, ({ stage, level, tokens: length }) =>
      this.#tell({
        stage: 'sort',
        done: 0,
        total: tokens,
        detail: `${stage} of ${length} at level ${level}`,
      }),
    );
    this.#tell({ stage: 'sort', done: tokens, total: tokens });
    this.#array('suffix', sa);
    const inverseRoot = this.#inverse(sa);
    const marks = marksOf(text);
    this.#array('marks', marks);
    writeDocuments(documents, this.#options.sink);
    // Leaves hold tokens big-endian: reversed once, not once for each of 32 suffixes that begin with one.
    const reversed = new Int32Array(text.buffer, text.byteOffset, text.length);
    swapBytes(text);
    try {
      const sources: LeafSources = { reversed, sa, marks, documents, entriesPerLeaf, salt: this.#salt };
      return {
        ...this.#shape,
        inverseRoot,
        textRoot: this.#tree('text', textLeaves(this.#hasher, sources)),
        suffixRoot: this.#suffix(sources),
        documentRoot: this.#tree('documents', documentLeaves(this.#hasher, sources)),
      };
    } finally {
      swapBytes(text);
    }
  }

  #inverse(sa: Uint32Array): Uint8Array {
    const isa = inverseOf(sa);
    this.#array('inverse', isa);
    return this.#tree('inverse', inverseLeaves(this.#hasher, isa, this.#salt));
  }

  #suffix(sources: LeafSources): Uint8Array {
    const { sa, entriesPerLeaf } = sources;
    const salted = this.#options.saltSecret !== undefined;
    const fast = salted ? undefined : this.#engines.suffixHasher?.(LIMITS, sources);
    if (fast === undefined) return this.#tree('suffix', suffixLeaves(this.#hasher, sources));
    const batch = (first: number, end: number): void =>
      fast.write(sa.subarray(first * entriesPerLeaf, end * entriesPerLeaf));
    return this.#tree('suffix', { batch }, fast.hasher);
  }

  #array(file: 'text' | 'suffix' | 'inverse' | 'marks', array: Uint32Array): void {
    this.#options.sink.create(file, array.byteLength);
    this.#options.sink.write(file, 0, bytesOf(array));
  }

  /** Builds and keeps a tree; the root that is committed to. */
  #tree(tree: ShardTree, write: WriteLeaf | WriteBatch, hasher: BatchHasher = this.#hasher): Uint8Array {
    const { sink } = this.#options;
    const leaves = leafCount(this.#shape, tree);
    sink.create(`${tree}-tree`, keptNodes(leaves) * HASH_BYTES);
    const root = buildTree(hasher, {
      leaves,
      write,
      keep: (at, hashes) => sink.write(`${tree}-tree`, at, hashes),
      progress: (done) => this.#tell({ stage: tree, done, total: leaves }),
    });
    return committedRoot({ kind: SHARD_TREES[tree], leaves, root });
  }

  #tell(progress: BuildProgress): void {
    this.#options.progress?.(progress);
  }
}

function bytesOf(array: Uint32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** Reverses the bytes of each integer, in place. */
function swapBytes(array: Uint32Array): void {
  bytesOf(array).swap32();
}

/** Writes `documents` and `addresses`. */
function writeDocuments(documents: readonly ShardDocument[], sink: ShardSink): void {
  const records = Buffer.alloc(documents.length * DOCUMENT_BYTES);
  const addresses: Uint8Array[] = [];
  const offsets = new Map<string, number>();
  let addressBytes = 0;
  for (const [index, document] of documents.entries()) {
    const key = Buffer.from(document.contributor).toString('latin1');
    let address = offsets.get(key);
    if (address === undefined) {
      address = addressBytes;
      offsets.set(key, address);
      addresses.push(Uint8Array.of(document.contributor.length), document.contributor);
      addressBytes += 1 + document.contributor.length;
    }
    writeDocument(records.subarray(index * DOCUMENT_BYTES), document, address);
  }
  sink.create('documents', records.length);
  sink.write('documents', 0, records);
  sink.create('addresses', addressBytes);
  sink.write('addresses', 0, Buffer.concat(addresses));
}

function writeDocument(record: Buffer, document: ShardDocument, address: number): void {
  record.writeBigUInt64LE(document.contributionId, DOCUMENT_FIELDS.contributionId);
  record.writeBigUInt64LE(BigInt(document.byteLength), DOCUMENT_FIELDS.byteLength);
  record.writeUInt32LE(document.firstToken, DOCUMENT_FIELDS.firstToken);
  record.writeUInt32LE(document.tokens, DOCUMENT_FIELDS.tokens);
  record.writeUInt32LE(address, DOCUMENT_FIELDS.address);
  record.writeUInt32LE(document.tombstone ? 1 : 0, DOCUMENT_FIELDS.flags);
  record.set(document.root, DOCUMENT_FIELDS.root);
}
