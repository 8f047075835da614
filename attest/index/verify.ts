/**
 * Verifies a shard on disk: everything that it says follows from its documents and its text. The suffix array
 * is not sorted again but checked (local-checks.ts); leaves and nodes are made again and compared with what
 * is kept; the roots with the commitment. Memory: 16 bytes a token.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import type { ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { leafCount, rootOf } from '../../modules/attribution/proof/shard/commitment.ts';
import { detokenise, SEPARATOR, tokenise } from '../../modules/attribution/proof/tokenise.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { ShardCommitment } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { ShardDocument } from '../shard.ts';
import { type BuildProgress, buildShard, FASTEST } from './build.ts';
import { indexError } from './errors.ts';
import { firstLocalFault } from './local-checks.ts';
import { checksumOf, openShard } from './shard-directory.ts';
import { DOCUMENT_BYTES, type ShardFile, type ShardSink, TREES } from './shard-files.ts';
import { readHeader } from './shard-header.ts';
import type { ShardInput } from './shard-input.ts';
import type { StoredShard } from './stored-shard.ts';
import { FIRST_KEPT_LEVEL, keptNodes, nodesOf, rootLevel } from './tree-layout.ts';

/** What is wrong with a shard. */
export interface ShardFault {
  /** For a person: which value of which file, and which leaf. */
  readonly problem: string;
  /** Files that are not what was written: their checksums differ. */
  readonly changed: readonly ShardFile[];
}

/** How a shard is verified. */
export interface VerifyOptions {
  readonly saltSecret?: Uint8Array | undefined;
  readonly progress?: ((progress: BuildProgress) => void) | undefined;
}

/**
 * The first thing that is wrong with the shard of a directory; undefined for a shard that is right.
 * @throws LedgerError (`attest.index_missing`, `_version`, `_damaged`, `_salt`) when there is no shard to
 * verify
 */
export function verifyShard(directory: string, options: VerifyOptions = {}): ShardFault | undefined {
  const changed = changedFiles(directory);
  const problem = firstProblem(directory, options);
  if (problem !== undefined) return { problem, changed };
  if (changed.length === 0) return undefined;
  return { problem: `the bytes of ${changed.join(', ')} are not what its header says`, changed };
}

function changedFiles(directory: string): ShardFile[] {
  return [...readHeader(directory).files].flatMap(([file, { sha256 }]) => {
    const fd = openSync(join(directory, file), 'r');
    try {
      return checksumOf(fd) === sha256 ? [] : [file];
    } finally {
      closeSync(fd);
    }
  });
}

function firstProblem(directory: string, { saltSecret, progress }: VerifyOptions): string | undefined {
  const { shard } = openShard(directory, { saltSecret });
  const { commitment, tokens } = shard;
  if (commitment.salted && saltSecret === undefined)
    throw indexError('salt', `${directory} is salted: give the secret that it was built with`);
  const text = arrayOf(tokens, (position) => shard.token(position));
  const sa = arrayOf(tokens, (rank) => shard.suffix(rank));
  const documents = Array.from({ length: shard.documents }, (_, index) => shard.document(index));
  const problem =
    problemOfDocuments({ documents, text }) ??
    problemOfArrays(shard, { text, sa }, commitment.entriesPerLeaf);
  if (problem !== undefined) return problem;
  const sink = new ComparingSink(directory, commitment);
  const { datanetId, firstPosition, entriesPerLeaf } = commitment;
  const secret = commitment.salted ? { saltSecret } : {};
  const again = buildShard(
    { documents, text },
    {
      ...{ datanetId, firstPosition, entriesPerLeaf, ...secret, sink },
      // Nothing is sorted.
      progress: (done) => done.stage !== 'sort' && progress?.(done),
    },
    { ...FASTEST, sort: () => sa },
  );
  return sink.difference ?? problemOfRoots(commitment, again);
}

function arrayOf(length: number, at: (index: number) => number): Uint32Array {
  const array = new Uint32Array(length);
  for (let i = 0; i < length; i++) array[i] = at(i);
  return array;
}

function problemOfDocuments({ documents, text }: ShardInput): string | undefined {
  let position = 0;
  for (const [index, document] of documents.entries()) {
    const where = `document ${index} (contribution ${document.contributionId}, leaf ${index} of the documents tree)`;
    const end = position + document.tokens - 1;
    if (document.firstToken !== position || document.tokens < 1 || end >= text.length)
      return `${where} does not begin where the one before it ends`;
    const tokens = text.subarray(position, end);
    const separator = tokens.indexOf(SEPARATOR);
    if (separator >= 0) return `${where} has a separator at position ${position + separator}, before its end`;
    if (text[end] !== SEPARATOR) return `${where} has no separator at its end, position ${end}`;
    const problem = problemOfContent(document, tokens);
    if (problem !== undefined) return `${where} ${problem}`;
    position = end + 1;
  }
  return position === text.length
    ? undefined
    : `${text.length - position} tokens are behind the last document`;
}

