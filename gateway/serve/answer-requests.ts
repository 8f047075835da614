/**
 * Answers pieces of epochs that are asked for on the chain: unanswered, each convicts its epoch. It begins
 * from what the chain lists as open over all own epochs, the earliest deadline first, and remembers nothing
 * but what was refused.
 *
 * | a transaction of answers | what is done |
 * | --- | --- |
 * | passes | the next one |
 * | fails, and somebody else has answered some of it | what is still open, again |
 * | fails, and all of it is open | each half of it |
 * | fails, of one answer | an alarm; in the next look it is tried behind all others |
 */
import { setImmediate } from 'node:timers/promises';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { packInOrder } from '../../core/pack.ts';
import { MsgServeEpochPiece } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import type { EpochRequest } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { KeptEpochs } from './kept-epochs.ts';
import type { GatewayLogger, ServedPiece, SettlementChain } from './ports.ts';
import { answerPiece } from './serve-epoch.ts';

/** Answers of one transaction, however short. */
export const TX_ANSWERS_MAX = 128;

/**
 * Bytes of the answers of one transaction. A node takes 1 MiB (`max_tx_bytes`), but no request to its RPC
 * above a million bytes (`max_body_bytes`), and a simulation has the transaction in hexadecimal.
 */
export const TX_ANSWER_BYTES_MAX = 400_000;

/** Type, sender's address and lengths of a message. */
const MESSAGE_FRAME_BYTES = 160;

/** Answers that are made at a time, 23 kB each at most: an epoch that is not in memory is built once for them. */
const MADE_MAX = 256;

/** What answering is made of. */
export interface AnswerPorts {
  readonly chain: Pick<SettlementChain, 'rounds' | 'epoch' | 'requests' | 'servePieces'>;
  readonly epochs: Pick<KeptEpochs, 'ofRound'>;
  readonly logger: GatewayLogger;
}

/** A request about an own epoch. */
interface OpenRequest {
  readonly request: EpochRequest;
  readonly roundId: bigint;
}

/** A request and what answers it. */
interface Answer {
  readonly request: EpochRequest;
  readonly piece: ServedPiece;
}

/** See the file comment. */
export class RequestAnswerer {
  readonly #ports: AnswerPorts;
  /** Of the last look: behind all others in this one, so that they never keep those from being answered. */
  #refused: ReadonlySet<bigint> = new Set();

  constructor(ports: AnswerPorts) {
    this.#ports = ports;
  }

  /** One look at the chain: a step for each transaction that was sent. Rejects when no node answers. */
  async *transactions(): AsyncGenerator<undefined, undefined> {
    const refused = new Set<bigint>();
    const waiting = [...(await this.#open())].sort((a, b) => this.#byUrgency(a.request, b.request));
    this.#refused = refused;
    while (waiting.length > 0) {
      const batches = packAnswers(await this.#made(waiting.splice(0, MADE_MAX)));
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        const [only] = batch;
        const failure = await this.#serve(batch);
        if (failure !== undefined) {
          const open = await this.#stillOpen(batch);
          if (open.length < batch.length) batches.unshift(...(open.length > 0 ? [open] : []));
          else if (batch.length > 1) batches.unshift(...halves(batch));
          else if (only !== undefined) {
            refused.add(only.request.id);
            this.#alarm(only.request, failure.error);
          }
        }
        yield;
      }
    }
  }

  async #open(): Promise<readonly OpenRequest[]> {
    const { chain } = this.#ports;
    const open: OpenRequest[] = [];
    for (const { id: roundId, epochId } of await chain.rounds()) {
      const epoch = epochId === 0n ? undefined : await chain.epoch(epochId);
      if (epoch === undefined || epoch.openRequests === 0) continue;
      for (const request of await chain.requests(epochId)) open.push({ request, roundId });
    }
    return open;
  }

  #byUrgency(a: EpochRequest, b: EpochRequest): number {
    const refused = Number(this.#refused.has(a.id)) - Number(this.#refused.has(b.id));
    if (refused !== 0) return refused;
    if (a.deadline !== b.deadline) return a.deadline < b.deadline ? -1 : 1;
    return a.id < b.id ? -1 : 1;
  }

  /** Answers of these, epoch by epoch, then in their order. What cannot be answered is an alarm. */
  async #made(requests: readonly OpenRequest[]): Promise<readonly Answer[]> {
    const made = new Map<EpochRequest, ServedPiece>();
    for (const { request, roundId } of requests.toSorted((a, b) => Number(a.roundId - b.roundId))) {
      try {
        const piece = answerPiece(await this.#ports.epochs.ofRound(roundId), request.piece);
        if (piece === undefined) throw new LedgerError('gateway.lost_epoch', 'the epoch has no such piece');
        made.set(request, { requestId: request.id, ...piece });
      } catch (error) {
        this.#alarm(request, error);
      }
      // Hashes of a run are milliseconds: others have turns between.
      await setImmediate();
    }
    return requests.flatMap(({ request }) => {
      const piece = made.get(request);
      return piece === undefined ? [] : [{ request, piece }];
    });
  }

  /** Sends one transaction; what it failed with, if it did. */
  async #serve(batch: readonly Answer[]): Promise<{ readonly error: unknown } | undefined> {
    const { chain, logger } = this.#ports;
    try {
      await chain.servePieces(batch.map(({ piece }) => piece));
    } catch (error) {
      return { error };
    }
    for (const { request } of batch)
      logger.info(
        { epoch: request.epochId, request: request.id },
        'a piece of an epoch was shown on the chain',
      );
    return undefined;
  }

  /** What of these nobody has answered. */
  async #stillOpen(batch: readonly Answer[]): Promise<readonly Answer[]> {
    const { chain } = this.#ports;
    const open = new Set<bigint>();
    for (const epochId of new Set(batch.map(({ request }) => request.epochId))) {
      if ((await chain.epoch(epochId)) === undefined) continue;
      for (const { id } of await chain.requests(epochId)) open.add(id);
    }
    return batch.filter(({ request }) => open.has(request.id));
  }

  #alarm({ epochId, id, deadline }: EpochRequest, error: unknown): void {
    this.#ports.logger.error(
      { epoch: epochId, request: id, deadline, error: messageOf(error) },
      'a request on the chain was not answered: unanswered, it convicts the epoch',
    );
  }
}

/** Answers by transactions, in their order. */
function packAnswers(answers: readonly Answer[]): (readonly Answer[])[] {
  const bytesOf = ({ piece }: Answer): number =>
    MESSAGE_FRAME_BYTES + MsgServeEpochPiece.encode({ sender: '', ...piece }).length;
  return packInOrder(answers, { bytesOf, bytesMax: TX_ANSWER_BYTES_MAX, itemsMax: TX_ANSWERS_MAX });
}

function halves(batch: readonly Answer[]): readonly (readonly Answer[])[] {
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
