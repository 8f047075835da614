/**
 * Authorisations that the holder of an account signs off the chain: what is signed, as bytes for programs and
 * as a text that a wallet shows. Bytes: domain, 0x00, then each field as its length (8 bytes, big endian) and
 * its bytes; text is UTF-8, numbers are 8 bytes, big endian. Each kind has a domain and a first line of its
 * own, so that none can pass for another.
 */
import { concatBytes, toHex, uint64BigEndian, utf8 } from '../../core/bytes.ts';
import { formatInstant } from '../../core/time.ts';
import type { Statement } from '../../framework/tx/statement.ts';
import type {
  AuthorizationCancellation,
  InferenceAuthorization,
  TransferAuthorization,
} from '../../proto/gen/openledger/payments/v1/authorization.ts';

/** A line of the text and a field of the bytes. */
interface Field {
  readonly label: string;
  readonly text: string;
  /** Fields of the bytes; a coin has two. */
  readonly bytes: readonly Uint8Array[];
}

/** What the sender of a transfer signs. Every field must be well-formed. */
export function transferStatement(authorization: TransferAuthorization): Statement {
  const { chainId, from, to, amount, validAfter, validBefore, nonce, resourceHash } = authorization;
  return statement('transfer-authorization', 'pay by authorisation', [
    textField('chain', chainId),
    textField('from', from),
    textField('to', to),
    coinField('amount', amount),
    timeField('valid after', validAfter),
    timeField('valid before', validBefore),
    hashField('nonce', nonce),
    hashField('resource', resourceHash),
  ]);
}

/** What the payer of an inference signs. Every field must be well-formed. */
export function inferenceStatement(authorization: InferenceAuthorization): Statement {
  const { chainId, from, payee, modelId, requestHash, maxFee, validAfter, validBefore } = authorization;
  return statement('inference-authorization', 'pay for an inference by authorisation', [
    textField('chain', chainId),
    textField('from', from),
    textField('payee', payee),
    { label: 'model', text: modelId.toString(), bytes: [uint64BigEndian(modelId)] },
    hashField('request', requestHash),
    coinField('at most', maxFee),
    timeField('valid after', validAfter),
    timeField('valid before', validBefore),
  ]);
}

/** What the holder of an account signs to take an authorisation back. Every field must be well-formed. */
export function cancellationStatement(cancellation: AuthorizationCancellation): Statement {
  const { chainId, from, nonce, validBefore } = cancellation;
  return statement('authorization-cancellation', 'cancel an authorisation', [
    textField('chain', chainId),
    textField('from', from),
    hashField('nonce', nonce),
    timeField('valid before', validBefore),
  ]);
}

function statement(domain: string, title: string, fields: readonly Field[]): Statement {
  const parts = fields.flatMap(({ bytes }) => bytes);
  const framed = parts.flatMap((part) => [uint64BigEndian(BigInt(part.length)), part]);
  return {
    bytes: concatBytes(utf8(`openledger/${domain}/1`), Uint8Array.of(0), ...framed),
    text: [`OpenLedger: ${title}`, ...fields.map(({ label, text }) => `${label}: ${text}`)].join('\n'),
  };
}

function textField(label: string, text: string): Field {
  return { label, text, bytes: [utf8(text)] };
}

function hashField(label: string, hash: Uint8Array): Field {
  return { label, text: toHex(hash), bytes: [hash] };
}

function coinField(label: string, coin: TransferAuthorization['amount']): Field {
  return { label, text: `${coin.amount} ${coin.denom}`, bytes: [utf8(coin.denom), utf8(coin.amount)] };
}

function timeField(label: string, seconds: bigint): Field {
  return { label, text: formatInstant({ seconds, nanos: 0 }), bytes: [uint64BigEndian(seconds)] };
}

/** What a payee asks for. */
export interface ExpectedTransfer {
  readonly chainId: string;
  readonly to: string;
  readonly amount: TransferAuthorization['amount'];
  readonly resourceHash: Uint8Array;
  /** Seconds since 1970: when the transfer will be carried out. */
  readonly at: bigint;
}

/** Why an authorisation is not what a payee asked for. */
export type TransferProblem =
  | 'other-chain'
  | 'other-recipient'
  | 'wrong-amount'
  | 'other-resource'
  | 'not-yet-valid'
  | 'expired';

/**
 * Compares an authorisation with what was asked for, before anything is served. The amount must be exact.
 * Says nothing of the signature, of the nonce and of the account's money.
 */
export function problemOfTransfer(
  authorization: TransferAuthorization,
  expected: ExpectedTransfer,
): TransferProblem | undefined {
  const { chainId, to, amount, resourceHash, validAfter, validBefore } = authorization;
  if (chainId !== expected.chainId) return 'other-chain';
  if (to !== expected.to) return 'other-recipient';
  if (amount.denom !== expected.amount.denom || amount.amount !== expected.amount.amount)
    return 'wrong-amount';
  if (toHex(resourceHash) !== toHex(expected.resourceHash)) return 'other-resource';
  if (expected.at <= validAfter) return 'not-yet-valid';
  return expected.at >= validBefore ? 'expired' : undefined;
}
