import type { ErrorKind } from '../../framework/errors.ts';

/** Names of slashing's failures. */
export type SlashingErrorName =
  | 'noValidator'
  | 'validatorJailed'
  | 'validatorNotJailed'
  | 'noDelegation'
  | 'selfDelegationTooLow';

/**
 * Failures of slashing, numbered as x/slashing numbers them (v0.50 `types/errors.go`). Who asks for a
 * validator or delegation that is not there hears staking's: its keeper answers first in the SDK
 * (`keeper/unjail.go`).
 */
export const slashingErrors: Readonly<Record<SlashingErrorName, ErrorKind>> = {
  noValidator: { codespace: 'staking', code: 3, description: 'validator does not exist' },
  validatorJailed: kind(4, 'validator still jailed; cannot be unjailed'),
  validatorNotJailed: kind(5, 'validator not jailed; cannot be unjailed'),
  noDelegation: {
    codespace: 'staking',
    code: 19,
    description: 'no delegation for (address, validator) tuple',
  },
  selfDelegationTooLow: kind(7, "validator's self delegation less than minimum; cannot be unjailed"),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'slashing', code, description };
}
