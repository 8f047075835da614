import { Decimal } from '../../core/decimal.ts';
import { type Address, latin1 } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { JsonObject, JsonReader, JsonValue } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import { setDelegation } from './delegations.ts';
import {
  delegationFromJson,
  delegationToJson,
  redelegationFromJson,
  redelegationToJson,
  unbondingFromJson,
  unbondingToJson,
  validatorFromJson,
  validatorToJson,
} from './genesis-json.ts';
import { addressFromJson, amountFromJson, heightFromJson } from '../../framework/json-fields.ts';
import { DEFAULT_PARAMS, paramsFromJson, paramsToJson } from './params.ts';
import { poolTokens, requirePower } from './pools.ts';
import type { StakingAddresses, StakingCore } from './ports.ts';
import { enqueueRedelegation, setRedelegation } from './redelegations.ts';
import type { Delegation, Redelegation, StakingParams, UnbondingDelegation, Validator } from './types.ts';
import { enqueueUnbonding, setUnbonding } from './unbonding.ts';
import { enqueueValidator, insertValidator, requireValidator } from './validators.ts';
import { applyValidatorSet, updateOf } from './valset.ts';

interface LastPower {
  readonly operator: Address;
  readonly power: bigint;
}

interface StakingGenesis {
  readonly params: StakingParams;
  readonly lastTotalPower: bigint;
  readonly lastPowers: readonly LastPower[];
  readonly validators: readonly Validator[];
  readonly delegations: readonly Delegation[];
  readonly unbondings: readonly UnbondingDelegation[];
  readonly redelegations: readonly Redelegation[];
  /** True when the section was exported: hooks have run, and the last powers are given. */
  readonly exported: boolean;
}

/**
 * Genesis of staking, in x/staking's shape. Without validators the chain keeps the set of the document; with
 * them staking owns the set, and the document's must be the same or empty.
 */
export function stakingGenesis(k: StakingCore): GenesisHandler {
  return {
    defaults: () => genesisToJson({ params: DEFAULT_PARAMS }),
    validate: (json) => void readGenesis(json, k.addresses),
    init(context, json) {
      const genesis = readGenesis(json, k.addresses);
      k.state.params.set(context, genesis.params);
      if (genesis.validators.length === 0) return [];
      writeGenesis(k, context, genesis);
      checkPools(k, context, { genesis, json });
      const updates = genesis.exported
        ? restoreLastPowers(k, context, genesis)
        : applyValidatorSet(k, context);
      if (updates.length === 0)
        json
          .member('validators')
          .fail('no validator has the power to sign: at least 1000000 tokens are needed');
      checkBonded(k, context, json.member('validators'));
      return updates;
    },
    export: (context) => exportGenesis(k, context),
  };
}

function readGenesis(json: JsonReader, addresses: StakingAddresses): StakingGenesis {
  json.onlyMembers(...Object.keys(genesisToJson({ params: DEFAULT_PARAMS })));
  const list = <T>(name: string, read: (element: JsonReader, known: StakingAddresses) => T): readonly T[] =>
    json
      .member(name)
      .elements()
      .map((element) => read(element, addresses));
  const total = json.member('last_total_power');
  const exported = json.member('exported');
  const genesis: StakingGenesis = {
    params: paramsFromJson(json.member('params')),
    lastTotalPower: total.present ? amountFromJson(total) : 0n,
    lastPowers: list('last_validator_powers', lastPowerFromJson),
    validators: list('validators', validatorFromJson),
    delegations: list('delegations', delegationFromJson),
    unbondings: list('unbonding_delegations', unbondingFromJson),
    redelegations: list('redelegations', redelegationFromJson),
    exported: exported.present && exported.boolean(),
  };
  checkValidators(json.member('validators'), genesis);
  checkDelegations(json, genesis);
  return genesis;
}

function lastPowerFromJson(json: JsonReader, { validators }: StakingAddresses): LastPower {
  json.onlyMembers('address', 'power');
  return {
    operator: addressFromJson(json.member('address'), validators),
    power: heightFromJson(json.member('power')),
  };
}

