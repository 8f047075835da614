/** What messages of v1 and of v1beta1 do alike. */
import { parseCoins, type WireCoin } from '../../framework/coins.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { MessageHandler } from '../../framework/message.ts';
import { addDeposit, type DepositOrder, type DepositPlan, planDeposit } from './deposits.ts';
import { votingStarted } from './events.ts';
import type { GovCore } from './ports.ts';
import { accountOf } from './submit.ts';
import { addVote, checkVote, type VoteOrder } from './votes.ts';

type NoResponse = Readonly<Record<never, never>>;
type Phases<M, C> = Pick<MessageHandler<M, NoResponse, C>, 'validate' | 'check' | 'execute'>;

/** A message that votes. */
export function votePhases<M>(k: GovCore, orderOf: (message: M) => VoteOrder): Phases<M, VoteOrder> {
  return {
    validate: (message) => void orderOf(message),
    check(context, message) {
      const order = orderOf(message);
      checkVote(k, context, order);
      return order;
    },
    execute(context, _, order) {
      addVote(k, context, order);
      return {};
    },
  };
}

/** A message that deposits, in v1 and in v1beta1. */
export interface DepositMessage {
  readonly proposalId: bigint;
  readonly depositor: string;
  readonly amount: readonly WireCoin[];
}

/** A message that deposits. */
export function depositPhases<M extends DepositMessage>(k: GovCore): Phases<M, DepositPlan> {
  const orderOf = ({ proposalId, depositor, amount }: M): DepositOrder => {
    const address = accountOf(k, depositor, 'depositor');
    const coins = parseCoins(amount);
    if (coins.length === 0) throw new StateError(sdkErrors.invalidCoins);
    return { proposalId, depositor: address, coins };
  };
  return {
    validate: (message) => void orderOf(message),
    check: (context, message) => planDeposit(k, context, orderOf(message)),
    execute(context, { proposalId }, plan) {
      if (addDeposit(k, context, plan)) context.emit(votingStarted('proposal_deposit', proposalId));
      return {};
    },
  };
}
