/** What a devnet shall be: options given now, what its home says of an earlier start, and the defaults. */
import { LedgerError } from '../../core/errors.ts';
import { DEFAULT_CHAIN_ID, DEFAULT_DENOM, DEFAULT_PREFIX } from '../defaults.ts';
import { usageError } from '../failure.ts';
import { CHAIN_ID_FORM, checkForm, DENOM_FORM, PREFIX_FORM } from '../forms.ts';
import type { DevnetRecord } from './record.ts';

/** Options as they were given; undefined: not given. */
export interface DevnetOptions {
  readonly home: string;
  readonly validators?: number | undefined;
  readonly chainId?: string | undefined;
  readonly blockTimeMs?: number | undefined;
  readonly prefix?: string | undefined;
  readonly denom?: string | undefined;
  /** First RPC port; 0: any free ones. */
  readonly rpcPort?: number | undefined;
  readonly accounts?: number | undefined;
  readonly mnemonic?: string | undefined;
  readonly reset: boolean;
  readonly json: boolean;
}

/** What a devnet is. */
export interface DevnetSettings {
  readonly chainId: string;
  readonly prefix: string;
  readonly denom: string;
  readonly validators: number;
  readonly accounts: number;
  readonly blockTimeMs: number;
  readonly rpcPort: number;
}

const DEFAULT_VALIDATORS = 4;
const DEFAULT_ACCOUNTS = 6;
const DEFAULT_BLOCK_TIME_MS = 1_000;
const DEFAULT_RPC_PORT = 26_657;
const VALIDATORS_MAX = 10;
const ACCOUNTS_MAX = 1_000;
const BLOCK_TIME_MS_MIN = 10;
const BLOCK_TIME_MS_MAX = 600_000;
const RPC_PORT_MIN = 1_025;
const RPC_PORT_MAX = 65_000;
/**
 * The settings of a start.
 * @throws LedgerError `cli.usage` for a value out of range, `devnet.other` when the home holds another devnet
 */
export function settingsFor(options: DevnetOptions, record: DevnetRecord | undefined): DevnetSettings {
  checkRange('--validators', options.validators, [1, VALIDATORS_MAX]);
  checkRange('--accounts', options.accounts, [1, ACCOUNTS_MAX]);
  checkRange('--block-time (in ms)', options.blockTimeMs, [BLOCK_TIME_MS_MIN, BLOCK_TIME_MS_MAX]);
  if (options.rpcPort !== 0) checkRange('--rpc-port', options.rpcPort, [RPC_PORT_MIN, RPC_PORT_MAX]);
  checkForm('--chain-id', options.chainId, CHAIN_ID_FORM);
  checkForm('--prefix', options.prefix, PREFIX_FORM);
  checkForm('--denom', options.denom, DENOM_FORM);
  if (record !== undefined) refuseOther(options, record);
  return {
    chainId: record?.chain_id ?? options.chainId ?? DEFAULT_CHAIN_ID,
    prefix: record?.prefix ?? options.prefix ?? DEFAULT_PREFIX,
    denom: record?.denom ?? options.denom ?? DEFAULT_DENOM,
    validators: record?.nodes.length ?? options.validators ?? DEFAULT_VALIDATORS,
    accounts: record?.accounts.length ?? options.accounts ?? DEFAULT_ACCOUNTS,
    blockTimeMs: options.blockTimeMs ?? record?.block_time_ms ?? DEFAULT_BLOCK_TIME_MS,
    rpcPort: options.rpcPort ?? record?.rpc_port ?? DEFAULT_RPC_PORT,
  };
}

/** A home cannot become another chain: what was asked for and what is there must agree. */
function refuseOther(options: DevnetOptions, record: DevnetRecord): void {
  const facts: readonly (readonly [string, string | number | undefined, string | number | undefined])[] = [
    ['chain id', options.chainId, record.chain_id],
    ['prefix', options.prefix, record.prefix],
    ['denom', options.denom, record.denom],
    ['number of validators', options.validators, record.nodes.length],
    ['number of accounts', options.accounts, record.accounts.length],
    ['mnemonic', options.mnemonic, record.accounts[0]?.mnemonic],
  ];
  for (const [what, asked, there] of facts) {
    if (asked === undefined || asked === there) continue;
    const values = what === 'mnemonic' ? '' : ` (${there} there, ${asked} asked for)`;
    throw new LedgerError(
      'devnet.other',
      `${options.home} holds a devnet with another ${what}${values}; ` +
        'use --reset to start afresh, --home for another place, or leave the option out to continue',
    );
  }
}

function checkRange(
  name: string,
  value: number | undefined,
  [min, max]: readonly [min: number, max: number],
): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw usageError(`${name} must be a whole number from ${min} to ${max}, not ${value}`);
}
