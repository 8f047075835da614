/** Changes to a genesis document before its chain starts. Each returns a new document. */
import { addCoins, type Coins, coinsToWire } from '../framework/coins.ts';
import { type JsonObject, JsonReader, type JsonValue } from '../framework/json.ts';
import type { FundedAccount } from './build.ts';
import type { GenesisDocument } from './document.ts';

/** Coins that become free at a time, or from one time to another; seconds since 1970. */
export interface GenesisVesting {
  readonly coins: Coins;
  /** Absent: all of them are free at the end, none before. */
  readonly start?: bigint;
  readonly end: bigint;
}

/** An account that is added. */
export interface AddedAccount extends FundedAccount {
  /** Part of its coins. */
  readonly vesting?: GenesisVesting;
}

/** What `addAccount` does with an address that is there already. */
export type KnownAccount = 'refuse' | 'append';

/**
 * Adds an account with coins, and the coins to the supply where the document states one.
 * @throws JsonError when the address has an account and `known` is `refuse`
 */
export function addAccount(
  document: GenesisDocument,
  { address, coins, vesting }: AddedAccount,
  known: KnownAccount,
): GenesisDocument {
  const root = new JsonReader(document.appState, 'app_state');
  const accounts = root.member('auth').member('accounts');
  const isKnown = accounts.elements().some((account) => addressOf(account) === address);
  if (isKnown && known === 'refuse')
    accounts.fail(`${address} has an account already; --append adds the coins to it`);
  const account = (): JsonObject => withVesting(accountJson(address, accounts), vesting);
  const bank = root.member('bank');
  const balances = bank.member('balances').elements();
  const index = balances.findIndex((balance) => balance.member('address').text() === address);
  const sum = addCoins(coinsIn(balances[index]?.member('coins')), coins);
  const balance = { address, coins: coinsToJson(sum) };
  const others = balances.flatMap(({ value }, i) => (value === undefined || i === index ? [] : [value]));
  const supply = bank.member('supply');
  const states = supply.elements().length > 0 || balances.length === 0;
  return withSections(document, {
    auth: {
      ...root.member('auth').object(),
      accounts: isKnown ? orEmpty(accounts) : [...listOf(accounts), account()],
    },
    bank: {
      ...bank.object(),
      balances: [...others, balance],
      supply: states ? coinsToJson(addCoins(coinsIn(supply), coins)) : [],
    },
  });
}

/** The document with these genesis transactions: they make the validator set, so it lists none itself. */
export function withGenTxs(document: GenesisDocument, genTxs: readonly JsonValue[]): GenesisDocument {
  return { ...withSections(document, { genutil: { gen_txs: genTxs } }), validators: [] };
}

/** What an address has at genesis. @throws JsonError when the section of bank is malformed */
export function genesisBalance(document: GenesisDocument, address: string): Coins {
  const balances = new JsonReader(document.appState, 'app_state').member('bank').member('balances');
  const own = balances.elements().find((balance) => balance.member('address').text() === address);
  return coinsIn(own?.member('coins'));
}

function withSections(document: GenesisDocument, sections: JsonObject): GenesisDocument {
  return { ...document, appState: { ...document.appState, ...sections } };
}

/** Accounts of modules, and those that vest, have theirs inside. */
function addressOf(account: JsonReader): string {
  for (const name of ['base_vesting_account', 'base_account'])
    if (account.member(name).present) return addressOf(account.member(name));
  return account.member('address').textOr('');
}

function withVesting(base: JsonObject, vesting: GenesisVesting | undefined): JsonObject {
  if (vesting === undefined) return base;
  const { '@type': _, ...account } = base;
  const held = {
    base_account: account,
    original_vesting: coinsToJson(vesting.coins),
    delegated_free: [],
    delegated_vesting: [],
    end_time: vesting.end.toString(),
  };
  const type = vesting.start === undefined ? 'DelayedVestingAccount' : 'ContinuousVestingAccount';
  return {
    '@type': `/cosmos.vesting.v1beta1.${type}`,
    base_vesting_account: held,
    ...(vesting.start === undefined ? {} : { start_time: vesting.start.toString() }),
  };
}

/** Numbers go on after the highest. */
function accountJson(address: string, accounts: JsonReader): JsonObject {
  const numbers = accounts.elements().map((account) => {
    const number = account.member('account_number');
    return number.present ? number.uint64() : 0n;
  });
  const next = numbers.reduce((least, number) => (number >= least ? number + 1n : least), 0n);
  return {
    '@type': '/cosmos.auth.v1beta1.BaseAccount',
    address,
    pub_key: null,
    account_number: next.toString(),
    sequence: '0',
  };
}

function coinsIn(json: JsonReader | undefined): Coins {
  const coins = json?.elements().map((coin) => ({
    denom: coin.member('denom').text(),
    amount: coin.member('amount').integer(),
  }));
  return coins ?? [];
}

function coinsToJson(coins: Coins): readonly JsonValue[] {
  return coinsToWire(coins).map(({ denom, amount }) => ({ denom, amount }));
}

function listOf(json: JsonReader): readonly JsonValue[] {
  return json.elements().map(({ value }) => value ?? null);
}

function orEmpty(json: JsonReader): JsonValue {
  return json.value ?? [];
}