function checkValidators(json: JsonReader, { validators, exported }: StakingGenesis): void {
  const elements = json.elements();
  const seen = new Set<string>();
  for (const [i, validator] of validators.entries()) {
    const element = elements[i] ?? json;
    const { consensusKey, operator, status, shares, jailed, tokens } = validator;
    for (const [text, what] of [
      [`key ${latin1(consensusKey.bytes)}`, 'key'],
      [`operator ${latin1(operator)}`, 'operator'],
    ] as const) {
      if (seen.has(text)) element.fail(`another validator has the same ${what}`);
      seen.add(text);
    }
    if (jailed && status === 'bonded' && !exported) element.fail('is bonded and jailed');
    if (shares.sign < 0) element.member('delegator_shares').fail('is negative');
    if (shares.sign === 0 && status !== 'unbonding' && !exported) element.fail('has no delegator shares');
    // Products of both are formed later and must not overflow then.
    element.attempt(() => shares.multiplyInteger(tokens));
  }
}

/**
 * Shares of a validator are those of its delegations; whoever has stake or power is there. What unbonds or
 * has moved may name a validator that is gone: it outlives the last share, as in x/staking.
 */
function checkDelegations(json: JsonReader, genesis: StakingGenesis): void {
  const missing = new Map(genesis.validators.map(({ operator, shares }) => [latin1(operator), shares]));
  const pairs = new Set<string>();
  const elements = json.member('delegations').elements();
  for (const [i, { delegator, validator, shares }] of genesis.delegations.entries()) {
    const element = elements[i] ?? json;
    const rest = missing.get(latin1(validator));
    if (rest === undefined) element.member('validator_address').fail('there is no such validator');
    const pair = `${latin1(validator)} ${latin1(delegator)}`;
    if (pairs.has(pair)) element.fail('is listed twice');
    pairs.add(pair);
    missing.set(latin1(validator), (rest ?? Decimal.ZERO).subtract(shares));
  }
  for (const [i, { operator }] of genesis.validators.entries())
    if (missing.get(latin1(operator))?.sign !== 0)
      json.member('validators').fail(`shares of validator ${i} are not those of its delegations`);
  const powers = json.member('last_validator_powers');
  for (const [i, { operator }] of genesis.lastPowers.entries())
    if (!missing.has(latin1(operator)))
      (powers.elements()[i] ?? powers).member('address').fail('there is no such validator');
}

function writeGenesis(k: StakingCore, context: Context, genesis: StakingGenesis): void {
  k.state.lastTotalPower.set(context, genesis.lastTotalPower);
  for (const validator of genesis.validators) {
    insertValidator(k, context, validator);
    if (!genesis.exported) k.hooks.afterValidatorCreated(context, validator.operator);
    if (validator.status === 'unbonding') enqueueValidator(k, context, validator);
  }
  for (const delegation of genesis.delegations) {
    const { delegator, validator } = delegation;
    if (!genesis.exported) k.hooks.beforeDelegationCreated(context, { delegator, validator });
    setDelegation(k, context, delegation);
    if (!genesis.exported) k.hooks.afterDelegationModified(context, { delegator, validator });
  }
  for (const unbonding of genesis.unbondings) {
    setUnbonding(k, context, unbonding);
    for (const { completionTime } of unbonding.entries)
      enqueueUnbonding(k, context, { pair: unbonding, at: completionTime });
  }
  for (const redelegation of genesis.redelegations) {
    setRedelegation(k, context, redelegation);
    for (const { completionTime } of redelegation.entries)
      enqueueRedelegation(k, context, { path: redelegation, at: completionTime });
  }
  const last = lastId(genesis);
  if (last > 0n) k.state.lastUnbondingId.set(context, last);
}

