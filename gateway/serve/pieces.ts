/** What pieces of an answer come to: each has what the receipt would be if it was the last. */
import { concatBytes } from '../../core/bytes.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import type { Receipt } from '../../modules/settlement/proof/leaves.ts';
import type { AnsweredReceipt, AnswerPiece } from './receipt-log.ts';

/** What is charged by a receipt. */
export function feeOf({ receipt }: { readonly receipt: Receipt }): bigint {
  return receipt.after - receipt.before;
}

/** The answer of the pieces that so much pays for; undefined when nothing is charged for them. */
export function answerOf(pieces: readonly AnswerPiece[], payable: bigint): AnsweredReceipt | undefined {
  const paid = pieces.filter((piece) => feeOf(piece) <= payable);
  const last = paid.at(-1);
  if (last === undefined || feeOf(last) === 0n) return undefined;
  const answer = concatBytes(...paid.map(({ text }) => text));
  return { receipt: { ...last.receipt, responseHash: contentRoot(answer) }, answer };
}
