import type { ErrorKind } from '../../framework/errors.ts';

/** Names of staking's failures. */
export type StakingErrorName =
  | 'noValidatorFound'
  | 'ownerExists'
  | 'pubKeyExists'
  | 'pubKeyTypeNotSupported'
  | 'validatorJailed'
  | 'commissionNegative'
  | 'commissionHuge'
  | 'commissionGtMaxRate'
  | 'commissionUpdateTime'
  | 'commissionChangeRateNegative'
  | 'commissionChangeRateGtMaxRate'
  | 'commissionGtMaxChangeRate'
  | 'selfDelegationBelowMinimum'
  | 'minSelfDelegationDecreased'
  | 'noDelegation'
  | 'noDelegatorForAddress'
  | 'insufficientShares'
  | 'notEnoughDelegationShares'
  | 'maxUnbondingDelegationEntries'
  | 'selfRedelegation'
  | 'tinyRedelegationAmount'
  | 'badRedelegationDst'
  | 'transitiveRedelegation'
  | 'maxRedelegationEntries'
  | 'exRateInvalid'
  | 'emptyValidatorPubKey'
  | 'commissionLtMinRate';

/** Failures of staking, numbered as x/staking numbers them (v0.50 `types/errors.go`). */
export const stakingErrors: Readonly<Record<StakingErrorName, ErrorKind>> = {
  noValidatorFound: kind(3, 'validator does not exist'),
  ownerExists: kind(
    4,
    'validator already exist for this operator address; must use new validator operator address',
  ),
  pubKeyExists: kind(5, 'validator already exist for this pubkey; must use new validator pubkey'),
  pubKeyTypeNotSupported: kind(6, 'validator pubkey type is not supported'),
  validatorJailed: kind(7, 'validator for this address is currently jailed'),
  commissionNegative: kind(9, 'commission must be positive'),
  commissionHuge: kind(10, 'commission cannot be more than 100%'),
  commissionGtMaxRate: kind(11, 'commission cannot be more than the max rate'),
  commissionUpdateTime: kind(12, 'commission cannot be changed more than once in 24h'),
  commissionChangeRateNegative: kind(13, 'commission change rate must be positive'),
  commissionChangeRateGtMaxRate: kind(14, 'commission change rate cannot be more than the max rate'),
  commissionGtMaxChangeRate: kind(15, 'commission cannot be changed more than max change rate'),
  selfDelegationBelowMinimum: kind(
    16,
    "validator's self delegation must be greater than their minimum self delegation",
  ),
  minSelfDelegationDecreased: kind(17, 'minimum self delegation cannot be decrease'),
  noDelegation: kind(19, 'no delegation for (address, validator) tuple'),
  noDelegatorForAddress: kind(21, 'delegator does not contain delegation'),
  insufficientShares: kind(22, 'insufficient delegation shares'),
  notEnoughDelegationShares: kind(24, 'not enough delegation shares'),
  maxUnbondingDelegationEntries: kind(
    27,
    'too many unbonding delegation entries for (delegator, validator) tuple',
  ),
  selfRedelegation: kind(29, 'cannot redelegate to the same validator'),
  tinyRedelegationAmount: kind(30, 'too few tokens to redelegate (truncates to zero tokens)'),
  badRedelegationDst: kind(31, 'redelegation destination validator not found'),
  transitiveRedelegation: kind(
    32,
    'redelegation to this validator already in progress; first redelegation to this validator must ' +
      'complete before next redelegation',
  ),
  maxRedelegationEntries: kind(
    33,
    'too many redelegation entries for (delegator, src-validator, dst-validator) tuple',
  ),
  exRateInvalid: kind(34, 'cannot delegate to validators with invalid (zero) ex-rate'),
  emptyValidatorPubKey: kind(39, 'empty validator public key'),
  commissionLtMinRate: kind(40, 'commission cannot be less than min rate'),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'staking', code, description };
}
