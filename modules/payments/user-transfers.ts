/** Transfers between accounts of users under the rules of bank's MsgSend. */
import type { AddressCodec } from '../../framework/address.ts';
import type { Coins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { BankTransfer, SendRules } from '../bank/types.ts';

/** A transfer whose addresses are text. */
export interface UserTransfer {
  readonly from: string;
  readonly to: string;
  readonly coins: Coins;
}

/** See the file comment. */
export class UserTransfers {
  readonly #bank: BankTransfer & SendRules;
  readonly #addresses: AddressCodec;

  constructor(bank: BankTransfer & SendRules, addresses: AddressCodec) {
    this.#bank = bank;
    this.#addresses = addresses;
  }

  /** @throws StateError (bank 5) for a denomination that may not be sent, (sdk 4) for a blocked recipient */
  requireAllowed(context: ReadContext, { to, coins }: Pick<UserTransfer, 'to' | 'coins'>): void {
    this.#bank.checkSendEnabled(context, coins);
    if (this.#bank.isBlocked(this.#addresses.toBytes(to)))
      throw new StateError(sdkErrors.unauthorized, `${to} is not allowed to receive funds`);
  }

  /** @throws StateError (sdk 5) when the sender may not spend as much; what a send restriction throws */
  send(context: Context, { from, to, coins }: UserTransfer): void {
    const addresses = this.#addresses;
    this.#bank.send(context, { from: addresses.toBytes(from), to: addresses.toBytes(to), coins });
  }
}
