/** Chains on which fees are shared out: who votes, what comes in, what is owed. */
import { moduleAddress } from '../../framework/address.ts';
import { type Coins, coinsFromString } from '../../framework/coins.ts';
import type { VoteInfo } from '../../framework/context.ts';
import * as dist from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import * as staking from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import type { StakingWorld } from './staking-world.ts';

/** Every validator of the set was there for the last block. */
export function votesOf(world: StakingWorld): readonly VoteInfo[] {
  return world.composition.consensus
    .validators(world.context)
    .map(({ address, power }) => ({ validatorAddress: address, power, absent: false }));
}

/** Pays fees in this block, which the next one shares out. The last account pays. */
export function collect(world: StakingWorld, text: string): void {
  const payer = world.address(world.accounts.length - 1);
  world.composition.bank.collectFee(world.context, payer, coinsFromString(text));
}

/** Ends the block with the votes of the set. */
export function nextBlock(world: StakingWorld, seconds = 1n): void {
  world.endBlock(seconds, { lastCommit: votesOf(world) });
}

/** Answers a query of distribution. */
export function ask<Q, A>(
  world: StakingWorld,
  { method, request, response }: { method: string; request: MessageType<Q>; response: MessageType<A> },
  value: Q,
): A {
  const path = `/cosmos.distribution.v1beta1.Query/${method}`;
  const route = world.composition.modules.flatMap(({ queries }) => queries).find((q) => q.path === path);
  if (route === undefined) throw new RangeError(`there is no ${path}`);
  return response.decode(route.answer(world.context, request.encode(value)));
}

/** What the account of a module holds. */
export function moduleCoins(world: StakingWorld, name: string): Coins {
  return world.composition.bank.balances(world.context, moduleAddress(name));
}

/** The i-th account delegates to the j-th validator. */
export function delegate(world: StakingWorld, i: number, j: number, tokens: bigint): void {
  world.run(
    { message: staking.MsgDelegate, response: staking.MsgDelegateResponse },
    {
      delegatorAddress: world.account(i).address,
      validatorAddress: world.operator(j),
      amount: { denom: 'uopen', amount: tokens.toString() },
    },
  );
}

/** The i-th account takes tokens back from the j-th validator. */
export function undelegate(world: StakingWorld, i: number, j: number, tokens: bigint): void {
  world.run(
    { message: staking.MsgUndelegate, response: staking.MsgUndelegateResponse },
    {
      delegatorAddress: world.account(i).address,
      validatorAddress: world.operator(j),
      amount: { denom: 'uopen', amount: tokens.toString() },
    },
  );
}

/** The i-th account withdraws what it earned with the j-th validator: `5uopen`. */
export function withdraw(world: StakingWorld, i: number, j: number): string {
  const { amount } = world.run(
    { message: dist.MsgWithdrawDelegatorReward, response: dist.MsgWithdrawDelegatorRewardResponse },
    { delegatorAddress: world.account(i).address, validatorAddress: world.operator(j) },
  );
  return amount.map((coin) => `${coin.amount}${coin.denom}`).join(',');
}

/** The j-th validator withdraws its commission. */
export function withdrawCommission(world: StakingWorld, j: number): string {
  const { amount } = world.run(
    { message: dist.MsgWithdrawValidatorCommission, response: dist.MsgWithdrawValidatorCommissionResponse },
    { validatorAddress: world.operator(j) },
  );
  return amount.map((coin) => `${coin.amount}${coin.denom}`).join(',');
}
