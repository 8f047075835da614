/**
 * What the command line takes when nothing is said. All of it is configuration of a chain; nothing else
 * repeats it.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Bech32 prefix of addresses. */
export const DEFAULT_PREFIX = 'open';
/** Base denom: 10^6 are one OPEN. */
export const DEFAULT_DENOM = 'uopen';
/** Chain id of a devnet. */
export const DEFAULT_CHAIN_ID = 'openledger-devnet-1';
/** Home of a devnet, under the current directory. */
export const DEFAULT_DEVNET_HOME = '.devnet';
/** RPC of a node that runs here. */
export const DEFAULT_RPC_URL = 'http://127.0.0.1:26657';

/** Home of a node. */
export function defaultHome(): string {
  return process.env['OPENLEDGERD_HOME'] ?? join(homedir(), '.openledgerd');
}
