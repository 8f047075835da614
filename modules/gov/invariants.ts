import { moduleAddress } from '../../framework/address.ts';
import {
  addCoins,
  type Coins,
  coinsCover,
  coinsToString,
  equalCoins,
  NO_COINS,
} from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { ProposalStatus } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { coinsOfWire } from './params.ts';
import type { GovCore } from './ports.ts';
import { byProposalKey, STORE_NAME } from './state.ts';

/** What must hold of governance after every block. They walk over everything. */
export function govInvariants(k: GovCore): readonly Invariant[] {
  return [
    { name: 'module-account', check: (context) => checkAccount(k, context) },
    { name: 'deposits', check: (context) => checkDeposits(k, context) },
    { name: 'queues', check: (context) => checkQueues(k, context) },
    { name: 'proposals', check: (context) => checkProposals(k, context) },
  ];
}

/** The module's account holds at least all deposits: others may have sent it coins. */
function checkAccount(k: GovCore, context: ReadContext): string | undefined {
  let total: Coins = NO_COINS;
  for (const [, { amount }] of k.state.deposits.iterate(context))
    total = addCoins(total, coinsOfWire(amount));
  const balances = k.bank.balances(context, moduleAddress(STORE_NAME));
  if (coinsCover(balances, total)) return undefined;
  return `deposits are ${coinsToString(total)}, the module's account holds ${coinsToString(balances)}`;
}

/** The deposits of each proposal under way are those that it says it has. */
function checkDeposits(k: GovCore, context: ReadContext): string | undefined {
  for (const [id, { status, totalDeposit }] of k.state.proposals.iterate(context)) {
    let total: Coins = NO_COINS;
    for (const [, { amount }] of k.state.deposits.iterate(context, { prefix: byProposalKey.prefix(id) }))
      total = addCoins(total, coinsOfWire(amount));
    const expected = isOpen(status) ? coinsOfWire(totalDeposit) : NO_COINS;
    if (!equalCoins(total, expected))
      return `proposal ${id} has deposits of ${coinsToString(total)}, not ${coinsToString(expected)}`;
  }
  return undefined;
}

/** Deposits and votes are on proposals that are there: an export with others could not be imported. */
function checkProposals(k: GovCore, context: ReadContext): string | undefined {
  const { deposits, votes, proposals } = k.state;
  for (const [[id]] of deposits.iterate(context))
    if (!proposals.has(context, id)) return `there is a deposit on proposal ${id}, which is not there`;
  for (const [[id]] of votes.iterate(context))
    if (!proposals.has(context, id)) return `there is a vote on proposal ${id}, which is not there`;
  return undefined;
}

function isOpen(status: number): boolean {
  return (
    status === ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD ||
    status === ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD
  );
}

/** Each proposal under way is in the queue of its period, and nothing else is. */
function checkQueues(k: GovCore, context: ReadContext): string | undefined {
  let open = 0;
  for (const [id, { status, depositEndTime, votingEndTime }] of k.state.proposals.iterate(context)) {
    const isVoting = status === ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD;
    if (k.state.votingPeriod.has(context, id) !== isVoting) return `proposal ${id} is not marked as it is`;
    if (!isOpen(status)) continue;
    open++;
    const queue = isVoting ? k.state.activeQueue : k.state.inactiveQueue;
    const end = isVoting ? votingEndTime : depositEndTime;
    if (end === undefined || !queue.has(context, [end, id])) return `proposal ${id} is not queued`;
  }
  const queued = [...k.state.activeQueue.iterate(context), ...k.state.inactiveQueue.iterate(context)].length;
  return queued === open ? undefined : `${open} proposals are under way, ${queued} are queued`;
}
