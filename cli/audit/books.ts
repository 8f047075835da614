/** The books of a range of blocks: by account of a module, and by what coins moved for. */
import type { Coins } from '../../framework/coins.ts';
import { coinsFromString } from '../../framework/coins.ts';
import type { Event } from '../../framework/events.ts';
import { attributeOf, type Ledger, type Movement } from './ledger.ts';

/** Row of all accounts that belong to no module. */
export const ACCOUNTS_ROW = 'accounts';

/** `opening + minted + in − out − burned = closing`, for one row and denomination. */
export interface BookRow {
  /** Name of a module's account, or `accounts`. */
  readonly row: string;
  readonly denom: string;
  readonly opening: bigint;
  readonly minted: bigint;
  /** From other accounts; among the accounts of one row, too. */
  readonly in: bigint;
  readonly out: bigint;
  readonly burned: bigint;
  readonly closing: bigint;
}

interface Flow {
  opening: bigint;
  minted: bigint;
  in: bigint;
  out: bigint;
  burned: bigint;
}

/** Flows of a range by row. */
export class Books {
  readonly #rowOf: ReadonlyMap<string, string>;
  readonly #flows = new Map<string, Map<string, Flow>>();

  /** @param modules text of a module account's address to the name of the module */
  constructor(modules: ReadonlyMap<string, string>) {
    this.#rowOf = modules;
    for (const name of [...modules.values(), ACCOUNTS_ROW]) this.#flows.set(name, new Map());
  }

  /** Begins: what the ledger holds is the opening. */
  open(ledger: Ledger): void {
    for (const { account, denom, amount } of ledger.entries()) this.#flow(account, denom).opening += amount;
  }

  record(movements: readonly Movement[]): void {
    for (const { kind, account, coins } of movements)
      for (const { denom, amount } of coins) {
        const flow = this.#flow(account, denom);
        flow[kind] += amount;
        // What is minted was received as well, and what is burned was spent.
        if (kind === 'minted') flow.in -= amount;
        if (kind === 'burned') flow.out -= amount;
      }
  }

  /** The table, with what the ledger holds as closing; rows by name, the accounts last. */
  rows(ledger: Ledger): readonly BookRow[] {
    const closing = new Map<string, bigint>();
    for (const { account, denom, amount } of ledger.entries()) {
      const key = `${this.#rowName(account)} ${denom}`;
      closing.set(key, (closing.get(key) ?? 0n) + amount);
    }
    return [...this.#flows].flatMap(([row, flows]) =>
      [...flows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([denom, flow]) => ({ row, denom, ...flow, closing: closing.get(`${row} ${denom}`) ?? 0n })),
    );
  }

  #rowName(account: string): string {
    return this.#rowOf.get(account) ?? ACCOUNTS_ROW;
  }

  #flow(account: string, denom: string): Flow {
    const row = this.#rowName(account);
    const flows = this.#flows.get(row) ?? new Map<string, Flow>();
    const flow = flows.get(denom) ?? { opening: 0n, minted: 0n, in: 0n, out: 0n, burned: 0n };
    flows.set(denom, flow);
    this.#flows.set(row, flows);
    return flow;
  }
}

/** The rows in which the books do not add up. */
export function wrongRows(rows: readonly BookRow[]): readonly BookRow[] {
  return rows.filter(
    ({ opening, minted, in: received, out, burned, closing }) =>
      opening + minted + received - out - burned !== closing,
  );
}

/** What coins moved for, of which events tell the sum. */
const PURPOSES: readonly { readonly name: string; readonly event: string; readonly amount: string }[] = [
  { name: 'gas fees', event: 'tx', amount: 'fee' },
  { name: 'rewards withdrawn', event: 'withdraw_rewards', amount: 'amount' },
  { name: 'commissions withdrawn', event: 'withdraw_commission', amount: 'amount' },
  { name: 'paid into pools', event: 'pool_credit', amount: 'amount' },
  { name: 'claimed from pools', event: 'claim', amount: 'amount' },
];

/** What is destroyed, by the module whose account it was in. */
const BURNS: Readonly<Record<string, string>> = {
  bonded_tokens_pool: 'slashed stake',
  not_bonded_tokens_pool: 'slashed stake',
  gov: 'burned deposits',
};

/** A sum of a range. */
export interface PurposeSum {
  readonly name: string;
  readonly denom: string;
  readonly amount: bigint;
}

/** Sums by purpose. */
export class Purposes {
  readonly #modules: ReadonlyMap<string, string>;
  /** By purpose, then denomination. */
  readonly #sums = new Map<string, Map<string, bigint>>();

  constructor(modules: ReadonlyMap<string, string>) {
    this.#modules = modules;
    for (const { name } of PURPOSES) this.#sums.set(name, new Map());
    for (const name of Object.values(BURNS)) this.#sums.set(name, new Map());
  }

  record(events: readonly Event[], movements: readonly Movement[]): void {
    for (const event of events)
      for (const { name, event: type, amount } of PURPOSES) {
        const isOne = event.type === type && event.attributes.some(({ key }) => key === amount);
        if (isOne) this.#add(name, coinsFromString(attributeOf(event, amount)));
      }
    for (const { kind, account, coins } of movements) {
      const module = this.#modules.get(account) ?? ACCOUNTS_ROW;
      if (kind === 'burned') this.#add(BURNS[module] ?? `burned by ${module}`, coins);
      if (kind === 'minted') this.#add(`minted by ${module}`, coins);
    }
  }

  sums(): readonly PurposeSum[] {
    return [...this.#sums].flatMap(([name, coins]) =>
      [...coins].map(([denom, amount]) => ({ name, denom, amount })),
    );
  }

  #add(name: string, coins: Coins): void {
    const sums = this.#sums.get(name) ?? new Map<string, bigint>();
    for (const { denom, amount } of coins) sums.set(denom, (sums.get(denom) ?? 0n) + amount);
    this.#sums.set(name, sums);
  }
}
