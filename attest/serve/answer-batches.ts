/** Answers by the transaction: how many fit, and which of them pass. */
import { LedgerError } from '../../core/errors.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { packInOrder } from '../../core/pack.ts';
import type { AnswerChain, AnswerTx, BlockRoom, ChunkAnswer, ServedPiece } from './answer-ports.ts';

/**
 * Bytes of one transaction. A node takes 1 MiB (`max_tx_bytes`), but also no request to its RPC above a
 * million bytes (`max_body_bytes`), and a simulation has the transaction in hexadecimal. Below that, smaller
 * ones are better: one answer that fails takes those of its transaction with it.
 */
const TX_BYTES_MAX = 262_144;

/** Bytes of what is sent at a time: eight transactions, half of a block by default. */
const WAVE_BYTES_MAX = 2_097_152;

/** Answers of one transaction, however short. */
export const TX_ANSWERS_MAX = 64;

/** Transactions that are sent at a time, however short. */
export const WAVE_TXS_MAX = 64;

/** Signature, fee and what else a transaction has beside its messages. */
const TX_FRAME_BYTES = 512;

/** Type, server's address, id and lengths of a message. */
const MESSAGE_FRAME_BYTES = 160;

/** Tag and length of a field. */
const FIELD_BYTES = 4;

/** What is sent at a time. */
export interface AnswerLimits {
  readonly txBytesMax: number;
  readonly waveBytesMax: number;
  readonly waveGasMax: number;
}

/** Half of a block, so that others have the rest; a single answer may have all of it. */
export function limitsIn({ bytesMax, gasMax }: BlockRoom): AnswerLimits {
  const bytes = bytesMax < 0 ? Number.POSITIVE_INFINITY : bytesMax;
  const waveBytesMax = Math.min(WAVE_BYTES_MAX, Math.floor(bytes / 2));
  return {
    txBytesMax: Math.min(TX_BYTES_MAX, waveBytesMax) - TX_FRAME_BYTES,
    waveBytesMax,
    waveGasMax: gasMax < 0 ? Number.POSITIVE_INFINITY : Math.floor(gasMax / 2),
  };
}

/** Bytes of a message, or a few more. */
export function answerBytes(piece: ServedPiece): number {
  const { content, leaves, hashes, node, nodeHashes = [] } = piece;
  const shown = leaves.reduce((sum, leaf) => sum + leaf.length + FIELD_BYTES, content.length);
  const ways = (hashes.length + nodeHashes.length) * (HASH_BYTES + FIELD_BYTES);
  return MESSAGE_FRAME_BYTES + shown + ways + (node?.length ?? 0);
}

/** Divides answers into transactions, in their order; one that is too large stands alone. */
export function packAnswers<Answer extends ChunkAnswer>(
  answers: readonly Answer[],
  { txBytesMax, answersMax }: { readonly txBytesMax: number; readonly answersMax: number },
): readonly (readonly Answer[])[] {
  const bytesOf = ({ piece }: Answer): number => answerBytes(piece);
  return packInOrder(answers, { bytesOf, bytesMax: txBytesMax, itemsMax: answersMax });
}

/** What becomes of answers before they are sent. */
export interface PassingOptions<Answer> {
  readonly chain: Pick<AnswerChain, 'simulate'>;
  readonly gasMax: number;
  /** The chain refuses this one, alone. */
  readonly onRefused: (answer: Answer, error: LedgerError) => void;
}

/**
 * The answers that pass, by transactions. Of those that would fail together each half is tried: so one that
 * is refused is found in log2(n) steps, and the others are sent.
 * @throws what the chain throws when it is not its refusal
 */
export async function passingAnswers<Answer extends ChunkAnswer>(
  answers: readonly Answer[],
  options: PassingOptions<Answer>,
): Promise<readonly AnswerTx<Answer>[]> {
  const [first] = answers;
  if (first === undefined) return [];
  try {
    const gas = await options.chain.simulate(answers);
    if (gas <= options.gasMax || answers.length === 1) return [{ answers, gas }];
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (answers.length === 1) {
      options.onRefused(first, error);
      return [];
    }
  }
  const middle = Math.ceil(answers.length / 2);
  const before = await passingAnswers(answers.slice(0, middle), options);
  return [...before, ...(await passingAnswers(answers.slice(middle), options))];
}

/** True for the chain's own words; others say that it could not be asked, or that it may be asked again. */
export function isRefusal(error: unknown): error is LedgerError {
  return error instanceof LedgerError && error.code === 'attest.refused';
}
