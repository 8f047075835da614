import { EMPTY_BYTES } from '../../core/bytes.ts';
import { moduleAddress } from '../../framework/address.ts';
import { coinsToString, equalCoins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import {
  addDecCoins,
  type DecCoins,
  decCoinsFromJson,
  decCoinsToJson,
  truncateDecCoins,
} from '../../framework/dec-coins.ts';
import type { JsonObject, JsonReader, JsonValue } from '../../framework/json.ts';
import { addressFromJson } from '../../framework/json-fields.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { communityPool } from './community-pool.ts';
import {
  commissionFromJson,
  commissionToJson,
  currentFromJson,
  currentToJson,
  type HistoricalRecord,
  historicalFromJson,
  historicalToJson,
  type OfValidator,
  outstandingFromJson,
  outstandingToJson,
  type SlashRecord,
  slashFromJson,
  slashToJson,
  type StartingRecord,
  startingFromJson,
  startingToJson,
  type WithdrawRecord,
  withdrawFromJson,
  withdrawToJson,
} from './genesis-json.ts';
import { DEFAULT_PARAMS, paramsFromJson, paramsToJson } from './params.ts';
import type { DistributionAddresses, DistributionCore } from './ports.ts';
import { countReferences } from './references.ts';
import { STORE_NAME } from './state.ts';
import type { CurrentRewards, DistributionParams } from './types.ts';

interface DistributionGenesis {
  readonly params: DistributionParams;
  readonly communityPool: DecCoins;
  readonly withdrawals: readonly WithdrawRecord[];
  readonly previousProposer: Uint8Array;
  readonly outstanding: readonly OfValidator<DecCoins>[];
  readonly commissions: readonly OfValidator<DecCoins>[];
  readonly historical: readonly HistoricalRecord[];
  readonly current: readonly OfValidator<CurrentRewards>[];
  readonly starting: readonly StartingRecord[];
  readonly slashes: readonly SlashRecord[];
}

/**
 * Genesis of distribution, in x/distribution's shape. It comes before staking's: a section of staking that was
 * not exported tells its validators and delegations by hooks.
 */
export function distributionGenesis(k: DistributionCore): GenesisHandler {
  return {
    defaults: () => genesisToJson({ params: paramsToJson(DEFAULT_PARAMS) }),
    validate: (json) => void readGenesis(json, k.addresses),
    init(context, json) {
      const genesis = readGenesis(json, k.addresses);
      writeGenesis(k, context, genesis);
      refuseBlocked(k, genesis, json.member('delegator_withdraw_infos'));
      checkBalance(k, context, { genesis, json });
      return [];
    },
    export: (context) => exportGenesis(k, context),
  };
}

function readGenesis(json: JsonReader, addresses: DistributionAddresses): DistributionGenesis {
  json.onlyMembers(...Object.keys(genesisToJson({ params: {} })));
  const list = <T>(
    name: string,
    read: (element: JsonReader, known: DistributionAddresses) => T,
  ): readonly T[] =>
    json
      .member(name)
      .elements()
      .map((element) => read(element, addresses));
  const feePool = json.member('fee_pool');
  feePool.onlyMembers('community_pool');
  const proposer = json.member('previous_proposer');
  const genesis: DistributionGenesis = {
    params: paramsFromJson(json.member('params')),
    communityPool: decCoinsFromJson(feePool.member('community_pool')),
    withdrawals: list('delegator_withdraw_infos', withdrawFromJson),
    previousProposer:
      proposer.textOr('') === '' ? EMPTY_BYTES : addressFromJson(proposer, addresses.consensus),
    outstanding: list('outstanding_rewards', outstandingFromJson),
    commissions: list('validator_accumulated_commissions', commissionFromJson),
    historical: list('validator_historical_rewards', historicalFromJson),
    current: list('validator_current_rewards', currentFromJson),
    starting: list('delegator_starting_infos', startingFromJson),
    slashes: list('validator_slash_events', slashFromJson),
  };
  checkReferences(json, genesis);
  return genesis;
}

/** Every period that is needed is there, and none that is not. */
function checkReferences(json: JsonReader, genesis: DistributionGenesis): void {
  const counts = countReferences({
    current: genesis.current.map(({ operator, value }) => [operator, value]),
    starting: genesis.starting.map(({ operator, value }) => [operator, value]),
    slashes: genesis.slashes.map(({ operator, value }) => [operator, value]),
  });
  const elements = json.member('validator_historical_rewards').elements();
  for (const [i, { operator, period, value }] of genesis.historical.entries()) {
    const counted = counts.take(operator, period);
    if (counted === value.referenceCount) continue;
    const reference = (elements[i] ?? json).member('rewards').member('reference_count');
    reference.fail(`is ${value.referenceCount}, but ${counted} records refer to the period`);
  }
  if (counts.rest > 0)
    json
      .member('validator_historical_rewards')
      .fail(`${counts.rest} periods are missing that current rewards, starting infos or slashes refer to`);
}

function writeGenesis({ state }: DistributionCore, context: Context, genesis: DistributionGenesis): void {
  state.feePool.set(context, genesis.communityPool);
  state.params.set(context, genesis.params);
  for (const { delegator, to } of genesis.withdrawals) state.withdrawAddresses.set(context, delegator, to);
  state.previousProposer.set(context, genesis.previousProposer);
  for (const { operator, value } of genesis.outstanding) state.outstanding.set(context, operator, value);
  for (const { operator, value } of genesis.commissions) state.commissions.set(context, operator, value);
  for (const { operator, period, value } of genesis.historical)
    state.historical.set(context, [operator, period], value);
  for (const { operator, value } of genesis.current) state.current.set(context, operator, value);
  for (const { operator, delegator, value } of genesis.starting)
    state.startingInfos.set(context, [operator, delegator], value);
  for (const { operator, height, value } of genesis.slashes)
    state.slashes.set(context, [operator, height, value.period], value);
}

/** Coins that left distribution's account for itself would be counted twice. */
function refuseBlocked(k: DistributionCore, { withdrawals }: DistributionGenesis, json: JsonReader): void {
  const elements = json.elements();
  for (const [i, { to }] of withdrawals.entries())
    if (k.bank.isBlocked(to))
      (elements[i] ?? json).member('withdraw_address').fail('is not allowed to receive funds');
}

function checkBalance(
  k: DistributionCore,
  context: ReadContext,
  { genesis, json }: { readonly genesis: DistributionGenesis; readonly json: JsonReader },
): void {
  const sum = genesis.outstanding.reduce(
    (held, { value }) => addDecCoins(held, value),
    genesis.communityPool,
  );
  const { whole } = truncateDecCoins(sum);
  const address = moduleAddress(STORE_NAME);
  const balances = k.bank.balances(context, address);
  if (!equalCoins(balances, whole))
    json.fail(
      'distribution module balance does not match the module holdings: ' +
        `${coinsToString(balances)} <-> ${coinsToString(whole)}; bank must list the community pool and the ` +
        `outstanding rewards under ${k.addresses.accounts.toText(address)}`,
    );
}

interface GenesisParts {
  readonly params: JsonObject;
  readonly communityPool?: JsonValue;
  readonly withdrawals?: readonly JsonValue[];
  readonly previousProposer?: string;
  readonly outstanding?: readonly JsonValue[];
  readonly commissions?: readonly JsonValue[];
  readonly historical?: readonly JsonValue[];
  readonly current?: readonly JsonValue[];
  readonly starting?: readonly JsonValue[];
  readonly slashes?: readonly JsonValue[];
}

function genesisToJson(parts: GenesisParts): JsonObject {
  return {
    params: parts.params,
    fee_pool: { community_pool: parts.communityPool ?? [] },
    delegator_withdraw_infos: parts.withdrawals ?? [],
    previous_proposer: parts.previousProposer ?? '',
    outstanding_rewards: parts.outstanding ?? [],
    validator_accumulated_commissions: parts.commissions ?? [],
    validator_historical_rewards: parts.historical ?? [],
    validator_current_rewards: parts.current ?? [],
    delegator_starting_infos: parts.starting ?? [],
    validator_slash_events: parts.slashes ?? [],
  };
}

function exportGenesis(k: DistributionCore, context: ReadContext): JsonObject {
  const { state, addresses } = k;
  const proposer = state.previousProposer.get(context) ?? EMPTY_BYTES;
  const each = <K, V>(
    entries: Iterable<readonly [K, V]>,
    toJson: (key: K, value: V) => JsonObject,
  ): readonly JsonObject[] => [...entries].map(([key, value]) => toJson(key, value));
  return genesisToJson({
    params: paramsToJson(state.params.get(context) ?? DEFAULT_PARAMS),
    communityPool: decCoinsToJson(communityPool(k, context)),
    withdrawals: each(state.withdrawAddresses.iterate(context), (delegator, to) =>
      withdrawToJson({ delegator, to }, addresses),
    ),
    previousProposer: proposer.length === 0 ? '' : addresses.consensus.toText(proposer),
    outstanding: each(state.outstanding.iterate(context), (operator, value) =>
      outstandingToJson({ operator, value }, addresses),
    ),
    commissions: each(state.commissions.iterate(context), (operator, value) =>
      commissionToJson({ operator, value }, addresses),
    ),
    historical: each(state.historical.iterate(context), ([operator, period], value) =>
      historicalToJson({ operator, period, value }, addresses),
    ),
    current: each(state.current.iterate(context), (operator, value) =>
      currentToJson({ operator, value }, addresses),
    ),
    starting: each(state.startingInfos.iterate(context), ([operator, delegator], value) =>
      startingToJson({ operator, delegator, value }, addresses),
    ),
    slashes: each(state.slashes.iterate(context), ([operator, height], value) =>
      slashToJson({ operator, height, value }, addresses),
    ),
  });
}
