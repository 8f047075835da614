/** Texts that a chain is named by: what they must look like, for the program and in words. */
import { usageError } from './failure.ts';

/** The form of a text. */
export interface Form {
  readonly pattern: RegExp;
  readonly rule: string;
}

/** Chain ids: what CometBFT takes, without what would trouble file names and URLs. */
export const CHAIN_ID_FORM: Form = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/,
  rule: '1 to 50 letters, digits, dots, dashes or underscores, the first a letter or digit, such as my-chain-1',
};

/** Base denominations; shown without their first letter, which stands for 10^-6. */
export const DENOM_FORM: Form = {
  pattern: /^u[a-z][a-z0-9]{1,19}$/,
  rule: 'a u (for 10^-6), then 2 to 20 lower-case letters or digits, the first a letter, such as uopen',
};

/** Bech32 prefixes. */
export const PREFIX_FORM: Form = {
  pattern: /^[a-z][a-z0-9]{0,19}$/,
  rule: '1 to 20 lower-case letters or digits, the first a letter, such as open',
};

/**
 * Checks the value of an option; one that was not given is right.
 * @throws LedgerError `cli.usage` with the rule
 */
export function checkForm(name: string, value: string | undefined, { pattern, rule }: Form): void {
  if (value !== undefined && !pattern.test(value))
    throw usageError(`${name} cannot be "${value}"; it must be ${rule}`);
}
