/** A devnet whose proposals are decided within seconds, and stock CosmJS clients for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AuthExtension,
  type BankExtension,
  type DistributionExtension,
  type GovExtension,
  type MintExtension,
  QueryClient,
  setupAuthExtension,
  setupAuthzExtension,
  setupBankExtension,
  setupDistributionExtension,
  setupFeegrantExtension,
  setupGovExtension,
  setupMintExtension,
  setupStakingExtension,
  setupTxExtension,
  type StakingExtension,
  type TxExtension,
} from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import { createDevnet } from '../../../cli/devnet/layout.ts';
import { RunningDevnet } from '../program.ts';

/** How long votes are taken: long enough for a machine that has much else to do. */
const VOTING_SECONDS = 12;
const EXPEDITED_SECONDS = 6;
const BLOCK_TIME_MS = 200;

/** Every query that CosmJS has names for, but for those of IBC and slashing. */
export type Queries = QueryClient &
  AuthExtension &
  BankExtension &
  StakingExtension &
  DistributionExtension &
  GovExtension &
  ReturnType<typeof setupAuthzExtension> &
  ReturnType<typeof setupFeegrantExtension> &
  MintExtension &
  TxExtension;

/**
 * Starts two validators, and accounts with a million of the token each, in an empty home. Only the periods of
 * governance differ from what `openledgerd devnet` makes there by itself.
 */
export async function startDevnet(home: string, accounts: number): Promise<RunningDevnet> {
  const settings = {
    chainId: 'wallet-journey-1',
    prefix: 'open',
    denom: 'uopen',
    validators: 2,
    accounts,
    blockTimeMs: BLOCK_TIME_MS,
    rpcPort: 0,
  };
  const { nodes } = await createDevnet({ home, settings, now: new Date() });
  for (const node of nodes) hurry(join(node.home, 'config', 'genesis.json'));
  return RunningDevnet.start(['--home', home]);
}

function hurry(file: string): void {
  let text = readFileSync(file, 'utf8');
  for (const [name, seconds] of [
    ['voting_period', VOTING_SECONDS],
    ['expedited_voting_period', EXPEDITED_SECONDS],
  ] as const) {
    const changed = text.replace(new RegExp(`"${name}":\\s*"\\d+s"`), `"${name}": "${seconds}s"`);
    if (changed === text) throw new Error(`${file} has no ${name}`);
    text = changed;
  }
  writeFileSync(file, text);
}

/** A client that asks; CosmJS picks its dialect from `/status`. */
export async function queriesOf(rpc: string): Promise<Queries> {
  return QueryClient.withExtensions(
    await connectComet(rpc),
    setupAuthExtension,
    setupBankExtension,
    setupStakingExtension,
    setupDistributionExtension,
    setupGovExtension,
    setupAuthzExtension,
    setupFeegrantExtension,
    setupMintExtension,
    setupTxExtension,
  );
}
