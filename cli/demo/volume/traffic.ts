/** Payers that buy answers by vouchers, as many at a time as their channels have lanes. */
import { randomBytes } from 'node:crypto';
import { defined, LedgerError } from '../../../core/errors.ts';
import { problemOfReceipt, requestHash } from '../../../client/index.ts';
import { Payer } from '../../../client/vouchers/payer.ts';
import type { Journal } from '../../../client/vouchers/journal.ts';
import type { InferenceDesk } from '../../../gateway/serve/desk.ts';
import type { Inference, InferenceAnswer } from '../../../gateway/serve/ports.ts';
import { baseOf } from '../../../modules/channels/format/voucher.ts';
import { type Ed25519Signer, verifyEd25519 } from '../../../node/crypto/ed25519.ts';
import { KeyKind } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { fromUtf8, toHex, utf8 } from '../../../core/bytes.ts';
import type { Settled } from '../inference.ts';

/** A question that was answered and paid on the chain before: its answer is given again, and rests on its claim. */
export interface KnownQuestion {
  readonly text: string;
  readonly prompt: Uint8Array;
  readonly tokensIn: number;
  readonly answer: InferenceAnswer;
}

/** What was settled on the chain, as it is answered again. */
export function knownQuestions(settled: readonly Settled[]): readonly KnownQuestion[] {
  return settled.map(({ question, answer, explained: { claim } }) => {
    if (claim === undefined) throw new LedgerError('demo.claim', 'an answer that was paid has no claim');
    return {
      text: question.text,
      prompt: utf8(question.text),
      tokensIn: Number(answer.tokensIn),
      answer: {
        content: answer.content,
        tokensOut: Number(answer.tokensOut),
        responseHash: claim.answerRoot,
        claimId: claim.id,
      },
    };
  });
}

/** A model that knows these questions only. */
export function repeating(questions: readonly KnownQuestion[]): Inference {
  const known = new Map(questions.map((question) => [question.text, question]));
  const find = (prompt: Uint8Array): KnownQuestion => {
    const found = known.get(fromUtf8(prompt));
    if (found === undefined) throw new LedgerError('demo.question', 'nobody has asked this before');
    return found;
  };
  return {
    tokensIn: ({ prompt }) => find(prompt).tokensIn,
    infer: async ({ prompt }) => find(prompt).answer,
  };
}

/** Who pays by which channels. */
export interface TrafficParts {
  readonly desk: InferenceDesk;
  readonly chainId: string;
  readonly prefix: string;
  readonly denom: string;
  readonly gateway: string;
  readonly receiptKey: Uint8Array;
  /** Of the payers: what they have signed. */
  readonly journal: Journal;
  readonly channels: readonly Uint8Array[];
  readonly deposit: bigint;
  readonly lanes: number;
  /** Signs the vouchers of all channels. */
  readonly session: Ed25519Signer;
  readonly modelId: bigint;
  readonly questions: readonly KnownQuestion[];
}

/** What came of it. */
export interface Traffic {
  readonly inferences: number;
  /** By the payers' own books. */
  readonly charged: bigint;
}

/** Buys so many answers, as many by each channel; each receipt is checked by who has paid for it. */
export async function buyAnswers(
  parts: TrafficParts,
  count: number,
  onAnswer: (answered: number) => void,
): Promise<Traffic> {
  const payers = parts.channels.map((channel) => payerOf(parts, channel));
  let answered = 0;
  const buyBy = async (payer: Payer, first: number): Promise<void> => {
    let next = first;
    const line = async (lane: number): Promise<void> => {
      while (next < count) {
        const question = defined(parts.questions[next % parts.questions.length], 'question');
        next += payers.length;
        await buy(parts, { payer, lane, question });
        onAnswer(++answered);
      }
    };
    await Promise.all(Array.from({ length: parts.lanes }, (_, lane) => line(lane)));
  };
  await Promise.all(payers.map(buyBy));
  return { inferences: answered, charged: payers.reduce((sum, { charged }) => sum + charged, 0n) };
}

function payerOf(parts: TrafficParts, id: Uint8Array): Payer {
  const { journal, chainId, prefix, denom, session, deposit: deposited, lanes } = parts;
  return new Payer(
    {
      journal,
      verify: ({ key }, message, signature) => verifyEd25519(key, message, signature),
      randomSeed: () => randomBytes(32),
    },
    {
      id,
      domain: { chainId, prefix, denom },
      signer: { form: 'plain', sign: async ({ bytes }) => session.sign(bytes) },
      keys: [{ kind: KeyKind.KEY_KIND_ED25519, key: session.publicKey }],
      deposited,
      lanes,
    },
  );
}

async function buy(
  parts: TrafficParts,
  {
    payer,
    lane,
    question,
  }: { readonly payer: Payer; readonly lane: number; readonly question: KnownQuestion },
): Promise<void> {
  const { desk, modelId } = parts;
  const { prompt, answer } = question;
  const request = { modelId, prompt, tokensOutMax: answer.tokensOut };
  const resource = requestHash({ modelId, prompt: question.text, nonce: randomBytes(16) });
  const ceiling = (await desk.priceOf(request)) ?? 0n;
  const voucher = await payer.sign(lane, { resource, ceiling });
  const outcome = await desk.answer({ ...request, resource, voucher });
  if (outcome.kind !== 'answered')
    throw new LedgerError('demo.refused', `the gateway refused a voucher: ${JSON.stringify(outcome.kind)}`, {
      outcome: outcome.kind === 'refused' ? outcome.reason : outcome.kind,
    });
  const { channelId: channel } = voucher.voucher;
  const problem = problemOfReceipt(outcome, {
    chainId: parts.chainId,
    gateway: parts.gateway,
    receiptKey: parts.receiptKey,
    verify: verifyEd25519,
    channel,
    lane,
    before: baseOf(voucher.voucher),
    after: outcome.charged,
    modelId,
    requestHash: resource,
  });
  if (problem !== undefined) throw new LedgerError('demo.receipt', problem, { channel: toHex(channel) });
  await payer.answered(voucher, outcome.charged);
}
