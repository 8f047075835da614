/** What answering requests needs of the chain; `cli/attest/answer-chain.ts` joins it to a node's RPC. */
import type { OpenedPiece } from '../../modules/attribution/proof/influence/pieces.ts';
import type { ChunkPlace } from '../../proto/gen/openledger/attribution/v1/attribution.ts';

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

/** What a request is answered with: one `MsgServeChunk`. */
export interface ChunkAnswer {
  readonly requestId: bigint;
  readonly piece: ServedPiece;
}

/** What a block takes, of all transactions; -1: no limit of its own. */
export interface BlockRoom {
  readonly bytesMax: number;
  readonly gasMax: number;
}

/** Answers of one transaction, and the gas that they may use. */
export interface AnswerTx<Answer extends ChunkAnswer = ChunkAnswer> {
  readonly answers: readonly Answer[];
  readonly gas: number;
}

/** The chain as an account that answers sees it. */
export interface AnswerChain {
  openRequests(): Promise<readonly OpenRequest[]>;
  blockRoom(): Promise<BlockRoom>;
  /**
   * Gas for one transaction of these answers.
   * @throws LedgerError `attest.refused` with the chain's words when it would fail; others when nobody answers
   */
  simulate(answers: readonly ChunkAnswer[]): Promise<number>;
  /**
   * Sends transactions without waiting for one before the next. Of each, once it is known, the hash of the
   * one that is in a block, or why there is none: LedgerError `attest.refused` with the chain's words,
   * `attest.dropped` when it may be sent again.
   */
  send(txs: readonly AnswerTx[]): Promise<readonly PromiseSettledResult<string>[]>;
}
