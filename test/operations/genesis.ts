/** The beginning of a simulated chain: random accounts, validators and parameters. */
import { defaultAppState } from '../../app/genesis.ts';
import { composeModules } from '../../app/modules.ts';
import { utf8 } from '../../core/bytes.ts';
import { moduleAddress } from '../../framework/address.ts';
import { canonicalJson, type JsonObject, JsonReader, type JsonValue } from '../../framework/json.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { Params as AuthParams } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import { Params as DistributionParams } from '../../proto/gen/cosmos/distribution/v1beta1/distribution.ts';
import { Params as GovParams } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { Params as MintParams } from '../../proto/gen/cosmos/mint/v1beta1/mint.ts';
import { Params as SlashingParams } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import { Params as StakingParams } from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import { Params as AttributionParams } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Params as DatanetParams } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Params as ModelParams } from '../../proto/gen/openledger/models/v1/models.ts';
import { Params as ChannelParams } from '../../proto/gen/openledger/channels/v1/channels.ts';
import { Params as PaymentParams } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { Params as PoolParams } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { Params as SettlementParams } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { RequestInitChain } from '../../proto/gen/tendermint/abci/types.ts';
import { stakingSections } from '../support/staking-world.ts';
import { type Actor, multisigActor, PREFIX, singleActor } from './actors.ts';
import * as params from './params.ts';
import type { Random } from './random.ts';
import { BOND_DENOM, coin, OTHER_DENOM } from './world.ts';

/** Name of every simulated chain. */
export const CHAIN_ID = 'operations-1';

const GENESIS_SECONDS = 1_700_000_000n;
const VALIDATOR_TOKENS_MAX = 20_000_000;
const NEWCOMERS = 6;
const COINS = 60_000_000n;

/** Who there is, and how the chain begins. */
export interface Beginning {
  readonly actors: readonly Actor[];
  readonly request: RequestInitChain;
}

/** A chain of a seed. Newcomers have no account yet. */
export function randomBeginning(random: Random): Beginning {
  const validators = random.between(2, 5);
  const singles = Array.from({ length: validators + random.between(3, 6) }, (_, i) =>
    singleActor(`actor ${i}`),
  );
  const rich = [...singles, multisigActor('pair', 1, 2), multisigActor('board', 2, 3)];
  const newcomers = Array.from({ length: NEWCOMERS }, (_, i) => singleActor(`newcomer ${i}`));
  // The first one is strong and stays: see `isAnchor`.
  const tokens = Array.from({ length: validators }, (_, i) =>
    BigInt(i === 0 ? VALIDATOR_TOKENS_MAX : random.between(1_000_000, VALIDATOR_TOKENS_MAX)),
  );
  return {
    actors: [...rich, ...newcomers],
    request: {
      time: { seconds: GENESIS_SECONDS, nanos: random.below(1_000_000_000) },
      chainId: CHAIN_ID,
      consensusParams: params.randomConsensus(random),
      validators: [],
      appStateBytes: utf8(canonicalJson(appStateOf(random, rich, tokens))),
      initialHeight: 1n,
    },
  };
}

function appStateOf(random: Random, rich: readonly Actor[], tokens: readonly bigint[]): JsonObject {
  const accounts = rich.flatMap(({ keys: [key] }) => (key === undefined ? [] : [key]));
  const { staking } = stakingSections({ validators: tokens, accounts });
  const composition = composeModules(PREFIX);
  const pool = composition.addresses.toText(moduleAddress('bonded_tokens_pool'));
  const bonded = tokens.reduce((sum, one) => sum + one, 0n);
  const sections = { ...defaultAppState(composition.modules), staking: staking ?? {} };
  const drawn = Object.entries(randomParams(random, tokens.length)).map(
    ([name, value]): [string, JsonValue] => [name, { ...membersOf(sections, name), params: value }],
  );
  const changed: JsonObject = { ...sections, ...Object.fromEntries(drawn) };
  return {
    ...changed,
    auth: { ...membersOf(changed, 'auth'), accounts: rich.map((actor, i) => accountJson(random, actor, i)) },
    bank: {
      ...membersOf(changed, 'bank'),
      balances: [
        ...rich.map(({ address }) => ({ address, coins: [coin(COINS), coin(COINS, OTHER_DENOM)] })),
        { address: pool, coins: [coin(bonded)] },
      ],
    },
  };
}

function membersOf(sections: JsonValue, name: string): JsonObject {
  return new JsonReader(sections, 'sections').member(name).object();
}

function randomParams(random: Random, validators: number): Readonly<Record<string, JsonObject>> {
  return {
    auth: messageToJson(AuthParams, params.randomAuth(random)),
    bank: { send_enabled: [], default_send_enabled: true },
    staking: messageToJson(StakingParams, params.randomStaking(random, validators)),
    slashing: messageToJson(SlashingParams, params.randomSlashing(random, true)),
    distribution: messageToJson(DistributionParams, params.randomDistribution(random)),
    mint: messageToJson(MintParams, params.randomMint(random)),
    gov: messageToJson(GovParams, params.randomGov(random)),
    datanet: messageToJson(DatanetParams, params.randomDatanet(random)),
    models: messageToJson(ModelParams, params.randomModels(random)),
    attribution: messageToJson(AttributionParams, params.randomAttribution(random)),
    payments: messageToJson(PaymentParams, params.randomPayments(random)),
    channels: messageToJson(ChannelParams, params.randomChannels(random)),
    pools: messageToJson(PoolParams, params.randomPools(random)),
    settlement: messageToJson(SettlementParams, params.randomSettlement(random)),
  };
}

/** One in four has coins that it may not send yet. */
function accountJson(random: Random, { address }: Actor, number: number): JsonValue {
  const base = { address, pub_key: null, account_number: String(number), sequence: '0' };
  if (!random.oneIn(4)) return { '@type': '/cosmos.auth.v1beta1.BaseAccount', ...base };
  return {
    '@type': '/cosmos.vesting.v1beta1.ContinuousVestingAccount',
    base_vesting_account: {
      base_account: base,
      original_vesting: [coin(COINS / 2n, BOND_DENOM)],
      delegated_free: [],
      delegated_vesting: [],
      end_time: String(GENESIS_SECONDS + BigInt(random.between(10, 3000))),
    },
    start_time: String(GENESIS_SECONDS),
  };
}
