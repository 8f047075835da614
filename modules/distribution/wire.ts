/** Rewards and their kin as protobuf messages: in state, in queries. */
import { Decimal } from '../../core/decimal.ts';
import { type DecCoins, decCoinsOfWire, decCoinsToWire } from '../../framework/dec-coins.ts';
import type { ValueCodec } from '../../framework/values.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import * as wire from '../../proto/gen/cosmos/distribution/v1beta1/distribution.ts';
import type {
  CurrentRewards,
  DistributionParams,
  HistoricalRewards,
  SlashEvent,
  StartingInfo,
} from './types.ts';

function codecOf<V, W>(type: MessageType<W>, to: (value: V) => W, from: (held: W) => V): ValueCodec<V> {
  return {
    encode: (value) => type.encode(to(value)),
    decode: (bytes) => from(type.decode(bytes)),
  };
}

/** Parameters as the message has them. */
export function paramsToWire(params: DistributionParams): wire.Params {
  return {
    communityTax: params.communityTax.toWire(),
    baseProposerReward: params.baseProposerReward.toWire(),
    bonusProposerReward: params.bonusProposerReward.toWire(),
    withdrawAddrEnabled: params.withdrawAddrEnabled,
  };
}

/** @throws LedgerError `decimal.text` when a rate is no decimal */
export function paramsOfWire(held: wire.Params): DistributionParams {
  return {
    communityTax: Decimal.ofWire(held.communityTax),
    baseProposerReward: Decimal.ofWire(held.baseProposerReward),
    bonusProposerReward: Decimal.ofWire(held.bonusProposerReward),
    withdrawAddrEnabled: held.withdrawAddrEnabled,
  };
}

/** A slash as queries show it. */
export function slashToWire({ period, fraction }: SlashEvent): wire.ValidatorSlashEvent {
  return { validatorPeriod: period, fraction: fraction.toWire() };
}

/** Codec of the parameters. */
export const paramsValue: ValueCodec<DistributionParams> = codecOf(wire.Params, paramsToWire, paramsOfWire);

/** Codec of the community pool. */
export const feePoolValue: ValueCodec<DecCoins> = codecOf(
  wire.FeePool,
  (coins) => ({ communityPool: decCoinsToWire(coins) }),
  (held) => decCoinsOfWire(held.communityPool),
);

/** Codec of what a validator and its delegators have not withdrawn. */
export const outstandingValue: ValueCodec<DecCoins> = codecOf(
  wire.ValidatorOutstandingRewards,
  (coins) => ({ rewards: decCoinsToWire(coins) }),
  (held) => decCoinsOfWire(held.rewards),
);

/** Codec of a validator's commission. */
export const commissionValue: ValueCodec<DecCoins> = codecOf(
  wire.ValidatorAccumulatedCommission,
  (coins) => ({ commission: decCoinsToWire(coins) }),
  (held) => decCoinsOfWire(held.commission),
);

/** Codec of a past period. */
export const historicalValue: ValueCodec<HistoricalRewards> = codecOf(
  wire.ValidatorHistoricalRewards,
  ({ cumulativeRatio, referenceCount }) => ({
    cumulativeRewardRatio: decCoinsToWire(cumulativeRatio),
    referenceCount,
  }),
  (held) => ({
    cumulativeRatio: decCoinsOfWire(held.cumulativeRewardRatio),
    referenceCount: held.referenceCount,
  }),
);

/** Codec of the period under way. */
export const currentValue: ValueCodec<CurrentRewards> = codecOf(
  wire.ValidatorCurrentRewards,
  ({ rewards, period }) => ({ rewards: decCoinsToWire(rewards), period }),
  ({ rewards, period }) => ({ rewards: decCoinsOfWire(rewards), period }),
);

/** Codec of a delegation's beginning. */
export const startingInfoValue: ValueCodec<StartingInfo> = codecOf(
  wire.DelegatorStartingInfo,
  (info) => ({ ...info, stake: info.stake.toWire() }),
  (held) => ({ ...held, stake: Decimal.ofWire(held.stake) }),
);

/** Codec of a slash. */
export const slashValue: ValueCodec<SlashEvent> = codecOf(
  wire.ValidatorSlashEvent,
  slashToWire,
  ({ validatorPeriod, fraction }) => ({ period: validatorPeriod, fraction: Decimal.ofWire(fraction) }),
);
