import { compareBytes, toHex } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { latin1 } from '../../framework/address.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { Invariant } from '../../framework/module.ts';
import { poolTokens } from './pools.ts';
import type { StakingCore } from './ports.ts';
import { potentialPower } from './shares.ts';

/**
 * What must hold of staking after every block. They walk over everything: for tests, simulation and
 * `inspect`.
 */
export function stakingInvariants(k: StakingCore): readonly Invariant[] {
  return [
    { name: 'module-accounts', check: (context) => checkPools(k, context) },
    { name: 'nonnegative-power', check: (context) => checkPowerIndex(k, context) },
    { name: 'positive-delegation', check: (context) => checkDelegations(k, context) },
    { name: 'delegator-shares', check: (context) => checkShares(k, context) },
    { name: 'last-powers', check: (context) => checkLastPowers(k, context) },
  ];
}

function checkPools(k: StakingCore, context: ReadContext): string | undefined {
  if (k.state.params.get(context) === undefined) return undefined;
  let bonded = 0n;
  let notBonded = 0n;
  for (const [, { status, tokens }] of k.state.validators.iterate(context))
    if (status === 'bonded') bonded += tokens;
    else notBonded += tokens;
  for (const [, { entries }] of k.state.unbondings.iterate(context))
    for (const { balance } of entries) notBonded += balance;
  const pools = poolTokens(k, context);
  if (pools.bonded !== bonded) return `bonded validators have ${bonded}, their pool ${pools.bonded}`;
  return pools.notBonded === notBonded
    ? undefined
    : `other validators and unbonding delegations have ${notBonded}, their pool ${pools.notBonded}`;
}

function checkPowerIndex(k: StakingCore, context: ReadContext): string | undefined {
  let indexed = 0;
  for (const [[power], operator] of k.state.powerIndex.iterate(context)) {
    indexed++;
    const validator = k.state.validators.get(context, operator);
    if (validator === undefined) return `the index of powers names ${toHex(operator)}, which is not there`;
    if (validator.jailed || potentialPower(validator) !== power)
      return `the index has power ${power} for ${toHex(operator)} of ${validator.tokens} tokens`;
  }
  let free = 0;
  for (const [, { tokens, jailed, operator }] of k.state.validators.iterate(context)) {
    if (tokens < 0n) return `validator ${toHex(operator)} has ${tokens} tokens`;
    if (!jailed) free++;
  }
  return free === indexed ? undefined : `${free} validators are not jailed, ${indexed} are in the index`;
}

function checkDelegations(k: StakingCore, context: ReadContext): string | undefined {
  let count = 0;
  for (const [[delegator, validator], { shares }] of k.state.delegations.iterate(context)) {
    count++;
    if (shares.sign <= 0) return `${toHex(delegator)} has ${shares} shares of ${toHex(validator)}`;
    if (!k.state.delegationIndex.has(context, [validator, delegator]))
      return `the delegation of ${toHex(delegator)} is not in the index`;
  }
  const indexed = [...k.state.delegationIndex.iterate(context)].length;
  return indexed === count ? undefined : `${count} delegations, ${indexed} index entries`;
}

function checkShares(k: StakingCore, context: ReadContext): string | undefined {
  const sums = new Map<string, Decimal>();
  for (const [[, validator], { shares }] of k.state.delegations.iterate(context)) {
    const key = latin1(validator);
    sums.set(key, (sums.get(key) ?? Decimal.ZERO).add(shares));
  }
  for (const [, { operator, shares }] of k.state.validators.iterate(context)) {
    const sum = sums.get(latin1(operator)) ?? Decimal.ZERO;
    sums.delete(latin1(operator));
    if (!sum.equals(shares))
      return `validator ${toHex(operator)} has ${shares} shares, its delegations ${sum}`;
  }
  return sums.size === 0 ? undefined : 'there are delegations to validators that are not there';
}

/** The set that consensus was told is the set of bonded validators. */
function checkLastPowers(k: StakingCore, context: ReadContext): string | undefined {
  const told = [...k.state.lastPowers.iterate(context)].map(([operator]) => operator);
  const bonded = [...k.state.validators.iterate(context)].flatMap(([operator, { status }]) =>
    status === 'bonded' ? [operator] : [],
  );
  const isSame =
    told.length === bonded.length && told.every((a, i) => compareBytes(a, bonded[i] ?? a.subarray(1)) === 0);
  return isSame ? undefined : `${told.length} validators are in the last set, ${bonded.length} are bonded`;
}
