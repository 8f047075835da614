/** Events of coins that move. Amounts are `coinsToString` of them. */
import { attribute, type Event, eventOf } from '../../framework/events.ts';

/** Coins left an account. */
export function coinSpent(spender: string, amount: string): Event {
  return eventOf('coin_spent', attribute('spender', spender), attribute('amount', amount));
}

/** Coins reached an account. */
export function coinReceived(receiver: string, amount: string): Event {
  return eventOf('coin_received', attribute('receiver', receiver), attribute('amount', amount));
}

/** Coins came into being. */
export function coinMinted(minter: string, amount: string): Event {
  return eventOf('coinbase', attribute('minter', minter), attribute('amount', amount));
}

/** Coins were destroyed. */
export function coinBurned(burner: string, amount: string): Event {
  return eventOf('burn', attribute('burner', burner), attribute('amount', amount));
}

/** Coins went from one account to another. */
export function transferred(transfer: {
  readonly recipient: string;
  readonly sender: string;
  readonly amount: string;
}): Event {
  const { recipient, sender, amount } = transfer;
  return eventOf(
    'transfer',
    attribute('recipient', recipient),
    attribute('sender', sender),
    attribute('amount', amount),
  );
}

/** Who caused a transfer. */
export function messageSender(sender: string): Event {
  return eventOf('message', attribute('sender', sender));
}
