import type { Instant } from '../core/time.ts';
import { addCoins, type Coins, coinsToWire, NO_COINS, type WireCoin } from '../framework/coins.ts';
import type { JsonObject, JsonValue } from '../framework/json.ts';
import { messageToJson } from '../framework/proto-json.ts';
import { DEFAULT_PARAMS, paramsToJson } from '../modules/auth/params.ts';
import { metadataToJson } from '../modules/bank/metadata.ts';
import * as bank from '../modules/bank/params.ts';
import { CONSENSUS_KEY_TYPES, consensusAddress, type ConsensusKeyType } from '../modules/consensus/keys.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../modules/consensus/params.ts';
import * as gov from '../modules/gov/params.ts';
import { sectionWithoutInflation } from '../modules/mint/genesis.ts';
import * as staking from '../modules/staking/params.ts';
import { Params as GovParams } from '../proto/gen/cosmos/gov/v1/gov.ts';
import type { Metadata } from '../proto/gen/cosmos/bank/v1beta1/bank.ts';
import type { ConsensusParams } from '../proto/gen/tendermint/types/params.ts';
import type { GenesisDocument, GenesisValidator } from './document.ts';
import { evidenceAge } from './stake.ts';

/** An account with money from the beginning. */
export interface FundedAccount {
  /** Text under the chain's prefix. */
  readonly address: string;
  readonly coins: Coins;
}

/** A validator of a new chain. */
export interface NewValidator extends Pick<GenesisValidator, 'pubKey' | 'power' | 'name'> {
  /** Default: ed25519. */
  readonly keyType?: ConsensusKeyType;
}

/** What a new chain begins with. */
export interface GenesisOptions {
  readonly chainId: string;
  readonly genesisTime: Instant;
  readonly accounts: readonly FundedAccount[];
  readonly validators: readonly NewValidator[];
  /** Default 1. */
  readonly initialHeight?: bigint;
  /** Default CometBFT's, with blocks of at most 4 MiB and the kinds of keys that the validators have. */
  readonly consensusParams?: ConsensusParams;
  /**
   * Least time between two blocks, in milliseconds. With it evidence counts as long as stake takes to unbond;
   * without it as `consensusParams` say, in CometBFT's default two days.
   */
  readonly blockTimeMs?: number;
  /** How wallets show the denominations. */
  readonly denomMetadata?: readonly Metadata[];
  /** What is staked, deposited on proposals, and minted should inflation begin. Default: the SDK's `stake`. */
  readonly bondDenom?: string;
  /** Sections of further modules; missing ones get their module's defaults. */
  readonly sections?: JsonObject;
}

/** Builds the document of a new chain. Account numbers follow the order of the accounts. */
export function buildGenesis(options: GenesisOptions): GenesisDocument {
  const appState: JsonObject = { ...standardSections(options), ...options.sections };
  const consensusParams = options.consensusParams ?? paramsFor(options.validators);
  return {
    genesisTime: options.genesisTime,
    chainId: options.chainId,
    initialHeight: options.initialHeight ?? 1n,
    consensusParams: withEvidenceAge(consensusParams, appState, options.blockTimeMs),
    validators: options.validators.map(({ keyType = 'ed25519', ...validator }) => ({
      ...validator,
      keyType,
      address: consensusAddress({ type: keyType, bytes: validator.pubKey }),
    })),
    appHash: new Uint8Array(0),
    appState,
  };
}

function standardSections(options: GenesisOptions): JsonObject {
  const { bondDenom } = options;
  const sections = { auth: authSection(options), bank: bankSection(options) };
  if (bondDenom === undefined) return sections;
  return {
    ...sections,
    staking: stakingSection(bondDenom),
    gov: govSection(bondDenom),
    mint: sectionWithoutInflation(bondDenom),
  };
}

function withEvidenceAge(
  params: ConsensusParams,
  appState: JsonObject,
  blockTimeMs: number | undefined,
): ConsensusParams {
  const { evidence } = params;
  if (blockTimeMs === undefined || evidence === undefined) return params;
  return { ...params, evidence: { ...evidence, ...evidenceAge(appState, blockTimeMs) } };
}

function paramsFor(validators: readonly NewValidator[]): ConsensusParams {
  const used = new Set(validators.map(({ keyType = 'ed25519' }) => keyType));
  if (used.size === 0) return DEFAULT_CONSENSUS_PARAMS;
  const pubKeyTypes = CONSENSUS_KEY_TYPES.filter((type) => used.has(type));
  return { ...DEFAULT_CONSENSUS_PARAMS, validator: { pubKeyTypes } };
}

/** Metadata of a base denomination such as `uopen`, shown as OPEN with six digits behind the point. */
export function microDenomMetadata(base: string): Metadata {
  const display = base.slice(1);
  const symbol = display.toUpperCase();
  return {
    description: `The token ${symbol}`,
    denomUnits: [
      { denom: base, exponent: 0, aliases: [] },
      { denom: display, exponent: 6, aliases: [] },
    ],
    base,
    display,
    name: symbol,
    symbol,
    uri: '',
    uriHash: '',
  };
}

function authSection({ accounts }: GenesisOptions): JsonValue {
  return {
    params: paramsToJson(DEFAULT_PARAMS),
    accounts: accounts.map(({ address }, number) => ({
      '@type': '/cosmos.auth.v1beta1.BaseAccount',
      address,
      pub_key: null,
      account_number: String(number),
      sequence: '0',
    })),
  };
}

function bankSection({ accounts, denomMetadata }: GenesisOptions): JsonValue {
  const supply = accounts.reduce<Coins>((sum, { coins }) => addCoins(sum, coins), NO_COINS);
  return {
    params: bank.paramsToJson(bank.DEFAULT_PARAMS),
    balances: accounts.map(({ address, coins }) => ({ address, coins: coinsToJson(coins) })),
    supply: coinsToJson(supply),
    denom_metadata: (denomMetadata ?? []).map(metadataToJson),
    send_enabled: [],
  };
}

function stakingSection(bondDenom: string): JsonValue {
  return { params: staking.paramsToJson({ ...staking.DEFAULT_PARAMS, bondDenom }) };
}

function govSection(denom: string): JsonValue {
  const inDenom = (coins: readonly { readonly amount: string }[]): readonly WireCoin[] =>
    coins.map(({ amount }) => ({ denom, amount }));
  const minDeposit = inDenom(gov.DEFAULT_PARAMS.minDeposit);
  const expeditedMinDeposit = inDenom(gov.DEFAULT_PARAMS.expeditedMinDeposit);
  const params = messageToJson(GovParams, { ...gov.DEFAULT_PARAMS, minDeposit, expeditedMinDeposit });
  return { starting_proposal_id: '1', params };
}

function coinsToJson(coins: Coins): readonly JsonValue[] {
  return coinsToWire(coins).map(({ denom, amount }) => ({ denom, amount }));
}
