/** What a shard is built from: documents in the order of the Datanet's log, and the tokens of all of them. */
import { equalBytes } from '../../core/bytes.ts';
import { SHARD_TOKENS_MAX } from '../../modules/attribution/proof/kinds.ts';
import { SEPARATOR, tokeniseInto } from '../../modules/attribution/proof/tokenise.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { ShardArrays, ShardDocument, SourceDocument } from '../shard.ts';
import { indexError } from './errors.ts';

/** Documents and their tokens, a separator after each. */
export interface ShardInput {
  readonly documents: readonly ShardDocument[];
  readonly text: Uint32Array;
}

const FIRST_TOKENS = 1 << 16;

/** A token array that doubles as it fills. */
class TokenBuffer {
  readonly #max: number;
  #tokens = new Uint32Array(FIRST_TOKENS);
  length = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** The array with room for so many more. @throws LedgerError (`attest.index_size`) when a shard has none */
  room(more: number): Uint32Array {
    const needed = this.length + more;
    if (needed > this.#tokens.length) {
      const larger = new Uint32Array(Math.max(needed, 2 * this.#tokens.length));
      larger.set(this.#tokens.subarray(0, this.length));
      this.#tokens = larger;
    }
    return this.#tokens;
  }

  /** Ends a document: its separator, and its place. */
  close(firstToken: number): { readonly firstToken: number; readonly tokens: number } {
    this.room(1)[this.length++] = SEPARATOR;
    if (this.length > this.#max)
      throw indexError('size', `the documents have more than ${this.#max} tokens, the most of a shard`);
    return { firstToken, tokens: this.length - firstToken };
  }

  tokens(): Uint32Array {
    return this.#tokens.subarray(0, this.length);
  }
}

/** A shard whose documents go into a larger one, and which of its contributions were withdrawn since. */
export interface MergePart {
  readonly shard: ShardArrays;
  readonly withdrawn: (contributionId: bigint) => boolean;
}

/** Neighbouring documents: from a shard that has them, or from their contents. */
export type InputPart = MergePart | { readonly sources: Iterable<SourceDocument> };

/** Tokenises documents: `joinInputs` of one part. */
export function readSources(sources: Iterable<SourceDocument>): ShardInput {
  return joinInputs([{ sources }]);
}

/**
 * The documents of all parts, in order. Contents are tokenised, each held against its length and root: a
 * shard that says otherwise would be convicted. A shard that is merged needs no contents: ids hold the text.
 * @throws LedgerError (`attest.index_source`) naming the contribution whose content is not what the chain
 * has; (`attest.index_size`) for more tokens than a shard may have
 */
export function joinInputs(parts: Iterable<InputPart>, tokensMax: number = SHARD_TOKENS_MAX): ShardInput {
  const buffer = new TokenBuffer(tokensMax);
  const documents: ShardDocument[] = [];
  for (const part of parts) {
    if ('sources' in part) for (const source of part.sources) documents.push(addSource(buffer, source));
    else
      for (let index = 0; index < part.shard.documents; index++)
        documents.push(addMerged(buffer, part, index));
  }
  return { documents, text: buffer.tokens() };
}

function addSource(buffer: TokenBuffer, source: SourceDocument): ShardDocument {
  const { contributionId, contributor, root, byteLength, content } = source;
  const firstToken = buffer.length;
  if (content !== undefined) {
    checkContent(source, content);
    buffer.length = tokeniseInto(content, buffer.room(content.length), firstToken);
  }
  const place = buffer.close(firstToken);
  return { contributionId, contributor, root, byteLength, tombstone: content === undefined, ...place };
}

function checkContent({ contributionId, root, byteLength }: SourceDocument, content: Uint8Array): void {
  const advice = 'get the content that was contributed, or leave it out as a tombstone if it is withdrawn';
  if (content.length !== byteLength)
    throw indexError(
      'source',
      `contribution ${contributionId} has ${byteLength} bytes on the chain, its content ${content.length}; ${advice}`,
    );
  if (!equalBytes(contentRoot(content), root))
    throw indexError('source', `the content of contribution ${contributionId} has another root; ${advice}`);
}

function addMerged(buffer: TokenBuffer, { shard, withdrawn }: MergePart, index: number): ShardDocument {
  const document = shard.document(index);
  const tombstone = document.tombstone || withdrawn(document.contributionId);
  const firstToken = buffer.length;
  const count = tombstone ? 0 : document.tokens - 1;
  const tokens = buffer.room(count);
  for (let i = 0; i < count; i++) tokens[firstToken + i] = shard.token(document.firstToken + i);
  buffer.length += count;
  return { ...document, tombstone, ...buffer.close(firstToken) };
}