/** Numbers go on after those that are in use. */
function lastId({ validators, unbondings, redelegations }: StakingGenesis): bigint {
  const ids = [
    ...validators.flatMap(({ unbondingIds }) => unbondingIds),
    ...unbondings.flatMap(({ entries }) => entries.map(({ unbondingId }) => unbondingId)),
    ...redelegations.flatMap(({ entries }) => entries.map(({ unbondingId }) => unbondingId)),
  ];
  return ids.reduce((last, id) => (id > last ? id : last), 0n);
}

function checkPools(
  k: StakingCore,
  context: ReadContext,
  { genesis, json }: { readonly genesis: StakingGenesis; readonly json: JsonReader },
): void {
  let bonded = 0n;
  let notBonded = 0n;
  for (const { status, tokens } of genesis.validators)
    if (status === 'bonded') bonded += tokens;
    else notBonded += tokens;
  for (const { entries } of genesis.unbondings) for (const { balance } of entries) notBonded += balance;
  const pools = poolTokens(k, context);
  if (pools.bonded !== bonded)
    json.fail(
      `bonded pool balance is different from bonded coins: ${pools.bonded} <-> ${bonded}; ` +
        'bank must list the tokens of bonded validators under bonded_tokens_pool',
    );
  if (pools.notBonded !== notBonded)
    json.fail(
      `not bonded pool balance is different from not bonded coins: ${pools.notBonded} <-> ${notBonded}; ` +
        'bank must list them under not_bonded_tokens_pool',
    );
  json.attempt(() => requirePower(k, context));
}

/** Bonded are those that sign, no others. */
function checkBonded(k: StakingCore, context: ReadContext, json: JsonReader): void {
  for (const [, { operator, status }] of k.state.validators.iterate(context))
    if ((status === 'bonded') !== k.state.lastPowers.has(context, operator))
      json.fail(
        `${k.addresses.validators.toText(operator)} is ${status}, but its place among the strongest ` +
          'max_validators, or in last_validator_powers, says otherwise',
      );
}

function restoreLastPowers(
  k: StakingCore,
  context: Context,
  { lastPowers }: StakingGenesis,
): readonly ValidatorUpdate[] {
  return lastPowers.map(({ operator, power }) => {
    k.state.lastPowers.set(context, operator, power);
    return updateOf(requireValidator(k, context, operator), power);
  });
}

interface GenesisParts {
  readonly params: StakingParams;
  readonly lastTotalPower?: bigint;
  readonly lastPowers?: readonly JsonValue[];
  readonly validators?: readonly JsonValue[];
  readonly delegations?: readonly JsonValue[];
  readonly unbondings?: readonly JsonValue[];
  readonly redelegations?: readonly JsonValue[];
  readonly exported?: boolean;
}

function genesisToJson(parts: GenesisParts): JsonObject {
  return {
    params: paramsToJson(parts.params),
    last_total_power: (parts.lastTotalPower ?? 0n).toString(),
    last_validator_powers: parts.lastPowers ?? [],
    validators: parts.validators ?? [],
    delegations: parts.delegations ?? [],
    unbonding_delegations: parts.unbondings ?? [],
    redelegations: parts.redelegations ?? [],
    exported: parts.exported ?? false,
  };
}

function exportGenesis({ state, addresses }: StakingCore, context: ReadContext): JsonObject {
  const lastTotalPower = state.lastTotalPower.get(context);
  return genesisToJson({
    params: state.params.get(context) ?? DEFAULT_PARAMS,
    lastTotalPower: lastTotalPower ?? 0n,
    lastPowers: [...state.lastPowers.iterate(context)].map(([operator, power]) => ({
      address: addresses.validators.toText(operator),
      power: power.toString(),
    })),
    validators: [...state.validators.iterate(context)].map(([, held]) => validatorToJson(held, addresses)),
    delegations: [...state.delegations.iterate(context)].map(([, held]) => delegationToJson(held, addresses)),
    unbondings: [...state.unbondings.iterate(context)].map(([, held]) => unbondingToJson(held, addresses)),
    redelegations: [...state.redelegations.iterate(context)].map(([, held]) =>
      redelegationToJson(held, addresses),
    ),
    exported: lastTotalPower !== undefined,
  });
}
