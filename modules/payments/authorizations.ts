/** The book of authorisations: which are good now, and which nonces are spent. */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { Statement, StatementVerifier } from '../../framework/tx/statement.ts';
import {
  type AccountSignature,
  AuthorizationState,
  type SpentNonce,
} from '../../proto/gen/openledger/payments/v1/authorization.ts';
import type { Params } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { accountStatement } from './account-signature.ts';
import { paymentErrors } from './errors.ts';
import type { PaymentState } from './state.ts';

/** Most nonces that one block forgets; the rest waits. */
export const NONCES_FORGOTTEN_PER_BLOCK_MAX = 200;

/** What forgetting a nonce costs later: removing two rows. */
const FORGETTING_GAS = 2000;

/** Last second that a time is written of: the end of the year 9999. */
const SECONDS_MAX = 253_402_300_799n;

/** What all authorisations have. */
export interface AuthorizationTerms {
  readonly chainId: string;
  readonly from: string;
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  /** Seconds since 1970. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
}

/** A statement, and what is to show that the account made it. */
export interface AccountClaim {
  readonly from: string;
  readonly statement: Statement;
  readonly signature: AccountSignature;
}

/** What the book needs. */
export interface AuthorizationPorts {
  readonly addresses: AddressCodec;
  readonly statements: StatementVerifier;
  readonly params: (context: ReadContext) => Params;
}

/** See the file comment. */
export class Authorizations {
  readonly #state: PaymentState;
  readonly #ports: AuthorizationPorts;

  constructor(state: PaymentState, ports: AuthorizationPorts) {
    this.#state = state;
    this.#ports = ports;
  }

  /** What became of a nonce; undefined when nothing did, or when it is forgotten. */
  find(context: ReadContext, from: Address, nonce: Uint8Array): SpentNonce | undefined {
    return this.#state.nonces.get(context, [from, nonce]);
  }

  /**
   * Checks that an authorisation may be carried out now.
   * @throws StateError (payments 9 … 14) for chain, window and nonce
   */
  requireGood(context: ReadContext, terms: AuthorizationTerms): void {
    const { validAfter, validBefore } = terms;
    const now = context.block.time.seconds;
    this.#requireChain(context, terms.chainId);
    const most = this.#ports.params(context).authorizationSecondsMax;
    if (validBefore - validAfter > most)
      throw new StateError(
        paymentErrors.windowTooLong,
        `valid for ${validBefore - validAfter} seconds, at most ${most}`,
      );
    if (now <= validAfter)
      throw new StateError(
        paymentErrors.notYetValid,
        `valid after ${validAfter}, the block's time is ${now}; send it later`,
      );
    this.#requireNotOver(now, validBefore);
    this.#requireUnspent(context, terms);
  }

  /**
   * Checks that a nonce may still be taken back. However late an authorisation of it begins, it may be
   * cancelled today: nothing is forgotten.
   * @throws StateError (payments 9, 11, 13, 14)
   */
  requireCancellable(
    context: ReadContext,
    terms: Pick<AuthorizationTerms, 'chainId' | 'from' | 'nonce' | 'validBefore'>,
  ): void {
    this.#requireChain(context, terms.chainId);
    this.#requireNotOver(context.block.time.seconds, terms.validBefore);
    this.#requireUnspent(context, terms);
  }

  /** Charges gas and verifies. @throws StateError (payments 8, 15, 16) */
  requireSigned(context: ReadContext, { from, statement, signature }: AccountClaim): void {
    const { addresses, statements } = this.#ports;
    const { key, signed } = accountStatement(statement, signature);
    if (!equalBytes(key.address, addresses.toBytes(from)))
      throw new StateError(
        paymentErrors.wrongSigner,
        `the key has address ${addresses.toText(key.address)}, the account is ${from}`,
      );
    const wrong = statements.firstWrong(context, signed);
    if (wrong >= 0)
      throw new StateError(
        paymentErrors.wrongSignature,
        `signature ${wrong} does not verify: a field was changed, or another chain, key or form was signed for`,
      );
  }

