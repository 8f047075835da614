/** What parts of messages must look like, before any state is read. */
import { HASH_BYTES } from '../../core/hash.ts';
import { isDenom, type WireCoin } from '../../framework/coins.ts';
import { type ErrorKind, StateError } from '../../framework/errors.ts';
import type { Answer, Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { paymentErrors } from './errors.ts';

/** Decimal text as it is written back: no sign, no leading zeros, below 2^256. */
const AMOUNT = /^(?:0|[1-9][0-9]{0,76})$/;

/** What a payee or payer states of an inference. */
export interface StatedUsage {
  readonly tokensOut: bigint;
  readonly answer: Answer;
  readonly claim: Claim;
  readonly claimId: bigint;
}

/** @throws StateError of the kind unless it is SHA-256 wide */
export function requireHash(name: string, hash: Uint8Array, kind: ErrorKind): void {
  if (hash.length !== HASH_BYTES)
    throw new StateError(kind, `${name} has ${hash.length} bytes, must have ${HASH_BYTES}`);
}

/** @throws StateError of the kind unless it is a coin, written as the chain writes it; it may be zero */
export function requireCoin(name: string, coin: WireCoin, kind: ErrorKind): void {
  if (!isDenom(coin.denom) || !AMOUNT.test(coin.amount))
    throw new StateError(kind, `${name} must be a denomination and a whole number`);
}

/** As `requireCoin`, and more than nothing. */
export function requirePositive(name: string, coin: WireCoin, kind: ErrorKind): void {
  requireCoin(name, coin, kind);
  if (coin.amount === '0') throw new StateError(kind, `${name} is zero`);
}

/** @throws StateError (payments 2) */
export function validateUsage({ tokensOut, answer, claim, claimId }: StatedUsage): void {
  // What a model's own tokens are, only its seller knows; that an answer has some, everybody.
  if (tokensOut === 0n && (answer.content.length > 0 || answer.byteLength > 0n))
    throw new StateError(paymentErrors.invalidPayment, 'tokens_out is 0 for an answer that is not empty');
  const { spans, token, influence, retrieval } = claim;
  const parts = [token, influence, retrieval].filter((part) => part !== undefined).length + spans.length;
  if (claimId > 0n && parts > 0)
    throw new StateError(paymentErrors.invalidPayment, 'give claim_id or a claim, not both');
}
