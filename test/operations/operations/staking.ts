import { latin1 } from '../../../framework/address.ts';
import * as distribution from '../../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import { MsgUnjail } from '../../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import * as staking from '../../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { consensusKeyAny } from '../../support/staking-world.ts';
import type { Actor } from '../actors.ts';
import { wireDecimal } from '../params.ts';
import {
  actorAt,
  anOperator,
  anyone,
  aValidator,
  coin,
  type Operation,
  operation,
  someCoins,
  someOf,
  type World,
} from '../world.ts';
import { aRecipient } from './bank.ts';

/** Positions of consensus keys that validators of genesis do not have. */
const NEW_KEYS_FROM = 20;
const NEW_KEYS = 8;

/** Operators do not take away the stake of the first one: there is always someone who makes blocks. */
function isAnchor({ actors }: World, { operator }: Actor): boolean {
  return actors[0]?.operator === operator;
}

interface Held {
  readonly delegatorAddress: string;
  readonly validatorAddress: string;
  readonly tokens: bigint;
}

/** Something of a stake that somebody has; of one that nobody has now and then. */
function aStake(world: World, signer: Actor): Held | undefined {
  const { random, composition, context } = world;
  const held = random.some([...composition.staking.delegationsOf(context, signer.bytes)]);
  if (held === undefined) return undefined;
  const validator = composition.staking.validator(context, held.validator);
  if (validator === undefined) return undefined;
  const isOwn = latin1(validator.operator) === latin1(signer.bytes);
  if (isOwn && isAnchor(world, signer)) return undefined;
  const tokens = composition.staking.tokensOf(validator, held.shares).truncate();
  return {
    delegatorAddress: signer.address,
    validatorAddress: composition.validatorAddresses.toText(held.validator),
    tokens: random.oneIn(4) ? tokens : random.amount(tokens + 1n),
  };
}

/** Someone who has delegated. */
function aDelegator(world: World): Actor | undefined {
  const { random, composition, context } = world;
  const delegation = random.some([...composition.staking.delegations(context)]);
  return delegation === undefined
    ? undefined
    : actorAt(world, composition.addresses.toText(delegation.delegator));
}

function aJailed(world: World): Actor | undefined {
  const { random, composition, context } = world;
  const jailed = [...composition.staking.validators(context)].filter((one) => one.jailed);
  const validator = random.some(jailed);
  if (validator === undefined) return random.oneIn(10) ? anOperator(world) : undefined;
  return actorAt(world, composition.addresses.toText(validator.operator));
}

function rates(world: World): staking.MsgCreateValidator['commission'] {
  const { random } = world;
  const [rate, maxRate, maxChangeRate] = [
    random.between(0, 500),
    random.between(480, 1000),
    random.between(0, 400),
  ];
  const text = (thousandths: number): string => wireDecimal(random.ratio(thousandths, thousandths));
  return { rate: text(rate), maxRate: text(maxRate), maxChangeRate: text(maxChangeRate) };
}

const description = { moniker: 'x', identity: '', website: '', securityContact: '', details: '' };

/** Validators and delegations. */
export const stakingOperations: readonly Operation[] = [
  operation(staking.MsgCreateValidator, 12, (world, signer) => ({
    description,
    commission: rates(world),
    minSelfDelegation: String(world.random.between(1, 1000)),
    delegatorAddress: world.random.oneIn(2) ? signer.address : '',
    validatorAddress: signer.operator,
    pubkey: consensusKeyAny(NEW_KEYS_FROM + world.random.below(NEW_KEYS)),
    value: coin(someOf(world, signer) + (world.random.oneIn(2) ? 1_000_000n : 0n)),
  })),
  operation(
    staking.MsgEditValidator,
    8,
    ({ random }, signer) => ({
      description: { ...description, moniker: `edited ${random.below(10)}` },
      validatorAddress: signer.operator,
      commissionRate: random.oneIn(2) ? '' : wireDecimal(random.ratio(0, 300)),
      minSelfDelegation: random.oneIn(4) ? String(random.between(1, 100_000)) : '',
    }),
    anOperator,
  ),
  operation(staking.MsgDelegate, 45, (world, signer) => ({
    delegatorAddress: signer.address,
    validatorAddress: aValidator(world),
    amount: coin(someOf(world, signer)),
  })),
  operation(
    staking.MsgUndelegate,
    30,
    (world, signer) => {
      const stake = aStake(world, signer);
      return stake === undefined ? undefined : { ...stake, amount: coin(stake.tokens) };
    },
    aDelegator,
  ),
  operation(
    staking.MsgBeginRedelegate,
    25,
    (world, signer) => {
      const stake = aStake(world, signer);
      if (stake === undefined) return undefined;
      const { delegatorAddress, validatorAddress: validatorSrcAddress, tokens } = stake;
      const validatorDstAddress = aValidator(world);
      return { delegatorAddress, validatorSrcAddress, validatorDstAddress, amount: coin(tokens) };
    },
    aDelegator,
  ),
  {
    name: staking.MsgCancelUnbondingDelegation.name,
    weight: 12,
    draft(world) {
      const { random, memory } = world;
      const unbonding = random.some(memory.unbondings.slice(-6));
      const signer = unbonding === undefined ? undefined : actorAt(world, unbonding.delegatorAddress);
      if (unbonding === undefined || signer === undefined) return undefined;
      const { delegatorAddress, validatorAddress, amount, height: creationHeight } = unbonding;
      const part = random.oneIn(2) ? BigInt(amount.amount) : random.amount(BigInt(amount.amount));
      const type = staking.MsgCancelUnbondingDelegation;
      const value = { delegatorAddress, validatorAddress, amount: coin(part), creationHeight };
      return { signers: [signer], messages: [{ typeUrl: type.typeUrl, value: type.encode(value) }] };
    },
  },
  operation(MsgUnjail, 18, (_, signer) => ({ validatorAddr: signer.operator }), aJailed),
];

/** What stake earns. */
export const distributionOperations: readonly Operation[] = [
  operation(distribution.MsgSetWithdrawAddress, 8, (world, signer) => ({
    delegatorAddress: signer.address,
    withdrawAddress: aRecipient(world),
  })),
  operation(
    distribution.MsgWithdrawDelegatorReward,
    25,
    (world, signer) => {
      const { random, composition, context } = world;
      const held = random.some([...composition.staking.delegationsOf(context, signer.bytes)]);
      const validatorAddress =
        held === undefined ? aValidator(world) : composition.validatorAddresses.toText(held.validator);
      return { delegatorAddress: signer.address, validatorAddress };
    },
    aDelegator,
  ),
  operation(
    distribution.MsgWithdrawValidatorCommission,
    10,
    (_, signer) => ({ validatorAddress: signer.operator }),
    anOperator,
  ),
  operation(distribution.MsgFundCommunityPool, 8, (world, signer) => ({
    depositor: signer.address,
    amount: someCoins(world, signer),
  })),
  operation(distribution.MsgDepositValidatorRewardsPool, 6, (world, signer) => ({
    depositor: signer.address,
    validatorAddress: aValidator(world),
    amount: someCoins(world, signer),
  })),
  operation(distribution.MsgCommunityPoolSpend, 1, (world, signer) => ({
    authority: signer.address,
    recipient: anyone(world).address,
    amount: [coin(5n)],
  })),
];
