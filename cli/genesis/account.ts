import { fromBech32 } from '../../core/bech32.ts';
import { messageOf } from '../../core/errors.ts';
import { type Coins, coinsFromString } from '../../framework/coins.ts';
import { addAccount, type GenesisVesting } from '../../genesis/edit.ts';
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
  /** Part of the coins, as text. */
  readonly vestingAmount?: string;
  /** Seconds since 1970. */
  readonly vestingStartTime?: string;
  readonly vestingEndTime?: string;
}

/**
 * Gives an account coins in the genesis of a home.
 * @returns its address
 * @throws LedgerError `cli.usage`, `keys.not_found`, `genesis.invalid`; JsonError
 */
export function addGenesisAccount(options: AddAccountOptions): string {
  const genesis = openGenesis(options.home);
  const address = addressOf(options, genesis.prefix);
  const coins = coinsOf(options.coins);
  const vesting = vestingOf(options, coins);
  const account = { address, coins, ...(vesting === undefined ? {} : { vesting }) };
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

/** As `simd genesis add-genesis-account`: an end alone delays, a start and an end make it continuous. */
function vestingOf(options: AddAccountOptions, coins: Coins): GenesisVesting | undefined {
  const { vestingAmount, vestingStartTime, vestingEndTime, append } = options;
  if (vestingAmount === undefined) {
    if (vestingStartTime === undefined && vestingEndTime === undefined) return undefined;
    throw usageError('vesting times are of use with --vesting-amount only');
  }
  if (append) throw usageError('--append adds coins to an account that is there; it cannot make it vest');
  if (vestingEndTime === undefined)
    throw usageError('invalid vesting parameters; must supply start and end time or end time');
  const vesting = coinsOf(vestingAmount);
  for (const { denom, amount } of vesting)
    if (amount > (coins.find((coin) => coin.denom === denom)?.amount ?? 0n))
      throw usageError('vesting amount cannot be greater than total amount');
  const end = secondsOf('--vesting-end-time', vestingEndTime);
  if (vestingStartTime === undefined) return { coins: vesting, end };
  const start = secondsOf('--vesting-start-time', vestingStartTime);
  if (start >= end) throw usageError('vesting start-time must be before end-time');
  return { coins: vesting, start, end };
}

function secondsOf(option: string, text: string): bigint {
  if (!/^[1-9][0-9]{0,11}$/.test(text))
    throw usageError(`${option} ${text} is no time in seconds since 1970`);
  return BigInt(text);
}

function coinsOf(text: string): Coins {
  try {
    return coinsFromString(text);
  } catch (cause) {
    throw usageError(`"${text}" is no list of coins such as 1000000uopen: ${messageOf(cause)}`);
  }
}
