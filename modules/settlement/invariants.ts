import { addCoins, amountOf, type Coins, NO_COINS, parseCoin } from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { type Epoch, EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { SettlementCore } from './core.ts';
import { keyOfPiece } from './requests.ts';

/** What must hold of settlement after every block. They walk over everything. */
export function settlementInvariants(k: SettlementCore): readonly Invariant[] {
  return [
    { name: 'solvency', check: (context) => checkAccount(k, context) },
    { name: 'rounds', check: (context) => checkRounds(k, context) },
    { name: 'queue', check: (context) => checkQueue(k, context) },
    { name: 'requests', check: (context) => checkRequests(k, context) },
  ];
}

/** What waits, what is being paid and what can be claimed, and bonds: the account has it. */
function checkAccount({ state, bank, account }: SettlementCore, context: ReadContext): string | undefined {
  let owed: Coins = NO_COINS;
  const add = (denom: string, amount: bigint): void => {
    if (amount > 0n) owed = addCoins(owed, [{ denom, amount }]);
  };
  for (const [, { denom, claimed }] of state.rounds.iterate(context)) add(denom, BigInt(claimed));
  for (const [, epoch] of state.epochs.iterate(context)) {
    add(epoch.denom, heldFor(epoch));
    const bond = parseCoin(epoch.bond);
    if (epoch.state !== EpochState.EPOCH_STATE_FINAL) add(bond.denom, bond.amount);
  }
  for (const [, { bond }] of state.requests.iterate(context)) add(bond.denom, BigInt(bond.amount));
  const held = bank.balances(context, account);
  const short = owed.find(({ denom, amount }) => amountOf(held, denom) < amount);
  return (
    short &&
    `${short.amount}${short.denom} are owed, the module account has only ${amountOf(held, short.denom)}`
  );
}

/** Rows that are not paid yet, and entitlements; a pending epoch's money is its round's. */
function heldFor({ state, commitment, paidRows, unclaimed }: Epoch): bigint {
  if (state === EpochState.EPOCH_STATE_PENDING) return 0n;
  return commitment.rows.slice(paidRows).reduce((sum, { amount }) => sum + amount, BigInt(unclaimed));
}

/** A round holds what was claimed of its lanes until it is paid; its epoch is its own; the open one is found. */
function checkRounds({ state, addresses }: SettlementCore, context: ReadContext): string | undefined {
  const sums = new Map<bigint, bigint>();
  for (const [, { roundId, from, to }] of state.lanes.iterate(context))
    sums.set(roundId, (sums.get(roundId) ?? 0n) + to - from);
  for (const [id, round] of state.rounds.iterate(context)) {
    const { gateway, denom, claimed, closed, epochId } = round;
    const sum = sums.get(id) ?? 0n;
    sums.delete(id);
    const address = addresses.toBytes(gateway);
    if (!state.roundsOf.has(context, [address, id])) return `round ${id} is not found by its gateway`;
    if (!closed && state.openRounds.get(context, [address, denom]) !== id)
      return `round ${id} is open and not found`;
    if (closed && state.openRounds.get(context, [address, denom]) === id) return `round ${id} is closed`;
    const epoch = epochId === 0n ? undefined : state.epochs.get(context, epochId);
    if (epochId > 0n && epoch?.roundId !== id) return `epoch ${epochId} does not state round ${id}`;
    const isPaid = epoch !== undefined && epoch.state !== EpochState.EPOCH_STATE_PENDING;
    if (isPaid ? claimed !== '0' : BigInt(claimed) !== sum)
      return `round ${id} holds ${claimed}, its lanes add up to ${sum}`;
  }
  const [stray] = sums.keys();
  return stray === undefined ? undefined : `lanes are of round ${stray}, which is not there`;
}

function checkQueue({ state }: SettlementCore, context: ReadContext): string | undefined {
  let open = 0;
  for (const [id, epoch] of state.epochs.iterate(context)) {
    const isOpen = epoch.state !== EpochState.EPOCH_STATE_FINAL;
    if (isOpen) open++;
    if (state.due.has(context, [epoch.finalHeight, id]) !== isOpen)
      return `epoch ${id} is ${isOpen ? 'open but not queued' : 'queued but final'}`;
    const swept = state.sweeps.has(context, epoch.roundId);
    if (swept !== (!isOpen && state.rounds.has(context, epoch.roundId)))
      return `round ${epoch.roundId} of epoch ${id} is ${swept ? '' : 'not '}being forgotten`;
  }
  for (const _ of state.due.iterate(context)) open--;
  return open === 0 ? undefined : 'the queue names an epoch that is not there';
}

/** Open requests are counted, found by their pieces, and queued by their deadlines. */
function checkRequests({ state, addresses }: SettlementCore, context: ReadContext): string | undefined {
  const ofEpochs = new Map<bigint, number>();
  const ofAccounts = new Map<string, bigint>();
  let requests = 0;
  for (const [id, { requester, epochId, piece, deadline }] of state.requests.iterate(context)) {
    requests++;
    ofEpochs.set(epochId, (ofEpochs.get(epochId) ?? 0) + 1);
    ofAccounts.set(requester, (ofAccounts.get(requester) ?? 0n) + 1n);
    if (!state.deadlines.has(context, [deadline, id])) return `request ${id} has no deadline`;
    if (state.requestsByPiece.get(context, [epochId, keyOfPiece(piece)]) !== id)
      return `request ${id} is not found by its piece`;
  }
  let [deadlines, pieces] = [0, 0];
  for (const _ of state.deadlines.iterate(context)) deadlines++;
  for (const _ of state.requestsByPiece.iterate(context)) pieces++;
  if (deadlines !== requests || pieces !== requests) return 'a request that is not there is queued or found';
  for (const [id, { openRequests }] of state.epochs.iterate(context)) {
    const open = ofEpochs.get(id) ?? 0;
    if (open !== openRequests) return `epoch ${id} says that ${openRequests} requests are open, ${open} are`;
  }
  for (const [address, count] of state.requestsOf.iterate(context)) {
    const text = addresses.toText(address);
    if (ofAccounts.get(text) !== count) return `${text} has ${count} open requests by its count`;
    ofAccounts.delete(text);
  }
  return ofAccounts.size === 0 ? undefined : 'an account with open requests has no count';
}