function problemOfContent(
  { tombstone, byteLength, root }: ShardDocument,
  tokens: Uint32Array,
): string | undefined {
  if (tombstone) return tokens.length === 0 ? undefined : 'is a tombstone and has tokens';
  const content = detokenise(tokens);
  if (content.length !== byteLength) return `has tokens of ${content.length} bytes, not of ${byteLength}`;
  if (!equalBytes(contentRoot(content), root)) return 'has tokens of another content than its root says';
  const again = tokenise(content);
  const wrong = again.findIndex((token, i) => token !== tokens[i]);
  return wrong < 0 ? undefined : `has a token that the tokeniser does not make, its token ${wrong}`;
}

function problemOfArrays(
  shard: StoredShard,
  { text, sa }: { text: Uint32Array; sa: Uint32Array },
  entriesPerLeaf: number,
): string | undefined {
  const isa = arrayOf(text.length, (position) => shard.rank(position));
  const fault = firstLocalFault({ text, sa, isa });
  if (fault === undefined) return undefined;
  if (fault.check === 'permutation') {
    const { position } = fault;
    return `the inverse array's rank of position ${position} (leaf ${position >> 6} of the inverse tree) is not where the suffix array has it`;
  }
  const leaf = Math.floor(fault.rank / entriesPerLeaf);
  const what = fault.check === 'order' ? 'suffixes' : 'first tokens';
  return `the ${what} of ranks ${fault.rank} and ${fault.rank + 1} are in the wrong order (leaf ${leaf} of the suffix tree)`;
}

function problemOfRoots(committed: ShardCommitment, again: ShardCommitment): string | undefined {
  if (!equalBytes(committed.saltCommitment, again.saltCommitment))
    return 'the commitment is to another secret of its salts';
  const tree = TREES.find((each) => !equalBytes(rootOf(committed, each), rootOf(again, each)));
  return tree && `the commitment has another root of the ${tree} tree than the leaves give`;
}

/** Compares what is written with what a directory has, up to the first difference. */
class ComparingSink implements ShardSink {
  difference: string | undefined;
  readonly #directory: string;
  readonly #commitment: ShardCommitment;

  constructor(directory: string, commitment: ShardCommitment) {
    this.#directory = directory;
    this.#commitment = commitment;
  }

  create(): void {
    // What is there was made by the build.
  }

  write(file: ShardFile, at: number, bytes: Uint8Array): void {
    if (this.difference !== undefined) return;
    const stored = new Uint8Array(bytes.length);
    const fd = openSync(join(this.#directory, file), 'r');
    try {
      readSync(fd, stored, 0, stored.length, at);
    } finally {
      closeSync(fd);
    }
    if (Buffer.compare(stored, bytes) === 0) return;
    this.difference = this.#place(file, at + bytes.findIndex((byte, i) => byte !== stored[i]));
  }

  /** What a byte of a file belongs to. */
  #place(file: ShardFile, at: number): string {
    const tree = TREES.find((each) => file === `${each}-tree`);
    if (tree !== undefined) return this.#node(tree, Math.floor(at / HASH_BYTES));
    if (file === 'documents') return `"documents" differs at document ${Math.floor(at / DOCUMENT_BYTES)}`;
    if (file === 'marks') return `"marks" differs at leaf ${Math.floor(at / 8)} of the text tree`;
    return `"${file}" differs at ${file === 'addresses' ? `byte ${at}` : `entry ${Math.floor(at / 4)}`}`;
  }

  #node(tree: ShardTree, kept: number): string {
    const leaves = leafCount(this.#commitment, tree);
    let level = FIRST_KEPT_LEVEL;
    while (level < rootLevel(leaves) && keptNodes(leaves, level + 1) <= kept) level++;
    const index = kept - keptNodes(leaves, level);
    const first = index * 2 ** level;
    const last = Math.min(leaves, first + 2 ** level) - 1;
    const of = `${nodesOf(leaves, level)} at level ${level} of the ${tree} tree`;
    return `leaves ${first} to ${last} of the ${tree} tree do not give the node that is kept over them (${index} of ${of})`;
  }
}
