import { toHex } from '../../core/bytes.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import type { BankView } from '../bank/types.ts';
import { LANES } from './format/voucher.ts';
import { type ChannelState, laneKey, STORE_NAME } from './state.ts';

interface InvariantPorts {
  readonly state: ChannelState;
  readonly bank: BankView;
}

/** What must hold of channels after every block. They walk over everything. */
export function channelInvariants(ports: InvariantPorts): readonly Invariant[] {
  return [
    { name: 'deposits', check: (context) => checkDeposits(ports, context) },
    { name: 'lanes', check: (context) => checkLanes(ports, context) },
    { name: 'closed', check: (context) => checkClosed(ports, context) },
  ];
}

/** The module's account covers what was paid in and not claimed, of each denomination. */
function checkDeposits({ state, bank }: InvariantPorts, context: ReadContext): string | undefined {
  const held = new Map<string, bigint>();
  for (const [id, { config }] of state.channels.iterate(context)) {
    const balance = state.balances.get(context, id);
    if (balance === undefined) return `channel ${toHex(id)} has no balance`;
    const rest = BigInt(balance.deposited) - BigInt(balance.claimed);
    if (rest < 0n) return `of channel ${toHex(id)} more was claimed than paid in`;
    held.set(config.denom, (held.get(config.denom) ?? 0n) + rest);
  }
  for (const [denom, amount] of held) {
    const balance = bank.balance(context, moduleAddress(STORE_NAME), denom);
    if (balance < amount) return `channels hold ${amount}${denom}, the module account only ${balance}`;
  }
  return undefined;
}

/** What was claimed of a channel is the sum over its lanes; no lane and no balance is without its channel. */
function checkLanes({ state }: InvariantPorts, context: ReadContext): string | undefined {
  for (const [id, { claimed }] of state.balances.iterate(context)) {
    if (!state.channels.has(context, id)) return `a balance of channel ${toHex(id)}, which is not there`;
    let sum = 0n;
    for (const [[, lane], amount] of state.lanes.iterate(context, { prefix: laneKey.prefix(id) })) {
      if (amount <= 0n || lane >= LANES) return `lane ${lane} of channel ${toHex(id)} has claimed ${amount}`;
      sum += amount;
    }
    if (sum !== BigInt(claimed)) return `lanes of channel ${toHex(id)} add up to ${sum}, not ${claimed}`;
  }
  for (const [[id]] of state.lanes.iterate(context))
    if (!state.balances.has(context, id)) return `a lane of channel ${toHex(id)}, which is not there`;
  return undefined;
}

/** What is closed is not open. */
function checkClosed({ state }: InvariantPorts, context: ReadContext): string | undefined {
  for (const [, id] of state.closed.iterate(context))
    if (state.channels.has(context, id)) return `channel ${toHex(id)} is open and closed`;
  return undefined;
}
