/**
 * Answers requests on the chain for pieces of what is served here, shards, model cards and claims on them:
 * who published it and does not answer in time loses it. What is open is on the chain, so nothing is
 * remembered but what was done.
 */
import { messageOf } from '../../core/errors.ts';
import type { OpenedPiece } from '../../modules/attribution/proof/influence/pieces.ts';
import { SHARD_TREES, type ShardTree } from '../../modules/attribution/proof/kinds.ts';
import { openSection } from '../../modules/attribution/verify.ts';
import type { ChunkPlace } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { openPiece } from '../influence/open-piece.ts';
import { openPlaces, openRun } from '../prove/open-run.ts';
import type { ShardReader } from '../shard.ts';
import type { HeadLibrary } from './head-library.ts';
import type { ServeMetrics } from './metrics.ts';
import { openPacked } from './packed-claim.ts';
import type { AttestLogger } from './ports.ts';
import { contentOf, type ShardLibrary } from './shard-library.ts';

/** A section or a run of leaves of a shard, and its way to the root. */
export type ShardPiece = Pick<OpenedPiece, 'content' | 'leaves' | 'hashes'>;

/** A piece as the chain takes it: of coordinates with their node. */
export type ServedPiece = ShardPiece & Partial<OpenedPiece>;

/** A request that can still be answered. */
export interface OpenRequest {
  readonly id: bigint;
  /** What it is about. */
  readonly of: 'shard' | 'card' | 'claim';
  /** Id of the shard, card or claim of influence in hexadecimal. */
  readonly key: string;
  readonly place: ChunkPlace;
  /** Last block in which it can be answered. */
  readonly deadline: bigint;
}

/** The chain as an account that answers sees it. */
export interface AnswerChain {
  openRequests(): Promise<readonly OpenRequest[]>;
  /** Resolves when it is in a block, to the hash of the transaction; LedgerError with the chain's words else. */
  serveChunk(requestId: bigint, piece: ServedPiece): Promise<string>;
}

/** What answers. */
export interface AnswererParts {
  readonly chain: AnswerChain;
  readonly library: ShardLibrary;
  readonly heads: HeadLibrary;
  readonly metrics: Pick<ServeMetrics, 'chunkRequest'>;
  readonly logger: AttestLogger;
}

/** Answers what is asked of a library. */
export class Answerer {
  readonly #parts: AnswererParts;
  readonly #answered = new Set<bigint>();
  /** Counted; looked for again in each round, as what they are of may be known or served only later. */
  readonly #foreign = new Set<bigint>();

  constructor(parts: AnswererParts) {
    this.#parts = parts;
  }

  /** One look at the chain, the most urgent requests first. Never rejects. */
  async round(): Promise<void> {
    const { chain, logger } = this.#parts;
    try {
      const open = [...(await chain.openRequests())].sort((a, b) => (a.deadline < b.deadline ? -1 : 1));
      const ids = new Set(open.map(({ id }) => id));
      for (const done of [this.#answered, this.#foreign])
        for (const id of done) if (!ids.has(id)) done.delete(id);
      for (const request of open) if (!this.#answered.has(request.id)) await this.#answer(request);
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'requests could not be read; the next round tries again');
    }
  }

  async #answer(request: OpenRequest): Promise<void> {
    const { chain, metrics, logger } = this.#parts;
    const { id, of, key } = request;
    try {
      const piece = await this.#pieceFor(request);
      if (piece === undefined) {
        if (!this.#foreign.has(id)) metrics.chunkRequest('foreign');
        this.#foreign.add(id);
        return;
      }
      const tx = await chain.serveChunk(id, piece);
      this.#answered.add(id);
      metrics.chunkRequest('answered');
      logger.info({ request: id, tx }, `request ${id} for a piece of ${of} ${key.slice(0, 12)} is answered`);
    } catch (error) {
      metrics.chunkRequest('refused');
      logger.warn({ request: id, error: messageOf(error) }, `request ${id} could not be answered yet`);
    }
  }

  /** Undefined when what it is of is not here. */
  async #pieceFor({ of, key, place }: OpenRequest): Promise<ServedPiece | undefined> {
    const { library, heads } = this.#parts;
    if (of === 'shard') {
      const shard = library.find(key);
      return shard && pieceAt(shard.reader, place);
    }
    if (of === 'card') {
      const card = heads.card(key);
      return card && openPiece(card, place);
    }
    const claim = await heads.claim(key);
    return claim && openPacked(claim, place);
  }
}

/** The piece at a place. @throws RangeError for a place that the shard does not have */
export function pieceAt(reader: ShardReader, { tree: kind, document, chunk }: ChunkPlace): ShardPiece {
  const tree = TREES.find((name) => SHARD_TREES[name] === kind);
  if (tree !== undefined) return { content: NO_CONTENT, ...openRun(reader, tree, chunk) };
  if (reader.document(document).tombstone)
    return { content: NO_CONTENT, ...openPlaces(reader, 'documents', [document]) };
  const content = contentOf(reader, document);
  const piece = openSection(content, chunk);
  if (piece === undefined) throw new RangeError(`document ${document} has no section ${chunk}`);
  return { ...piece, leaves: [] };
}

const NO_CONTENT = new Uint8Array(0);

const TREES: readonly ShardTree[] = ['text', 'suffix', 'inverse', 'documents'];
