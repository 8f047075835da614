import { LedgerError, messageOf } from '../core/errors.ts';

/**
 * A registered failure of the state machine: module, number within it, and its sentence. All three are
 * consensus.
 */
export interface ErrorKind {
  /** The module, or `sdk` for the framework's own. */
  readonly codespace: string;
  /** At least 2 (1 is for what is not told to users) and never reused. */
  readonly code: number;
  readonly description: string;
}

/**
 * A failed transaction, message or query. `message` is the ABCI log, written as the SDK's `errorsmod.Wrap`
 * writes it: what happened, a colon, the description of its kind.
 */
export class StateError extends LedgerError {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, detail = '', facts: Readonly<Record<string, unknown>> = {}) {
    super(
      `${kind.codespace}.${kind.code}`,
      detail === '' ? kind.description : `${detail}: ${kind.description}`,
      facts,
    );
    this.name = 'StateError';
    this.kind = kind;
  }
}

/**
 * The same failure with a further statement before its log. What is not a `StateError` becomes an internal
 * one.
 */
export function wrapError(error: unknown, detail: string): StateError {
  const inner = toStateError(error);
  const wrapped = new StateError(inner.kind, '', inner.facts);
  wrapped.message = `${detail}: ${inner.message}`;
  return wrapped;
}

/** Anything thrown, as the failure that a transaction reports. */
export function toStateError(error: unknown): StateError {
  if (error instanceof StateError) return error;
  if (error instanceof RangeError && error.message.includes('call stack'))
    return new StateError(sdkErrors.panic, 'recovered: call depth exceeded');
  return new StateError(sdkErrors.panic, `recovered: ${messageOf(error)}`);
}

/**
 * A failure for which the SDK has no number (`errorsmod.ABCIInfo`: codespace `undefined`, code 1), with the
 * log that it leaves.
 */
export function unregisteredError(log: string): StateError {
  return new StateError({ codespace: 'undefined', code: 1, description: log });
}

/**
 * A message that only the chain's authority may send came from someone else (the number is x/gov's in the
 * SDK).
 */
export const invalidAuthority: ErrorKind = {
  codespace: 'gov',
  code: 13,
  description: 'expected gov account as only signer for proposal message',
};

/** Names of the registered errors that every module may use. */
export type SdkErrorName =
  | 'panic'
  | 'txDecode'
  | 'invalidSequence'
  | 'unauthorized'
  | 'insufficientFunds'
  | 'unknownRequest'
  | 'invalidAddress'
  | 'invalidPubKey'
  | 'unknownAddress'
  | 'invalidCoins'
  | 'outOfGas'
  | 'memoTooLarge'
  | 'insufficientFee'
  | 'tooManySignatures'
  | 'noSignatures'
  | 'invalidRequest'
  | 'txInMempoolCache'
  | 'mempoolIsFull'
  | 'txTooLarge'
  | 'keyNotFound'
  | 'invalidSigner'
  | 'invalidHeight'
  | 'invalidChainId'
  | 'invalidType'
  | 'txTimeoutHeight'
  | 'unknownExtensionOptions'
  | 'wrongSequence'
  | 'unpackAny'
  | 'logic'
  | 'conflict'
  | 'notSupported'
  | 'notFound'
  | 'invalidGasLimit'
  | 'txTimeout';

/**
 * The error numbers of the Cosmos SDK's root codespaces (v0.50 `types/errors/errors.go`,
 * `errors/errors.go`).
 */
export const sdkErrors: Readonly<Record<SdkErrorName, ErrorKind>> = {
  panic: kind('undefined', 111222, 'panic'),
  txDecode: sdk(2, 'tx parse error'),
  invalidSequence: sdk(3, 'invalid sequence'),
  unauthorized: sdk(4, 'unauthorized'),
  insufficientFunds: sdk(5, 'insufficient funds'),
  unknownRequest: sdk(6, 'unknown request'),
  invalidAddress: sdk(7, 'invalid address'),
  invalidPubKey: sdk(8, 'invalid pubkey'),
  unknownAddress: sdk(9, 'unknown address'),
  invalidCoins: sdk(10, 'invalid coins'),
  outOfGas: sdk(11, 'out of gas'),
  memoTooLarge: sdk(12, 'memo too large'),
  insufficientFee: sdk(13, 'insufficient fee'),
  tooManySignatures: sdk(14, 'maximum number of signatures exceeded'),
  noSignatures: sdk(15, 'no signatures supplied'),
  invalidRequest: sdk(18, 'invalid request'),
  txInMempoolCache: sdk(19, 'tx already in mempool'),
  mempoolIsFull: sdk(20, 'mempool is full'),
  txTooLarge: sdk(21, 'tx too large'),
  keyNotFound: sdk(22, 'key not found'),
  invalidSigner: sdk(24, 'tx intended signer does not match the given signer'),
  invalidHeight: sdk(26, 'invalid height'),
  invalidChainId: sdk(28, 'invalid chain-id'),
  invalidType: sdk(29, 'invalid type'),
  txTimeoutHeight: sdk(30, 'tx timeout height'),
  unknownExtensionOptions: sdk(31, 'unknown extension options'),
  wrongSequence: sdk(32, 'incorrect account sequence'),
  unpackAny: sdk(34, 'failed unpacking protobuf message from Any'),
  logic: sdk(35, 'internal logic error'),
  conflict: sdk(36, 'conflict'),
  notSupported: sdk(37, 'feature not supported'),
  notFound: sdk(38, 'not found'),
  invalidGasLimit: sdk(41, 'invalid gas limit'),
  /** Of SDK v0.53. */
  txTimeout: sdk(42, 'tx timeout'),
};

function sdk(code: number, description: string): ErrorKind {
  return kind('sdk', code, description);
}

function kind(codespace: string, code: number, description: string): ErrorKind {
  return { codespace, code, description };
}

/** gRPC status codes that queries answer with. */
export type QueryStatus =
  | 'FailedPrecondition'
  | 'Internal'
  | 'InvalidArgument'
  | 'NotFound'
  | 'Unimplemented'
  | 'Unknown';

/** The ABCI error that each status becomes (baseapp `gRPCErrorToSDKError`). */
const QUERY_ERROR_KINDS: Readonly<Record<QueryStatus, ErrorKind>> = {
  FailedPrecondition: sdkErrors.invalidRequest,
  Internal: sdkErrors.unknownRequest,
  InvalidArgument: sdkErrors.invalidRequest,
  NotFound: sdkErrors.keyNotFound,
  Unimplemented: sdkErrors.unknownRequest,
  Unknown: sdkErrors.unknownRequest,
};

/**
 * A query that has no answer. The log over `abci_query` is the one of grpc-go: `rpc error: code = NotFound
 * desc = …`; the gRPC server answers with the status itself.
 */
export class QueryError extends StateError {
  readonly status: QueryStatus;
  /** The sentence without the status prefix. */
  readonly description: string;

  constructor(status: QueryStatus, description: string) {
    super(QUERY_ERROR_KINDS[status], `rpc error: code = ${status} desc = ${description}`);
    this.name = 'QueryError';
    this.status = status;
    this.description = description;
  }
}
