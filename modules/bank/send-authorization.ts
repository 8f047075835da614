import type { AuthorizationHandler } from '../../framework/authorization.ts';
import { coinsToWire, parseCoins, problemOfCoins, parseCoin, subtractCoins } from '../../framework/coins.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { messageOfType } from '../../framework/message.ts';
import { SendAuthorization } from '../../proto/gen/cosmos/bank/v1beta1/authz.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { bankErrors } from './errors.ts';

/** Gas for each address of the list that is looked at. */
const ADDRESS_GAS = 10;

/** Sending someone's coins: so many in all, and to these recipients only if any are named. */
export const sendAuthorization: AuthorizationHandler<SendAuthorization> = {
  type: SendAuthorization,
  messageTypeUrl: () => MsgSend.typeUrl,
  validate({ spendLimit, allowList }) {
    if (spendLimit.length === 0) throw new StateError(sdkErrors.invalidCoins, 'spend limit cannot be nil');
    if (problemOfCoins(spendLimit.map(parseCoin)) !== undefined)
      throw new StateError(sdkErrors.invalidCoins, 'spend limit must be positive');
    if (new Set(allowList).size !== allowList.length) throw new StateError(bankErrors.duplicateEntry);
  },
  accept({ gas }, authorization, message) {
    const send = messageOfType(message, MsgSend);
    if (send === undefined) throw new StateError(sdkErrors.invalidType, 'type mismatch');
    const { spendLimit, allowList } = authorization;
    const left = subtractCoins(spendLimit.map(parseCoin), parseCoins(send.amount));
    if (left === undefined)
      throw new StateError(sdkErrors.insufficientFunds, 'requested amount is more than spend limit');
    const isListed = allowList.some((address) => {
      gas.consume(ADDRESS_GAS, 'send authorization');
      return address === send.toAddress;
    });
    if (allowList.length > 0 && !isListed)
      throw new StateError(sdkErrors.unauthorized, `cannot send to ${send.toAddress} address`);
    return left.length === 0 ? undefined : { spendLimit: coinsToWire(left), allowList };
  },
};
