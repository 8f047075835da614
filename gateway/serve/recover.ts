/**
 * What a process does first: it charges for what the one before it has kept a receipt of, so that of every
 * receipt on the disk there is a charge. Who signs another voucher from where such a receipt begins is told
 * that the lane went on; who sends its voucher again gets the answer, which costs no more.
 *
 * | on the disk for the last voucher of a lane | what is charged |
 * | --- | --- |
 * | its receipt | what that says; undone it would make room for another, and it may have been signed |
 * | pieces of its answer, some of them paid for | those: their receipt is made of them |
 * | pieces, of which at most the request is paid for | nothing, as maybe nothing was given |
 * | nothing | nothing: it may be served again |
 */
import { EMPTY_BYTES, equalBytes } from '../../core/bytes.ts';
import type { Payee } from '../../client/vouchers/payee.ts';
import { baseOf } from '../../modules/channels/format/voucher.ts';
import type { Receipt } from '../../modules/settlement/proof/leaves.ts';
import { answerOf, feeOf } from './pieces.ts';
import type { AnswerPiece, ReceiptLog } from './receipt-log.ts';

/** What is on the disks. */
export interface RecoveryPorts {
  readonly payee: Payee;
  readonly receipts: ReceiptLog;
}

/**
 * Before anything is served or claimed. What a payer sent never makes it fail.
 * @param tokensAhead of `StreamDeskOptions`
 * @throws LedgerError `gateway.disk`, `vouchers.disk`
 */
export async function recoverCharges(
  { payee, receipts }: RecoveryPorts,
  { tokensAhead }: { readonly tokensAhead: number },
): Promise<void> {
  for (const { signed, payable } of payee.unfinished()) {
    const { channelId, lane, resource } = signed.voucher;
    const isOfVoucher = ({ receipt }: { readonly receipt: Receipt }): boolean =>
      receipt.before === baseOf(signed.voucher) && equalBytes(receipt.requestHash, resource);
    const pieces = receipts.pieces(channelId, lane).filter(isOfVoucher);
    const ahead = tokensAhead - receipts.unpaid(channelId);
    if (pieces.length > 0) await endCut(receipts, pieces, { payable, ahead });
    const kept = receipts.last(channelId, lane);
    // Links that an older journal does not have may have paid for it.
    if (kept === undefined || !isOfVoucher(kept) || feeOf(kept) > payable) continue;
    payee.resume(channelId, lane);
    await payee.settle(channelId, lane, feeOf(kept));
  }
}

/** Makes the receipt of what was paid for of an answer that was cut, and counts the rest as given. */
async function endCut(
  receipts: ReceiptLog,
  pieces: readonly AnswerPiece[],
  { payable, ahead }: { readonly payable: bigint; readonly ahead: number },
): Promise<void> {
  const [first, last] = [pieces[0], pieces.at(-1)];
  if (first === undefined || last === undefined) return;
  const made = answerOf(pieces, payable);
  const tokensPaid = made?.receipt.tokensOut ?? 0;
  // The first is the request alone, but where that costs nothing: there nothing is given before it is paid for.
  const isTrusted = first.receipt.tokensOut === 0;
  const tokensUnpaid = isTrusted ? Math.max(Math.min(last.receipt.tokensOut - tokensPaid, ahead), 0) : 0;
  if (made !== undefined && tokensPaid > 0) await receipts.append(made, EMPTY_BYTES, tokensUnpaid);
  else await receipts.dropPieces(first.receipt, tokensUnpaid);
}
