/**
 * A ledger beside the state machine: it knows accounts and coins, and is told of movements by the events that
 * blocks emit. It reads nothing of the state; that both end with the same balances is what an audit shows.
 */
import { LedgerError } from '../../core/errors.ts';
import { type Coins, coinsFromString } from '../../framework/coins.ts';
import type { Event } from '../../framework/events.ts';

/** Coins that reached an account, left it, came into being in it, or were destroyed in it. */
export interface Movement {
  readonly kind: 'in' | 'out' | 'minted' | 'burned';
  /** Text of the address. */
  readonly account: string;
  readonly coins: Coins;
}

/** Events of bank that move coins, with the attribute that names the account. `transfer` only pairs two. */
const MOVEMENTS: Readonly<Record<string, { readonly kind: Movement['kind']; readonly account: string }>> = {
  coin_received: { kind: 'in', account: 'receiver' },
  coin_spent: { kind: 'out', account: 'spender' },
  coinbase: { kind: 'minted', account: 'minter' },
  burn: { kind: 'burned', account: 'burner' },
};

/**
 * The movements that events tell of. What is minted is received as well, and what is burned is spent: see
 * `imbalanceOf`. @throws StateError (sdk 10) for an amount that is none
 */
export function movementsOf(events: readonly Event[]): readonly Movement[] {
  const movements: Movement[] = [];
  for (const event of events) {
    const movement = MOVEMENTS[event.type];
    if (movement === undefined) continue;
    const account = attributeOf(event, movement.account);
    movements.push({ kind: movement.kind, account, coins: coinsFromString(attributeOf(event, 'amount')) });
  }
  return movements;
}

/** The value of an attribute. @throws LedgerError `audit.event` when the event has none of that name */
export function attributeOf({ type, attributes }: Event, key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value;
  if (value !== undefined) return value;
  throw new LedgerError('audit.event', `an event ${type} has no attribute ${key}`, { type, key });
}

/**
 * Coins come from somewhere and go somewhere: what all accounts received less what they spent is what was
 * minted less what was burned. Undefined when it is so, else the denomination and both sides.
 */
export function imbalanceOf(
  movements: readonly Movement[],
): { readonly denom: string; readonly gained: bigint; readonly made: bigint } | undefined {
  const sums = new Map<string, { gained: bigint; made: bigint }>();
  for (const { kind, coins } of movements)
    for (const { denom, amount } of coins) {
      const sum = sums.get(denom) ?? { gained: 0n, made: 0n };
      sums.set(denom, sum);
      if (kind === 'in' || kind === 'out') sum.gained += kind === 'in' ? amount : -amount;
      else sum.made += kind === 'minted' ? amount : -amount;
    }
  for (const [denom, sum] of sums) if (sum.gained !== sum.made) return { denom, ...sum };
  return undefined;
}

/** What an account has of a denomination. */
export interface LedgerEntry {
  readonly account: string;
  readonly denom: string;
  readonly amount: bigint;
}

/** Balances and supply; nothing that is zero is kept. */
export class Ledger {
  /** By account, then denomination. */
  readonly #balances = new Map<string, Map<string, bigint>>();
  readonly #supply = new Map<string, bigint>();
  /** What entries were before they were touched; until `takeTouched`. */
  #touched = new Map<string, LedgerEntry>();
  #entries = 0;

  /** Balances that are not zero. */
  get size(): number {
    return this.#entries;
  }

  /** Coins that are there from the beginning. */
  open(account: string, coins: Coins): void {
    for (const { denom, amount } of coins) {
      this.#add(account, denom, amount);
      this.#addSupply(denom, amount);
    }
    this.#touched.clear();
  }

  record(movements: readonly Movement[]): void {
    for (const { kind, account, coins } of movements)
      for (const { denom, amount } of coins) {
        if (kind === 'in' || kind === 'out') this.#add(account, denom, kind === 'in' ? amount : -amount);
        else this.#addSupply(denom, kind === 'minted' ? amount : -amount);
      }
  }

  balance(account: string, denom: string): bigint {
    return this.#balances.get(account)?.get(denom) ?? 0n;
  }

  supply(denom: string): bigint {
    return this.#supply.get(denom) ?? 0n;
  }

  /** Denominations that there are coins of. */
  denoms(): readonly string[] {
    return [...this.#supply.keys()];
  }

  *entries(): Generator<LedgerEntry> {
    for (const [account, coins] of this.#balances)
      for (const [denom, amount] of coins) yield { account, denom, amount };
  }

  /** Entries that were written since the last call, with what they were before it. */
  takeTouched(): readonly LedgerEntry[] {
    const touched = [...this.#touched.values()];
    this.#touched = new Map();
    return touched;
  }

  #add(account: string, denom: string, amount: bigint): void {
    const coins = this.#balances.get(account) ?? new Map<string, bigint>();
    const before = coins.get(denom) ?? 0n;
    const key = `${account} ${denom}`;
    if (!this.#touched.has(key)) this.#touched.set(key, { account, denom, amount: before });
    const after = before + amount;
    if (before === 0n) this.#entries++;
    if (after === 0n) {
      this.#entries--;
      coins.delete(denom);
      if (coins.size === 0) this.#balances.delete(account);
      return;
    }
    coins.set(denom, after);
    this.#balances.set(account, coins);
  }

  #addSupply(denom: string, amount: bigint): void {
    const after = this.supply(denom) + amount;
    if (after === 0n) this.#supply.delete(denom);
    else this.#supply.set(denom, after);
  }
}
