import { type Coins, coinsToString } from '../../framework/coins.ts';
import { type Event, event } from '../../framework/events.ts';

/** Coins left an account. */
export function coinSpent(spender: string, coins: Coins): Event {
  return event('coin_spent', { spender, amount: coinsToString(coins) });
}

/** Coins reached an account. */
export function coinReceived(receiver: string, coins: Coins): Event {
  return event('coin_received', { receiver, amount: coinsToString(coins) });
}

/** Coins came into being. */
export function coinMinted(minter: string, coins: Coins): Event {
  return event('coinbase', { minter, amount: coinsToString(coins) });
}

/** Coins were destroyed. */
export function coinBurned(burner: string, coins: Coins): Event {
  return event('burn', { burner, amount: coinsToString(coins) });
}

/** Coins went from one account to another. */
export function transferred(transfer: {
  readonly recipient: string;
  readonly sender: string;
  readonly coins: Coins;
}): Event {
  const { recipient, sender, coins } = transfer;
  return event('transfer', { recipient, sender, amount: coinsToString(coins) });
}

/** Who caused a transfer. */
export function messageSender(sender: string): Event {
  return event('message', { sender });
}
