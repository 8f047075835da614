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
import type { DevnetRecord } from '../../../cli/devnet/record.ts';
import { RunningDevnet } from '../program.ts';

/** How long votes are taken: long enough for a machine that has much else to do. */
const VOTING_SECONDS = 12;
/** The pause between blocks, of every devnet here. */
export const BLOCK_TIME_MS = 200;

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

/** What a devnet is to have. */
export interface DevnetOrder {
  readonly validators: number;
  /** With a million of the token each. */
  readonly accounts: number;
  /** How long votes are taken; those of expedited proposals half as long. */
  readonly votingSeconds: number;
}

/**
 * Makes the homes of a devnet. Only the periods of governance differ from what `openledgerd devnet` makes
 * there by itself.
 */
export async function makeDevnet(
  home: string,
  { votingSeconds, ...counts }: DevnetOrder,
): Promise<DevnetRecord> {
  const settings = {
    chainId: 'wallet-journey-1',
    prefix: 'open',
    denom: 'uopen',
    blockTimeMs: BLOCK_TIME_MS,
    rpcPort: 0,
    ...counts,
  };
  const record = await createDevnet({ home, settings, now: new Date() });
  for (const node of record.nodes) hurry(join(node.home, 'config', 'genesis.json'), votingSeconds);
  return record;
}

/** Starts two validators, and accounts with a million of the token each, in an empty home. */
export async function startDevnet(home: string, accounts: number): Promise<RunningDevnet> {
  await makeDevnet(home, { validators: 2, accounts, votingSeconds: VOTING_SECONDS });
  return RunningDevnet.start(['--home', home]);
}

function hurry(file: string, votingSeconds: number): void {
  let text = readFileSync(file, 'utf8');
  for (const [name, seconds] of [
    ['voting_period', votingSeconds],
    ['expedited_voting_period', votingSeconds / 2],
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
