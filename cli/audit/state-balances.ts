/** Balances and supply as the state has them, to hold the ledger against. */
import { fromUtf8 } from '../../core/bytes.ts';
import type { AddressCodec } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import { integerValue } from '../../framework/values.ts';
import { balanceKey, bankState, STORE_NAME } from '../../modules/bank/state.ts';
import type { ChangeSet } from '../../store/change-set.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

/** Prefixes of the store of bank (x/bank/types/keys.go). */
const SUPPLY_PREFIX = 0;
const BALANCE_PREFIX = 2;

/** Where the ledger and the state part. */
export interface BalanceDifference {
  /** Text of the account; undefined for the supply. */
  readonly account: string | undefined;
  readonly denom: string;
  readonly state: bigint;
  readonly ledger: bigint;
}

/**
 * Compares what a version changed: each balance and supply that was written, and each entry of the ledger
 * that was touched. After one full comparison, equal after every block means equal throughout.
 */
export function changedDifference(
  ledger: Ledger,
  changes: ChangeSet,
  addresses: AddressCodec,
): BalanceDifference | undefined {
  const writes = changes.stores.find(({ name }) => name === STORE_NAME)?.writes ?? [];
  const written = new Set<string>();
  for (const { key, value } of writes) {
    const state = value === undefined ? 0n : integerOf(key, value);
    if (key[0] === SUPPLY_PREFIX) {
      const denom = fromUtf8(key.subarray(1));
      if (ledger.supply(denom) !== state)
        return { account: undefined, denom, state, ledger: ledger.supply(denom) };
    }
    if (key[0] !== BALANCE_PREFIX) continue;
    const [address, denom] = balanceKey.read(key, 1, true).key;
    const account = addresses.toText(address);
    written.add(entryKey({ account, denom }));
    if (ledger.balance(account, denom) !== state)
      return { account, denom, state, ledger: ledger.balance(account, denom) };
  }
  return unwrittenDifference(ledger, written);
}

/** An entry that the ledger has changed and the state has not. */
function unwrittenDifference(ledger: Ledger, written: ReadonlySet<string>): BalanceDifference | undefined {
  for (const before of ledger.takeTouched()) {
    const { account, denom, amount: state } = before;
    if (written.has(entryKey(before)) || ledger.balance(account, denom) === state) continue;
    return { account, denom, state, ledger: ledger.balance(account, denom) };
  }
  return undefined;
}

/** Only balances and supply are integers as text. */
function integerOf(key: Uint8Array, value: Uint8Array): bigint {
  return key[0] === SUPPLY_PREFIX || key[0] === BALANCE_PREFIX ? integerValue.decode(value) : 0n;
}

function entryKey({ account, denom }: Pick<LedgerEntry, 'account' | 'denom'>): string {
  return `${account} ${denom}`;
}

/** Compares every balance and every supply; what each side has and the other has not is a difference, too. */
export function fullDifference(
  ledger: Ledger,
  context: ReadContext,
  addresses: AddressCodec,
): BalanceDifference | undefined {
  const { balances, supply } = bankState();
  let held = 0;
  for (const [[address, denom], state] of balances.map.iterate(context)) {
    const account = addresses.toText(address);
    if (ledger.balance(account, denom) !== state)
      return { account, denom, state, ledger: ledger.balance(account, denom) };
    held++;
  }
  const denoms = new Set<string>();
  for (const [denom, state] of supply.iterate(context)) {
    denoms.add(denom);
    if (ledger.supply(denom) !== state)
      return { account: undefined, denom, state, ledger: ledger.supply(denom) };
  }
  const missing = ledger.denoms().find((denom) => !denoms.has(denom));
  if (missing !== undefined)
    return { account: undefined, denom: missing, state: 0n, ledger: ledger.supply(missing) };
  return held === ledger.size ? undefined : unheldDifference(ledger, context, addresses);
}

/** The ledger has more entries than the state: which. */
function unheldDifference(
  ledger: Ledger,
  context: ReadContext,
  addresses: AddressCodec,
): BalanceDifference | undefined {
  const { balances } = bankState();
  for (const { account, denom, amount } of ledger.entries())
    if (!balances.map.has(context, [addresses.toBytes(account), denom]))
      return { account, denom, state: 0n, ledger: amount };
  return undefined;
}

/** Every account's coins in the state. */
export function* stateEntries(context: ReadContext, addresses: AddressCodec): Generator<LedgerEntry> {
  for (const [[address, denom], amount] of bankState().balances.map.iterate(context))
    yield { account: addresses.toText(address), denom, amount };
}
