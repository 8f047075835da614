import { Decimal } from '../../core/decimal.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import { decimalFromJson } from '../../framework/json-fields.ts';
import type { DistributionParams } from './types.ts';

/** The SDK's defaults: 2 % for the community. */
export const DEFAULT_PARAMS: DistributionParams = {
  communityTax: Decimal.ofText('0.02'),
  baseProposerReward: Decimal.ZERO,
  bonusProposerReward: Decimal.ZERO,
  withdrawAddrEnabled: true,
};

/**
 * Checks parameters, whoever sets them: as x/distribution does; also the rewards of proposers, which nothing
 * reads and only a genesis document can have.
 * @throws StateError (sdk 18)
 */
export function validateParams(params: DistributionParams): void {
  const { communityTax, baseProposerReward, bonusProposerReward } = params;
  for (const [name, reward] of [
    ['base proposer reward', baseProposerReward],
    ['bonus proposer reward', bonusProposerReward],
  ] as const)
    if (reward.sign < 0 || reward.greaterThan(Decimal.ONE))
      throw new StateError(sdkErrors.invalidRequest, `${name} must be from 0 to 1: ${reward}`);
  if (communityTax.sign < 0)
    throw new StateError(sdkErrors.invalidRequest, `community tax must be positive: ${communityTax}`);
  if (communityTax.greaterThan(Decimal.ONE))
    throw new StateError(sdkErrors.invalidRequest, `community tax too large: ${communityTax}`);
}

/** Parameters in a genesis document. */
export function paramsToJson(params: DistributionParams): JsonObject {
  return {
    community_tax: params.communityTax.toString(),
    base_proposer_reward: params.baseProposerReward.toString(),
    bonus_proposer_reward: params.bonusProposerReward.toString(),
    withdraw_addr_enabled: params.withdrawAddrEnabled,
  };
}

/** Parameters from a genesis document. @throws JsonError naming the path */
export function paramsFromJson(json: JsonReader): DistributionParams {
  json.onlyMembers(...Object.keys(paramsToJson(DEFAULT_PARAMS)));
  const params: DistributionParams = {
    communityTax: decimalFromJson(json.member('community_tax')),
    baseProposerReward: decimalFromJson(json.member('base_proposer_reward')),
    bonusProposerReward: decimalFromJson(json.member('bonus_proposer_reward')),
    withdrawAddrEnabled: json.member('withdraw_addr_enabled').boolean(),
  };
  json.attempt(() => validateParams(params));
  return params;
}
