/**
 * Answers pieces of epochs that are asked for on the chain: unanswered, each convicts its epoch. It begins
 * from what the chain lists as open, so that nothing has to be remembered.
 */
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { EpochRequest } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { KeptEpochs } from './kept-epochs.ts';
import type { GatewayLogger, ServedPiece, SettlementChain } from './ports.ts';
import { answerPiece } from './serve-epoch.ts';

/** Answers of one transaction: of some 23 kB at most each. */
const ANSWERS_AT_ONCE = 8;

/** What answering is made of. */
export interface AnswerPorts {
  readonly chain: Pick<SettlementChain, 'rounds' | 'epoch' | 'requests' | 'servePieces'>;
  readonly epochs: Pick<KeptEpochs, 'ofRound'>;
  readonly logger: GatewayLogger;
}

/** A request and what answers it. */
interface Answered {
  readonly request: EpochRequest;
  readonly piece: ServedPiece;
}

/** Answers all that is open about own epochs. Rejects when no node answers; what cannot be answered is logged. */
export async function answerRequests(ports: AnswerPorts): Promise<void> {
  const { chain } = ports;
  for (const { epochId } of await chain.rounds()) {
    const onChain = epochId === 0n ? undefined : await chain.epoch(epochId);
    if (onChain === undefined || onChain.openRequests === 0) continue;
    const answers: Answered[] = [];
    for (const request of await chain.requests(epochId)) {
      try {
        answers.push({ request, piece: await pieceFor(ports, onChain.roundId, request) });
      } catch (error) {
        alarm(ports, request, error);
      }
    }
    for (let at = 0; at < answers.length; at += ANSWERS_AT_ONCE)
      await serve(ports, answers.slice(at, at + ANSWERS_AT_ONCE));
  }
}

async function pieceFor(
  { epochs }: AnswerPorts,
  roundId: bigint,
  { id: requestId, piece }: EpochRequest,
): Promise<ServedPiece> {
  const answer = answerPiece(await epochs.ofRound(roundId), piece);
  if (answer === undefined) throw new LedgerError('gateway.lost_epoch', 'the epoch has no such piece');
  return { requestId, ...answer };
}

/** In one transaction; one by one when that fails, as when somebody else has answered one of them. */
async function serve(ports: AnswerPorts, answers: readonly Answered[]): Promise<void> {
  const { chain, logger } = ports;
  try {
    await chain.servePieces(answers.map(({ piece }) => piece));
    for (const { request } of answers)
      logger.info(
        { epoch: request.epochId, request: request.id },
        'a piece of an epoch was shown on the chain',
      );
  } catch (error) {
    const [only] = answers;
    if (only !== undefined && answers.length === 1) alarm(ports, only.request, error);
    else for (const answer of answers) await serve(ports, [answer]);
  }
}

function alarm({ logger }: AnswerPorts, { epochId, id, deadline }: EpochRequest, error: unknown): void {
  logger.error(
    { epoch: epochId, request: id, deadline, error: messageOf(error) },
    'a request on the chain was not answered: unanswered, it convicts the epoch',
  );
}