  /**
   * Spends a nonce: one that paid until its authorisation is over, one that is cancelled for good. A
   * cancellation does not know which authorisations of its nonce were signed, nor when they begin. Its row
   * stays, and is paid for by what writing costs.
   */
  spend(
    context: Context,
    terms: Pick<AuthorizationTerms, 'from' | 'nonce' | 'validBefore'>,
    state: AuthorizationState,
  ): void {
    if (isForgotten(state)) context.gas.consume(FORGETTING_GAS, 'forget nonce');
    const { from, nonce, validBefore } = terms;
    this.insert(context, { from, nonce, state, validBefore });
  }

  /** Writes a spent nonce, and its place in the queue when it is one that is forgotten. */
  insert(context: Context, spent: SpentNonce): void {
    const from = this.#ports.addresses.toBytes(spent.from);
    this.#state.nonces.set(context, [from, spent.nonce], spent);
    if (isForgotten(spent.state))
      this.#state.nonceExpiries.add(context, [spent.validBefore, from, spent.nonce]);
  }

  /** Forgets nonces that paid and whose time has passed, the oldest first. */
  forget(context: Context): void {
    const now = context.block.time.seconds;
    const passed = [];
    for (const key of this.#state.nonceExpiries.iterate(context)) {
      if (key[0] > now || passed.length >= NONCES_FORGOTTEN_PER_BLOCK_MAX) break;
      passed.push(key);
    }
    for (const key of passed) {
      const [, from, nonce] = key;
      this.#state.nonceExpiries.remove(context, key);
      this.#state.nonces.remove(context, [from, nonce]);
    }
  }

  #requireChain(context: ReadContext, chainId: string): void {
    if (chainId !== context.block.chainId)
      throw new StateError(
        paymentErrors.otherChain,
        `made out for chain '${chainId.slice(0, 64)}', this is ${context.block.chainId}`,
      );
  }

  #requireNotOver(now: bigint, validBefore: bigint): void {
    if (now >= validBefore)
      throw new StateError(
        paymentErrors.authorizationExpired,
        `valid before ${validBefore}, the block's time is ${now}`,
      );
  }

  #requireUnspent(context: ReadContext, { from, nonce }: Pick<AuthorizationTerms, 'from' | 'nonce'>): void {
    const spent = this.find(context, this.#ports.addresses.toBytes(from), nonce);
    if (spent === undefined) return;
    const isUsed = spent.state === AuthorizationState.AUTHORIZATION_STATE_USED;
    throw new StateError(
      isUsed ? paymentErrors.authorizationUsed : paymentErrors.authorizationCancelled,
      `nonce ${toHex(nonce)} of ${from}`,
    );
  }
}

/** True for nonces that are forgotten when their time is over; see `spend`. */
export function isForgotten(state: AuthorizationState): boolean {
  return state === AuthorizationState.AUTHORIZATION_STATE_USED;
}

/**
 * Checks what needs no state. Addresses have to be written as the chain writes them, since they are signed as
 * text.
 * @throws StateError (payments 8; sdk 7 for what is no address)
 */
export function validateTerms(
  { from, nonce, validAfter, validBefore }: Omit<AuthorizationTerms, 'chainId'>,
  addresses: AddressCodec,
): void {
  requireCanonical(from, addresses);
  if (nonce.length !== HASH_BYTES)
    throw invalid(`nonce or request hash has ${nonce.length} bytes, must have ${HASH_BYTES}`);
  if (validAfter < 0n || validBefore <= validAfter || validBefore > SECONDS_MAX)
    throw invalid(`valid after ${validAfter} and before ${validBefore} is no window`);
}

/** @throws StateError (payments 8) when an address is not in small letters, (sdk 7) when it is none */
export function requireCanonical(text: string, addresses: AddressCodec): void {
  if (addresses.toText(addresses.toBytes(text)) !== text)
    throw invalid(`address '${text}' must be in small letters`);
}

function invalid(detail: string): StateError {
  return new StateError(paymentErrors.invalidAuthorization, detail);
}
