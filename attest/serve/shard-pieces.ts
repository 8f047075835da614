/** Pieces of a shard, as requests on the chain ask for them. */
import { SHARD_TREES, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { bytesOfToken } from '../../modules/attribution/proof/tokenise.ts';
import {
  CHUNK_BYTES,
  contentRoot,
  rangeHashes,
  SECTION_CHUNKS,
  sectionCount,
  sectionLength,
} from '../../modules/attribution/verify.ts';
import type { ChunkPlace } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { openPlaces, openRun } from '../prove/open-run.ts';
import type { ShardArrays, ShardReader } from '../shard.ts';
import type { ShardPiece } from './answer-ports.ts';

const TREES: readonly ShardTree[] = ['text', 'suffix', 'inverse', 'documents'];

const NO_CONTENT = new Uint8Array(0);

/**
 * The piece at a place. `roots` are those of the sections of its document, where it is a section.
 * @throws RangeError for a place that the shard does not have
 */
export function pieceAt(
  reader: ShardReader,
  { tree: kind, document, chunk }: ChunkPlace,
  roots?: readonly Uint8Array[],
): ShardPiece {
  const tree = TREES.find((name) => SHARD_TREES[name] === kind);
  if (tree !== undefined) return { content: NO_CONTENT, ...openRun(reader, tree, chunk) };
  if (reader.document(document).tombstone)
    return { content: NO_CONTENT, ...openPlaces(reader, 'documents', [document]) };
  const content = sectionAt(reader, document, chunk);
  if (content.length === 0) throw new RangeError(`document ${document} has no section ${chunk}`);
  const sections = roots ?? [...sectionRoots(reader, document)];
  return { content, leaves: [], hashes: rangeHashes(sections, chunk, chunk + 1) };
}

/** True for a place in the content of a document. */
export function isSection(reader: ShardReader, { tree, document }: ChunkPlace): boolean {
  return tree === 0 && !reader.document(document).tombstone;
}

/**
 * Roots of the sections of a content, one after another: sections are whole subtrees of its tree (64 chunks,
 * a power of two), so the way from a section to the content's root is that from a leaf of these.
 */
export function* sectionRoots(shard: ShardArrays, document: number): Generator<Uint8Array, void> {
  const sections = sectionCount(shard.document(document).byteLength);
  for (let section = 0; section < sections; section++) yield contentRoot(sectionAt(shard, document, section));
}

/** Bytes of a section, from its tokens alone; none when there is no such section. */
function sectionAt(shard: ShardArrays, document: number, section: number): Uint8Array {
  const { firstToken, tokens, byteLength } = shard.document(document);
  const content = new Uint8Array(sectionLength(section, byteLength));
  if (content.length === 0) return content;
  const from = section * SECTION_CHUNKS * CHUNK_BYTES;
  // The last token that begins at or before the section; a separator ends the tokens.
  const separator = firstToken + tokens - 1;
  let [first, end] = [firstToken, separator];
  while (end - first > 1) {
    const middle = (first + end) >>> 1;
    if (shard.byteOffset(middle) <= from) first = middle;
    else end = middle;
  }
  let at = shard.byteOffset(first) - from;
  for (let position = first; at < content.length && position < separator; position++) {
    const bytes = bytesOfToken(shard.token(position));
    const inside = bytes.subarray(Math.max(0, -at), content.length - at);
    content.set(inside, Math.max(0, at));
    at += bytes.length;
  }
  return content;
}
