/** Messages of those who stake: staking, distribution, slashing. */
import { PubKey } from '../../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import * as distribution from '../../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import * as slashing from '../../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import * as staking from '../../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { consensusKey, operatorText } from '../../support/staking-world.ts';
import { anyWith, caseOf, coin, type MessageCases } from './case.ts';
import { freshConsensusKey, type MessageWorld } from './world.ts';
import { sha256 } from '../../../core/hash.ts';

/** In parts of 10^-18, as the wire has decimals. */
const percent = (parts: number): string => `${BigInt(parts) * 10n ** 16n}`;
const STAKE = 1000;

/** A delegator and its validator, as messages name them. */
function stake(world: MessageWorld): {
  readonly delegatorAddress: string;
  readonly validatorAddress: string;
} {
  const { account, validator } = world.takeAccount();
  return { delegatorAddress: account.address, validatorAddress: world.operator(validator) };
}

const description = { moniker: 'm', identity: '', website: '', securityContact: '', details: '' };

/** See the file comment. */
export const STAKING_CASES: MessageCases = {
  ...caseOf(staking.MsgDelegate, (world) => ({ ...stake(world), amount: coin(STAKE) })),
  ...caseOf(staking.MsgUndelegate, (world) => ({ ...stake(world), amount: coin(STAKE) })),
  ...caseOf(staking.MsgBeginRedelegate, (world) => {
    const { account, validator } = world.takeAccount();
    return {
      delegatorAddress: account.address,
      validatorSrcAddress: world.operator(validator),
      validatorDstAddress: world.operator(validator + 1),
      amount: coin(STAKE),
    };
  }),
  ...caseOf(staking.MsgCancelUnbondingDelegation, (world) => {
    const pair = stake(world);
    world.run(anyWith(staking.MsgUndelegate, { ...pair, amount: coin(STAKE) }));
    return { ...pair, amount: coin(STAKE), creationHeight: world.block.height };
  }),
  ...caseOf(staking.MsgEditValidator, (world, i) => ({
    description: { ...description, details: `edited ${i}` },
    validatorAddress: world.operator(i),
  })),
  ...caseOf(staking.MsgCreateValidator, (world, i) => {
    const { account } = world.takeAccount();
    return {
      description,
      commission: { rate: percent(10), maxRate: percent(20), maxChangeRate: percent(1) },
      minSelfDelegation: '1',
      validatorAddress: operatorText(account),
      pubkey: { typeUrl: PubKey.typeUrl, value: PubKey.encode({ key: freshConsensusKey(i) }) },
      value: coin(STAKE),
    };
  }),
  ...caseOf(distribution.MsgSetWithdrawAddress, (world) => ({
    delegatorAddress: world.takeAccount().account.address,
    withdrawAddress: world.takeAccount().account.address,
  })),
  ...caseOf(distribution.MsgWithdrawDelegatorReward, stake),
  ...caseOf(distribution.MsgWithdrawValidatorCommission, (world, i) => {
    if (i % world.validators === 0) world.endBlock();
    return { validatorAddress: world.operator(i) };
  }),
  ...caseOf(distribution.MsgFundCommunityPool, (world) => ({
    depositor: world.takeAccount().account.address,
    amount: [coin(STAKE)],
  })),
  ...caseOf(distribution.MsgCommunityPoolSpend, (world) => ({
    authority: world.authority,
    recipient: world.takeAccount().account.address,
    amount: [coin(1)],
  })),
  ...caseOf(distribution.MsgDepositValidatorRewardsPool, (world, i) => ({
    depositor: world.takeAccount().account.address,
    validatorAddress: world.operator(i),
    amount: [coin(STAKE)],
  })),
  ...caseOf(slashing.MsgUnjail, (world, i) => {
    const { staking: keeper } = world.composition;
    keeper.jail(world.context, sha256(consensusKey(i % world.validators)).slice(0, 20));
    return { validatorAddr: world.operator(i) };
  }),
};
