import { fromBech32 } from '../../core/bech32.ts';
import { messageOf } from '../../core/errors.ts';
import { type Coins, coinsFromString } from '../../framework/coins.ts';
import { addAccount } from '../../genesis/edit.ts';
import { usageError } from '../failure.ts';
import { accountAddress } from '../wallet/hd.ts';
import { Keyring, type KeyringBackend } from '../wallet/keyring.ts';
import { openGenesis, writeGenesis } from './file.ts';

/** What was asked for. */
export interface AddAccountOptions {
  readonly home: string;
  readonly keyringBackend: KeyringBackend;
  /** An address, or the name of a key in the home's keyring. */
  readonly whom: string;
  readonly coins: string;
  readonly append: boolean;
}

/**
 * Gives an account coins in the genesis of a home.
 * @returns its address
 * @throws LedgerError `cli.usage`, `keys.not_found`, `genesis.invalid`; JsonError
 */
export function addGenesisAccount(options: AddAccountOptions): string {
  const genesis = openGenesis(options.home);
  const address = addressOf(options, genesis.prefix);
  const account = { address, coins: coinsOf(options.coins) };
  const document = addAccount(genesis.document, account, options.append ? 'append' : 'refuse');
  writeGenesis(genesis.file, document);
  return address;
}

function addressOf({ whom, home, keyringBackend }: AddAccountOptions, prefix: string): string {
  try {
    fromBech32(whom);
    return whom;
  } catch {
    return accountAddress(prefix, new Keyring(home, keyringBackend).find(whom).publicKey);
  }
}

function coinsOf(text: string): Coins {
  try {
    return coinsFromString(text);
  } catch (cause) {
    throw usageError(`"${text}" is no list of coins such as 1000000uopen: ${messageOf(cause)}`);
  }
}
