/** Buys answers: each payment carries the proof of what its answer quotes. */
import type { IndexedTx } from '@cosmjs/stargate';
import { randomBytes } from 'node:crypto';
import { LedgerError } from '../../core/errors.ts';
import {
  claimOf,
  committedAnswer,
  openAnswer,
  payInference,
  problemOfClaim,
  provableContent,
  type Quotation,
  requestHash,
  responsesOf,
} from '../../client/index.ts';
import type { Contribution } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { MsgPayInference, MsgPayInferenceResponse } from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { QueryExplainResponse } from '../../proto/gen/openledger/payments/v1/query.ts';
import type { ExtractiveModel, ModelAnswer } from './model.ts';
import { type DemoChain, deliverRow, type Party, refused, signRow } from './party.ts';

/** A question, and whether its answer goes to the chain as a root only. */
export interface Question {
  readonly text: string;
  readonly isPrivate?: boolean;
}

/** What the demo asks. */
export const QUESTIONS: readonly Question[] = [
  { text: 'Why do public credit and the public debt matter?' },
  { text: 'What was said about slavery, emancipation and freedom?' },
  { text: 'How should corporations and labor be treated by the law?' },
  { text: 'Which essential human freedoms does the world look forward to?' },
  { text: 'What can science, space and exploration promise?' },
  { text: 'How should schools and education of children improve?' },
  { text: 'What about health care and insurance for families?', isPrivate: true },
];

const QUOTES_MAX = 3;
/** No answer of the demo costs more. */
const MAX_FEE = 1_000_000n;

/** A question with its answer and the payment for it. */
export interface Purchase {
  readonly question: Question;
  readonly answer: ModelAnswer;
  readonly message: MsgPayInference;
}

/** A purchase that the chain has settled, with everything that explains it. */
export interface Settled extends Purchase {
  readonly tx: IndexedTx;
  /** Base units. */
  readonly gasFee: bigint;
  readonly explained: QueryExplainResponse;
}

/** Asks the model and prepares the payment. */
export function prepare(options: {
  readonly question: Question;
  readonly engine: ExtractiveModel;
  readonly model: Model;
  readonly payer: Party;
}): Purchase {
  const { question, engine, model, payer } = options;
  const answer = engine.answer(question.text, QUOTES_MAX);
  const hidden = question.isPrivate === true ? provableContent(answer.content) : undefined;
  const quotations = answer.passages.map(
    ({ document, answerOffset, sourceOffset, length }): Quotation => ({
      contributionId: document.contributionId,
      source: document.content,
      answerOffset,
      sourceOffset,
      length,
      ...(hidden === undefined ? {} : { committedAnswer: hidden }),
    }),
  );
  const message = MsgPayInference.create({
    payer: payer.address,
    modelId: model.id,
    requestHash: requestHash({ modelId: model.id, prompt: question.text, nonce: randomBytes(16) }),
    tokensIn: answer.tokensIn,
    tokensOut: answer.tokensOut,
    answer: hidden === undefined ? openAnswer(answer.content) : committedAnswer(hidden),
    claim: claimOf(quotations),
    maxFee: { denom: model.price.denom, amount: MAX_FEE.toString() },
  });
  return { question, answer, message };
}

/**
 * Checks a claim with the published verifier against the roots on chain, as any client can before it pays.
 * @throws LedgerError `demo.claim` with the verifier's words
 */
export async function verifyLocally(chain: DemoChain, { message }: Purchase): Promise<void> {
  const { attribution, datanet } = chain.connection.queries.openledger;
  const { params } = await attribution.params();
  const ids = [...new Set(message.claim.spans.map(({ contributionId }) => contributionId))];
  const found = await Promise.all(ids.map((contributionId) => datanet.contribution({ contributionId })));
  const roots = new Map(
    found.map(({ contribution: { id, root, byteLength } }) => [id, { root, byteLength: Number(byteLength) }]),
  );
  const limits = { ...params, answerBytesMax: Number(params.answerBytesMax) };
  const problem = problemOfClaim(message, limits, (id) => roots.get(id));
  if (problem !== undefined) throw new LedgerError('demo.claim', `own claim is wrong: ${problem.detail}`);
}

/** Pays for all at once and reads back what the chain made of it. */
export async function settle(
  chain: DemoChain,
  payer: Party,
  purchases: readonly Purchase[],
): Promise<readonly Settled[]> {
  const rows = purchases.map(({ message }) => [payInference(message)]);
  const signed = await signRow({ party: payer, chain, rows });
  const delivered = await deliverRow(payer, signed);
  const { payments } = chain.connection.queries.openledger;
  return Promise.all(
    purchases.map(async (purchase, i) => {
      const tx = delivered[i];
      if (tx === undefined || tx.code !== 0) throw refused(payer, tx?.rawLog ?? 'no result');
      const [response] = responsesOf(MsgPayInferenceResponse, tx.msgResponses);
      const explained = await payments.explain({ receiptId: response?.receiptId ?? 0n });
      return { ...purchase, tx, gasFee: signed[i]?.gasFee ?? 0n, explained };
    }),
  );
}

/** The contributions that answers quote: each the first with its content, which is the one that is paid. */
export async function quotedContributions(
  { connection }: DemoChain,
  purchases: readonly Purchase[],
): Promise<readonly Contribution[]> {
  const { datanet } = connection.queries.openledger;
  const passages = purchases.flatMap(({ answer }) => answer.passages);
  const ids = [...new Set(passages.map(({ document }) => document.canonicalId))];
  const found = await Promise.all(ids.map((contributionId) => datanet.contribution({ contributionId })));
  return found.map(({ contribution }) => contribution);
}
