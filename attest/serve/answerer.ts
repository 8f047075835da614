/**
 * Answers requests on the chain for pieces of what is served here, shards, model cards and claims on them:
 * who published it and does not answer in time loses it. What is open is on the chain, so nothing is
 * remembered but what was done.
 */
import { setImmediate } from 'node:timers/promises';
import { type LedgerError, messageOf } from '../../core/errors.ts';
import { openPiece } from '../influence/open-piece.ts';
import {
  type AnswerLimits,
  answerBytes,
  isRefusal,
  limitsIn,
  packAnswers,
  passingAnswers,
  TX_ANSWERS_MAX,
  WAVE_TXS_MAX,
} from './answer-batches.ts';
import type { AnswerChain, AnswerTx, ChunkAnswer, OpenRequest, ServedPiece } from './answer-ports.ts';
import type { HeadLibrary } from './head-library.ts';
import type { ServeMetrics } from './metrics.ts';
import { openPacked } from './packed-claim.ts';
import type { AttestLogger } from './ports.ts';
import { SectionRoots } from './section-roots.ts';
import type { ShardLibrary } from './shard-library.ts';
import { isSection, pieceAt } from './shard-pieces.ts';

/** What answers. */
export interface AnswererParts {
  readonly chain: AnswerChain;
  readonly library: ShardLibrary;
  readonly heads: HeadLibrary;
  readonly metrics: Pick<ServeMetrics, 'chunkRequest'>;
  readonly logger: AttestLogger;
}

/** An answer of a request that is open. */
interface MadeAnswer extends ChunkAnswer {
  readonly request: OpenRequest;
}

/** Answers what is asked of a library. */
export class Answerer {
  readonly #parts: AnswererParts;
  readonly #answered = new Set<bigint>();
  /** Counted; looked for again in each round, as what they are of may be known or served only later. */
  readonly #foreign = new Set<bigint>();
  /** Of the last round: in this one behind all others, so that they never keep those from being answered. */
  #failed: ReadonlySet<bigint> = new Set();
  #failing = new Set<bigint>();
  readonly #roots = new SectionRoots();
  /** Answers of a transaction: fewer while others get answers in before ours, which fail ours in a block. */
  #txAnswersMax = TX_ANSWERS_MAX;

  constructor(parts: AnswererParts) {
    this.#parts = parts;
  }

