/**
 * Tokens and shares of a validator. The exchange rate is tokens / shares: one at first, lower after slashes,
 * a little higher when rounding leaves tokens behind. After x/staking `types/validator.go`.
 */
import { assert } from '../../core/errors.ts';
import { Decimal } from '../../core/decimal.ts';
import { StateError } from '../../framework/errors.ts';
import { stakingErrors } from './errors.ts';
import { POWER_REDUCTION, type Validator, type ValidatorIdentity } from './types.ts';

/** What shares are worth, to the nearest 10^-18. The validator must have shares. */
export function tokensOfShares(validator: Validator, shares: Decimal): Decimal {
  return shares.multiplyInteger(validator.tokens).divide(validator.shares);
}

/** Shares that tokens are worth, rounded down. @throws StateError (staking 22) when there are no tokens */
export function sharesOfTokens(validator: Validator, tokens: bigint): Decimal {
  if (validator.tokens === 0n) throw new StateError(stakingErrors.insufficientShares);
  return validator.shares.multiplyInteger(tokens).divideInteger(validator.tokens);
}

/** True when a slash has left shares without tokens: nobody can delegate to it again. */
export function hasNoRate(validator: Validator): boolean {
  return validator.tokens === 0n && validator.shares.sign > 0;
}

/** Power that its tokens would give it in the set. */
export function potentialPower({ tokens }: Validator): bigint {
  return tokens / POWER_REDUCTION;
}

/** Power that it has. */
export function powerOf(validator: Validator): bigint {
  return validator.status === 'bonded' ? potentialPower(validator) : 0n;
}

/** Who it is, for hooks. */
export function identityOf({ operator, consensusKey }: Validator): ValidatorIdentity {
  return { operator, consensusAddress: consensusKey.address };
}

/** A validator after a change of its tokens or shares, and what was issued for it. */
export interface Issued<T> {
  readonly validator: Validator;
  readonly issued: T;
}

/**
 * Tokens in, shares out; the first delegation sets the rate to one.
 * @throws LedgerError `decimal.overflow` when shares times tokens would leave 256 bits. So that product,
 * which later steps form and which only grows here, never does.
 */
export function withTokens(validator: Validator, tokens: bigint): Issued<Decimal> {
  const isFirst = validator.shares.sign === 0;
  const issued = isFirst ? Decimal.ofInteger(tokens) : sharesOfTokens(validator, tokens);
  const after = { ...validator, tokens: validator.tokens + tokens, shares: validator.shares.add(issued) };
  after.shares.multiplyInteger(after.tokens);
  return { validator: after, issued };
}

/** Shares in, tokens out, rounded down; the last shares take all that is left. */
export function withoutShares(validator: Validator, shares: Decimal): Issued<bigint> {
  const rest = validator.shares.subtract(shares);
  const issued = rest.sign === 0 ? validator.tokens : tokensOfShares(validator, shares).truncate();
  assert(rest.sign >= 0 && issued <= validator.tokens, 'a validator has fewer shares than its delegations');
  return { validator: { ...validator, tokens: validator.tokens - issued, shares: rest }, issued };
}
