import type { ErrorKind } from '../../framework/errors.ts';

/** Names of the failures that distribution reports. */
export type DistributionErrorName =
  | 'emptyDelegationInfo'
  | 'noValidatorCommission'
  | 'setWithdrawAddrDisabled'
  | 'badDistribution'
  | 'noValidator'
  | 'noDelegation';

/**
 * Failures of distribution, numbered as x/distribution numbers them (v0.50 `types/errors.go`). Who asks for a
 * validator or delegation that is not there hears staking's: its keeper answers first in the SDK.
 */
export const distributionErrors: Readonly<Record<DistributionErrorName, ErrorKind>> = {
  emptyDelegationInfo: kind(5, 'no delegation distribution info'),
  noValidatorCommission: kind(7, 'no validator commission to withdraw'),
  setWithdrawAddrDisabled: kind(8, 'set withdraw address disabled'),
  badDistribution: kind(9, 'community pool does not have sufficient coins to distribute'),
  noValidator: { codespace: 'staking', code: 3, description: 'validator does not exist' },
  noDelegation: {
    codespace: 'staking',
    code: 19,
    description: 'no delegation for (address, validator) tuple',
  },
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'distribution', code, description };
}