  /**
   * One look at the chain: as much as half of a block takes is answered, the most urgent first. Never
   * rejects. True when more waits, and it may go on at once.
   */
  async round(): Promise<boolean> {
    const { chain, logger } = this.#parts;
    try {
      const open = await chain.openRequests();
      this.#forgetBut(new Set(open.map(({ id }) => id)));
      this.#failed = this.#failing;
      this.#failing = new Set();
      const waiting = open.filter(({ id }) => !this.#answered.has(id)).sort(this.#byUrgency);
      if (waiting.length === 0) return false;
      const limits = limitsIn(await chain.blockRoom());
      const { made, isMore } = await this.#make(waiting, limits);
      const txs = await this.#passing(made, limits);
      const sent = await this.#send(txs.sent);
      return sent > 0 && (isMore || txs.isMore);
    } catch (error) {
      logger.warn(
        { error: messageOf(error) },
        'the node did not say what is asked; the next round tries again',
      );
      return false;
    }
  }

  #forgetBut(open: ReadonlySet<bigint>): void {
    for (const done of [this.#answered, this.#foreign])
      for (const id of done) if (!open.has(id)) done.delete(id);
  }

  readonly #byUrgency = (a: OpenRequest, b: OpenRequest): number => {
    const failed = Number(this.#failed.has(a.id)) - Number(this.#failed.has(b.id));
    if (failed !== 0) return failed;
    if (a.deadline !== b.deadline) return a.deadline < b.deadline ? -1 : 1;
    return a.id < b.id ? -1 : 1;
  };

  /** Pieces for the first ones of these requests, as many as are sent at a time. Others have turns between. */
  async #make(
    waiting: readonly OpenRequest[],
    { waveBytesMax }: AnswerLimits,
  ): Promise<{ readonly made: readonly MadeAnswer[]; readonly isMore: boolean }> {
    const made: MadeAnswer[] = [];
    const most = WAVE_TXS_MAX * this.#txAnswersMax;
    let bytes = 0;
    for (const request of waiting) {
      if (made.length >= most) return { made, isMore: true };
      const piece = await this.#madeFor(request);
      if (piece === undefined) continue;
      bytes += answerBytes(piece);
      if (made.length > 0 && bytes > waveBytesMax) return { made, isMore: true };
      made.push({ requestId: request.id, piece, request });
      await setImmediate();
    }
    return { made, isMore: false };
  }

  async #madeFor(request: OpenRequest): Promise<ServedPiece | undefined> {
    try {
      const piece = await this.#pieceFor(request);
      if (piece !== undefined) return piece;
      if (!this.#foreign.has(request.id)) this.#parts.metrics.chunkRequest('foreign');
      this.#foreign.add(request.id);
    } catch (error) {
      this.#refuse(request, error);
    }
    return undefined;
  }

  /** Those that the chain takes, within the gas that is used at a time. */
  async #passing(
    made: readonly MadeAnswer[],
    { txBytesMax, waveGasMax: gasMax }: AnswerLimits,
  ): Promise<{ readonly sent: readonly AnswerTx<MadeAnswer>[]; readonly isMore: boolean }> {
    const { chain } = this.#parts;
    const onRefused = ({ request }: MadeAnswer, error: LedgerError): void => this.#refuse(request, error);
    const sent: AnswerTx<MadeAnswer>[] = [];
    let used = 0;
    for (const answers of packAnswers(made, { txBytesMax, answersMax: this.#txAnswersMax }))
      for (const tx of await passingAnswers(answers, { chain, gasMax, onRefused })) {
        used += tx.gas;
        if (sent.length > 0 && used > gasMax) return { sent, isMore: true };
        sent.push(tx);
      }
    return { sent, isMore: false };
  }

  /** How many were answered. */
  async #send(txs: readonly AnswerTx<MadeAnswer>[]): Promise<number> {
    if (txs.length === 0) return 0;
    const outcomes = await this.#parts.chain.send(txs);
    let answered = 0;
    let failed = 0;
    for (const [i, { answers }] of txs.entries()) {
      const outcome = outcomes[i];
      if (outcome?.status === 'fulfilled') {
        for (const { request } of answers) this.#accept(request, outcome.value);
        answered += answers.length;
      } else {
        for (const { request } of answers) this.#postpone(request, outcome?.reason);
        if (isRefusal(outcome?.reason)) failed = Math.max(failed, answers.length);
      }
    }
    // Whoever sees ours in a mempool may answer one of his own requests first: then all of ours fails.
    this.#txAnswersMax =
      failed > 0 ? Math.max(1, failed >> 1) : Math.min(TX_ANSWERS_MAX, 2 * this.#txAnswersMax);
    return answered;
  }

  #accept({ id, of, key }: OpenRequest, tx: string): void {
    const { metrics, logger } = this.#parts;
    this.#answered.add(id);
    metrics.chunkRequest('answered');
    logger.info({ request: id, tx }, `request ${id} for a piece of ${of} ${key.slice(0, 12)} is answered`);
  }

  /** The chain refuses it, or there is no such piece. */
  #refuse(request: OpenRequest, error: unknown): void {
    this.#failing.add(request.id);
    this.#postpone(request, error);
  }

  #postpone({ id }: OpenRequest, error: unknown): void {
    const { metrics, logger } = this.#parts;
    metrics.chunkRequest('refused');
    logger.warn({ request: id, error: messageOf(error) }, `request ${id} could not be answered yet`);
  }

  /** Undefined when what it is of is not here. */
  async #pieceFor({ of, key, place }: OpenRequest): Promise<ServedPiece | undefined> {
    const { library, heads } = this.#parts;
    if (of === 'shard') {
      const shard = library.find(key);
      if (shard === undefined) return undefined;
      const { reader } = shard;
      const roots = isSection(reader, place) ? await this.#roots.of(shard, place.document) : undefined;
      return pieceAt(reader, place, roots);
    }
    if (of === 'card') {
      const card = heads.card(key);
      return card && openPiece(card, place);
    }
    const claim = await heads.claim(key);
    return claim && openPacked(claim, place);
  }
}
