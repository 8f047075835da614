import type { ErrorKind } from '../../framework/errors.ts';

/** Names of slashing's failures. */
export type SlashingErrorName =
  | 'noValidatorForAddress'
  | 'validatorJailed'
  | 'validatorNotJailed'
  | 'missingSelfDelegation'
  | 'selfDelegationTooLow';

/** Failures of slashing, numbered as x/slashing numbers them (v0.50 `types/errors.go`). */
export const slashingErrors: Readonly<Record<SlashingErrorName, ErrorKind>> = {
  noValidatorForAddress: kind(2, 'address is not associated with any known validator'),
  validatorJailed: kind(4, 'validator still jailed; cannot be unjailed'),
  validatorNotJailed: kind(5, 'validator not jailed; cannot be unjailed'),
  missingSelfDelegation: kind(6, 'validator has no self-delegation; cannot be unjailed'),
  selfDelegationTooLow: kind(7, "validator's self delegation less than minimum; cannot be unjailed"),
};

function kind(code: number, description: string): ErrorKind {
  return { codespace: 'slashing', code, description };
}
