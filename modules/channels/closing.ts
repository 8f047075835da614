/** Closing at once: what both parties agree on, or what the receiver gives up alone. */
import { toHex } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { StatementVerifier } from '../../framework/tx/statement.ts';
import { ReceiverKind } from '../../proto/gen/openledger/channels/v1/channels.ts';
import type { CloseConsent, MsgCloseChannel } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { channelErrors } from './errors.ts';
import { closeBytes, closeText } from './format/agreement.ts';
import type { Channels, OpenChannel } from './keeper.ts';
import { formOf, keyOf, readAmount } from './wire.ts';

/** A closing that was checked. */
export interface ClosePlan {
  readonly open: OpenChannel;
  /** To the receiver now. */
  readonly paid: bigint;
}

/**
 * What a message to close comes to. The receiver may close alone when nothing more is claimed: the rest is
 * the payer's. Anything else needs both: the sender by the transaction, the other by its authorizer.
 * @throws StateError (channels 4, 5, 7, 14)
 */
export function planClose(
  context: ReadContext,
  message: MsgCloseChannel,
  { channels, statements }: { readonly channels: Channels; readonly statements: StatementVerifier },
): ClosePlan {
  const { sender, channelId, consent } = message;
  const open = channels.require(context, channelId);
  const { config } = open.channel;
  const isReceiver = channels.isSame(sender, config.receiver);
  if (!isReceiver && !channels.isSame(sender, config.payer))
    throw new StateError(channelErrors.notAParty, `${sender} is neither payer nor receiver of the channel`);
  const { claimed = '0', deposited = '0' } = channels.balance(context, channelId) ?? {};
  const total = readAmount(message.total, 'total', channelErrors.invalidAgreement);
  const paid = total - BigInt(claimed);
  if (paid < 0n || total > BigInt(deposited))
    throw refused(`total is ${total}; ${claimed} was claimed and ${deposited} paid in`);
  if (paid > 0n && config.receiverKind === ReceiverKind.RECEIVER_KIND_ROUTER)
    throw refused('a gateway’s receipts are of lanes: claim by vouchers first, then close with that total');
  if (context.block.time.seconds >= message.closeBefore)
    throw refused(`close_before was ${message.closeBefore}, it is ${context.block.time.seconds}`);
  if (consent !== undefined)
    requireConsent(context, { open, total, isReceiver, consent, message }, statements);
  else if (!isReceiver || paid > 0n) throw refused('the other party’s consent is missing');
  return { open, paid };
}

function requireConsent(
  context: ReadContext,
  given: {
    readonly open: OpenChannel;
    readonly total: bigint;
    readonly isReceiver: boolean;
    readonly consent: CloseConsent;
    readonly message: MsgCloseChannel;
  },
  statements: StatementVerifier,
): void {
  const { open, total, isReceiver, consent, message } = given;
  const { config, keyVersion, payerAuthorizer } = open.channel;
  const { chainId } = context.block;
  const agreement = { channelId: open.id, keyVersion, total, closeBefore: message.closeBefore };
  const signed = {
    statement: {
      bytes: closeBytes(agreement, chainId),
      text: closeText(agreement, { chainId, denom: config.denom }),
    },
    form: formOf(consent.form),
    key: keyOf(isReceiver ? payerAuthorizer : config.receiverAuthorizer),
    signature: consent.signature,
  };
  if (statements.firstWrong(context, [signed]) < 0) return;
  throw new StateError(
    channelErrors.wrongSignature,
    `the ${isReceiver ? 'payer' : 'receiver'}’s authorizer has not signed this agreement about channel ${toHex(open.id)}`,
  );
}

function refused(problem: string): StateError {
  return new StateError(channelErrors.invalidAgreement, problem);
}
