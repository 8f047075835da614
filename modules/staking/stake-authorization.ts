import type { AuthorizationHandler } from '../../framework/authorization.ts';
import { type Coin, coinToString, coinToWire, parseCoin, type WireCoin } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import { type ErrorKind, StateError, sdkErrors } from '../../framework/errors.ts';
import { type BoundMessage, messageOfType } from '../../framework/message.ts';
import { AuthorizationType, StakeAuthorization } from '../../proto/gen/cosmos/staking/v1beta1/authz.ts';
import {
  MsgBeginRedelegate,
  MsgCancelUnbondingDelegation,
  MsgDelegate,
  MsgUndelegate,
} from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';

/** Gas for each validator of a list that is looked at. */
const VALIDATOR_GAS = 10;

/** The numbers are x/authz's. */
const unknownType: ErrorKind = { codespace: 'authz', code: 4, description: 'unknown authorization type' };
const negativeMaxTokens: ErrorKind = {
  codespace: 'authz',
  code: 12,
  description: 'max tokens should be positive',
};

const MESSAGES: ReadonlyMap<number, string> = new Map([
  [AuthorizationType.AUTHORIZATION_TYPE_DELEGATE, MsgDelegate.typeUrl],
  [AuthorizationType.AUTHORIZATION_TYPE_UNDELEGATE, MsgUndelegate.typeUrl],
  [AuthorizationType.AUTHORIZATION_TYPE_REDELEGATE, MsgBeginRedelegate.typeUrl],
  [AuthorizationType.AUTHORIZATION_TYPE_CANCEL_UNBONDING_DELEGATION, MsgCancelUnbondingDelegation.typeUrl],
]);

/**
 * Moving someone's stake in one way: so much in all if a limit is named, to these validators or to all but
 * these.
 */
export const stakeAuthorization: AuthorizationHandler<StakeAuthorization> = {
  type: StakeAuthorization,
  messageTypeUrl: ({ authorizationType }) => MESSAGES.get(authorizationType) ?? '',
  validate({ maxTokens, authorizationType }) {
    if (maxTokens !== undefined && parseCoin(maxTokens).amount < 0n)
      throw new StateError(negativeMaxTokens, `negative coin amount: ${coinToString(parseCoin(maxTokens))}`);
    if (!MESSAGES.has(authorizationType)) throw new StateError(unknownType);
  },
  accept(context, authorization, message) {
    const { validator, amount } = stakeOf(message);
    checkValidator(context, authorization, validator);
    // Stored again even where nothing changes, as in the SDK: gas agrees.
    if (authorization.maxTokens === undefined) return { ...authorization };
    const left = subtract(parseCoin(authorization.maxTokens), parseCoin(amount));
    return left.amount === 0n ? undefined : { ...authorization, maxTokens: coinToWire(left) };
  },
};

interface Stake {
  readonly validator: string;
  readonly amount: WireCoin;
}

/** Which validator a message concerns (the new one of a redelegation), and how much. */
function stakeOf(message: BoundMessage): Stake {
  const moved = messageOfType(message, MsgBeginRedelegate);
  if (moved !== undefined) return { validator: moved.validatorDstAddress, amount: moved.amount };
  const other =
    messageOfType(message, MsgDelegate) ??
    messageOfType(message, MsgUndelegate) ??
    messageOfType(message, MsgCancelUnbondingDelegation);
  if (other === undefined) throw new StateError(sdkErrors.invalidRequest, 'unknown msg type');
  return { validator: other.validatorAddress, amount: other.amount };
}

function checkValidator({ gas }: ReadContext, authorization: StakeAuthorization, validator: string): void {
  const isIn = (addresses: readonly string[]): boolean =>
    addresses.some((address) => {
      gas.consume(VALIDATOR_GAS, 'stake authorization');
      return address === validator;
    });
  const allowed = authorization.allowList?.address ?? [];
  const isAllowed = isIn(allowed);
  const isDenied = isIn(authorization.denyList?.address ?? []);
  if (isDenied || (allowed.length > 0 && !isAllowed))
    throw new StateError(sdkErrors.unauthorized, `cannot delegate/undelegate to ${validator} validator`);
}

function subtract(limit: Coin, spent: Coin): Coin {
  if (limit.denom !== spent.denom)
    throw new StateError(sdkErrors.invalidCoins, `invalid coin denoms: ${spent.denom}, ${limit.denom}`);
  const amount = limit.amount - spent.amount;
  if (amount < 0n) throw new StateError(sdkErrors.invalidCoins, 'negative coin amount');
  return { denom: limit.denom, amount };
}
