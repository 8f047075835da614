/**
 * The steps before a transaction's messages, in the order, with the gas and with the words of the SDK's ante
 * handler (x/auth/ante, v0.50). A step refuses by throwing `StateError`.
 */
import { equalBytes, toBase64 } from '../../core/bytes.ts';
import { uvarintLength } from '../../core/varint.ts';
import { messageOf } from '../../core/errors.ts';
import type { Address } from '../address.ts';
import { type Coin, type Coins, coinsToString, problemOfCoins } from '../coins.ts';
import { StateError, sdkErrors, wrapError } from '../errors.ts';
import { attribute, eventOf } from '../events.ts';
import { GAS_LIMIT_MAX, OutOfGasError } from '../gas.ts';
import type { DecodedTx, TxSigner } from '../tx/decode.ts';
import { addDuration, compareInstants, formatInstant, nanosecondsOf } from '../../core/time.ts';
import type { Timestamp } from '../context.ts';
import {
  isIncomplete,
  type SignedBy,
  signatureList,
  signatureTasks,
  signingKinds,
  signsAminoOnly,
} from '../tx/multisig.ts';
import { type KeyKind, keyCountOf, type MultisigKey } from '../tx/public-key.ts';
import { type AnteState, wrongSignerCount } from './state.ts';

/** One step. */
export type AnteStep = (state: AnteState) => void;

/** Bytes that a signature with its key adds to a transaction (amino form, 106, and 6 for its frame): what
 * simulation charges for a missing one. */
const SIMULATED_SIGNATURE_BYTES = 106 + 6;
/** What the key is of that: 33 bytes, prefix and lengths. */
const SIMULATED_KEY_BYTES = 40;

/**
 * What collecting a fee of one denomination costs at most in ordinary cases: charged when a simulated
 * transaction names none, so that what is simulated suffices for the transaction that will be sent.
 */
const SIMULATED_FEE_GAS = 12_000;

/** How far ahead the timeout of an unordered transaction may be: ten minutes, as in SDK v0.53. */
const UNORDERED_TIMEOUT_MAX = { seconds: 600n, nanos: 0 };

/** What forgetting an unordered transaction's timeout costs later: as in SDK v0.53. */
const UNORDERED_GAS = 2240;

/** Extension options change what a transaction means; none is known. */
export const refuseExtensionOptions: AnteStep = ({ tx }) => {
  if (tx.extensionOptions.length > 0) throw new StateError(sdkErrors.unknownExtensionOptions);
};

/** Statements about the transaction that need no state. Not repeated on recheck. */
export const validateBasic: AnteStep = ({ tx, context }) => {
  if (context.mode === 'recheck') return;
  const { fee } = tx;
  if (fee.gasLimit > GAS_LIMIT_MAX)
    throw new StateError(
      sdkErrors.invalidRequest,
      `invalid gas supplied; ${fee.gasLimit} > ${GAS_LIMIT_MAX}`,
    );
  if (fee.coins.some((coin) => coin.amount < 0n))
    throw new StateError(sdkErrors.insufficientFee, `invalid fee provided: ${coinsToString(fee.coins)}`);
  if (tx.signatureCount === 0) throw new StateError(sdkErrors.noSignatures);
  if (tx.signers.length !== tx.required.length || tx.signatureCount !== tx.signers.length)
    throw wrongSignerCount(tx);
};

/** A transaction may name the last height at which it is wanted, and the last time (SDK v0.53). */
export const checkTimeoutHeight: AnteStep = ({ tx, context }) => {
  const { height } = context.block;
  if (tx.timeoutHeight > 0n && height > tx.timeoutHeight)
    throw new StateError(
      sdkErrors.txTimeoutHeight,
      `block height: ${height}, timeout height: ${tx.timeoutHeight}`,
    );
  const { time } = context.block;
  const timeout = timeoutOf(tx);
  if (timeout !== undefined && compareInstants(timeout, time) < 0)
    throw new StateError(
      sdkErrors.txTimeout,
      `block time: ${formatInstant(time)}, timeout timestamp: ${formatInstant(timeout)}`,
    );
};

/** A timeout in the first second of 1970 is none. */
function timeoutOf({ timeoutTimestamp }: DecodedTx): Timestamp | undefined {
  return timeoutTimestamp?.seconds === 0n ? undefined : timeoutTimestamp;
}

/** The memo's length is counted in bytes of UTF-8, as Go counts it. */
export const checkMemo: AnteStep = ({ tx, params }) => {
  const length = Buffer.byteLength(tx.memo);
  if (length > params.maxMemoCharacters)
    throw new StateError(
      sdkErrors.memoTooLarge,
      `maximum number of characters is ${params.maxMemoCharacters} but received ${length} characters`,
    );
};

/** Gas for the bytes of the transaction; in simulation also for the signatures that are still missing. */
export const consumeSizeGas: AnteStep = (state) => {
  const { tx, context, params } = state;
  context.gas.consume(params.txSizeCostPerByte * tx.bytes.length, 'txSize');
  if (!state.simulate) return;
  tx.signers.forEach((signer, i) => {
    if (!isIncomplete(signer)) return;
    context.gas.consume(params.txSizeCostPerByte * simulatedBytes(state, signer, i), 'txSize');
  });
};

/** Nobody knows yet how many keys will sign: as many as may. */
function simulatedBytes(state: AnteState, signer: TxSigner, i: number): number {
  const key = signer.pubKey ?? (signer.multi === undefined ? undefined : state.account(i).pubKey);
  if (key?.kind !== 'multisig') return SIMULATED_SIGNATURE_BYTES;
  const keyBytes = 1 + uvarintLength(key.bytes.length) + key.bytes.length;
  return (SIMULATED_SIGNATURE_BYTES - SIMULATED_KEY_BYTES + keyBytes) * state.params.txSigLimit;
}

/** Takes the fee from its payer or granter, whatever becomes of the messages. */
export const deductFee: AnteStep = (state) => {
  const { tx, context, ports } = state;
  const { gasLimit, payer, granter } = tx.fee;
  if (!state.simulate && context.block.height > 0n && gasLimit === 0n)
    throw new StateError(sdkErrors.invalidGasLimit, 'must provide positive gas');
  const coins = state.simulate ? tx.fee.coins : ports.checkFee(context, tx);
  const from = granter ?? payer;
  if (granter !== undefined) useGrant(state, coins);
  if (!state.exists(from))
    throw new StateError(
      sdkErrors.unknownAddress,
      `fee payer address: ${ports.addresses.toText(from)} does not exist`,
    );
  if (coins.some((coin) => coin.amount !== 0n)) {
    if (problemOfCoins(coins) !== undefined)
      throw new StateError(sdkErrors.insufficientFee, `invalid fee amount: ${coinsToString(coins)}`);
    collectFee(state, from, coins);
  } else if (state.simulate) context.gas.consume(SIMULATED_FEE_GAS, 'simulated fee');
  if (context.recordsEvents)
    context.emit(
      eventOf(
        'tx',
        attribute('fee', coinsToString(coins)),
        attribute('fee_payer', ports.addresses.toText(from)),
      ),
    );
};

/** The reason is told twice, as the SDK tells it. */
function collectFee({ context, ports }: AnteState, from: Address, fee: Coins): void {
  try {
    ports.fees.collectFee(context, from, fee);
  } catch (error) {
    if (error instanceof OutOfGasError || !(error instanceof StateError)) throw error;
    throw new StateError(sdkErrors.insufficientFunds, error.message);
  }
}

function useGrant({ tx, context, ports }: AnteState, fee: readonly Coin[]): void {
  const { granter, payer } = tx.fee;
  if (granter === undefined || equalBytes(granter, payer)) return;
  if (ports.feeGrants === undefined)
    throw new StateError(sdkErrors.invalidRequest, 'fee grants are not enabled');
  try {
    const messages = tx.messages.map(({ typeUrl }) => typeUrl);
    ports.feeGrants.useGrantedFees(context, { granter, grantee: payer, fee, messages });
  } catch (error) {
    if (error instanceof OutOfGasError) throw error;
    const [from, to] = [ports.addresses.toText(granter), ports.addresses.toText(payer)];
    throw wrapError(error, `${from} does not allow to pay fees for ${to}`);
  }
}

/** The first transaction of an account brings its public key. */
export const setPublicKeys: AnteStep = (state) => {
  const { tx, context, ports } = state;
  tx.signers.forEach((signer, i) => {
    if (signer.pubKey === undefined) return;
    if (!state.simulate && !equalBytes(signer.pubKey.address, state.signer(i)))
      throw new StateError(
        sdkErrors.invalidPubKey,
        `pubKey does not match signer address ${ports.addresses.toText(state.signer(i))} with signer index: ${i}`,
      );
    const account = state.account(i);
    if (account.pubKey === undefined) state.change(i, { ...account, pubKey: signer.pubKey });
  });
  if (!context.recordsEvents) return;
  tx.signers.forEach((signer, i) => {
    const text = ports.addresses.toText(state.signer(i));
    const sequence = eventOf('tx', attribute('acc_seq', `${text}/${signer.sequence}`));
    context.emit(
      ...(tx.unordered ? [] : [sequence]),
      ...signatureList(signer).map((one) => eventOf('tx', attribute('signature', toBase64(one)))),
    );
  });
};

/** Limits the number of keys that a transaction makes the node check: all of a key of several count. */
export const checkSignatureCount: AnteStep = ({ tx, params }) => {
  let count = 0;
  for (const { pubKey } of tx.signers) {
    if (pubKey === undefined) continue;
    count += keyCountOf(pubKey);
    if (count > params.txSigLimit)
      throw new StateError(sdkErrors.tooManySignatures, `signatures: ${count}, limit: ${params.txSigLimit}`);
  }
};

/** Gas for checking each signature, by kind of key. */
export const consumeSignatureGas: AnteStep = (state) => {
  state.tx.signers.forEach((signer, i) => {
    const key = state.account(i).pubKey;
    if (key?.kind !== 'multisig') consumeKeyGas(state, key?.kind ?? 'secp256k1');
    else for (const kind of checkedKinds(state, key, signer)) consumeKeyGas(state, kind);
  });
};

function consumeKeyGas({ context, params }: AnteState, kind: KeyKind): void {
  const isEd25519 = kind === 'ed25519';
  const cost = isEd25519 ? params.sigVerifyCostEd25519 : params.sigVerifyCostSecp256k1;
  context.gas.consume(cost, `ante verify: ${kind}`);
  if (isEd25519) throw new StateError(sdkErrors.invalidPubKey, 'ED25519 public keys are unsupported');
}

/** In a simulation nobody may have signed: then as many as must. */
function checkedKinds(state: AnteState, key: MultisigKey, signer: TxSigner): readonly KeyKind[] {
  const { multi } = signer;
  if (state.simulate && isIncomplete(signer)) return new Array<KeyKind>(key.threshold).fill('secp256k1');
  if (multi !== undefined) return signingKinds(key, multi);
  throw new StateError(
    sdkErrors.unauthorized,
    'the account has several keys and the transaction one signature: expected a mode of several (multi)',
  );
}

/** Sequence, then signature, signer by signer. A recheck knows that the signature is good. */
export const verifySignatures: AnteStep = (state) => {
  const { tx, context } = state;
  if (tx.signers.length !== tx.required.length) throw wrongSignerCount(tx);
  if (tx.unordered) useTimeouts(state);
  tx.signers.forEach((signer, i) => {
    if (tx.unordered && signer.sequence > 0n)
      throw new StateError(sdkErrors.invalidRequest, 'sequence is not allowed for unordered transactions');
    const account = state.account(i);
    if (!state.simulate && account.pubKey === undefined)
      throw new StateError(sdkErrors.invalidPubKey, 'pubkey on account is not set');
    if (!tx.unordered && signer.sequence !== account.sequence)
      throw new StateError(
        sdkErrors.wrongSequence,
        `account sequence mismatch, expected ${account.sequence}, got ${signer.sequence}`,
      );
    if (state.simulate || context.mode === 'recheck' || account.pubKey === undefined) return;
    const { pubKey, accountNumber } = account;
    verifySignature(state, { signer, address: state.signer(i), pubKey, accountNumber });
  });
};

/** What makes an unordered transaction unique is each signer with its timeout, to the nanosecond. */
function useTimeouts(state: AnteState): void {
  const { tx, context, ports } = state;
  const timeout = timeoutOf(tx);
  const { time } = context.block;
  if (timeout === undefined)
    throw new StateError(sdkErrors.invalidRequest, 'unordered transaction must have timeout_timestamp set');
  if (compareInstants(timeout, time) < 0)
    throw new StateError(
      sdkErrors.invalidRequest,
      'unordered transaction has a timeout_timestamp that has already passed',
    );
  if (compareInstants(timeout, addDuration(time, UNORDERED_TIMEOUT_MAX)) > 0)
    throw new StateError(sdkErrors.invalidRequest, 'unordered tx ttl exceeds 10m0s');
  context.gas.consume(UNORDERED_GAS, 'unordered tx');
  if (state.simulate) return;
  for (const address of tx.required) {
    if (ports.accounts.useTimeout(context, address, timeout)) continue;
    const text = ports.addresses.toText(address);
    throw new StateError(
      sdkErrors.invalidRequest,
      `failed to add unordered nonce: sender ${text} has already used timeout ${nanosecondsOf(timeout)}`,
    );
  }
}

function verifySignature(
  { tx, context, ports }: AnteState,
  by: Pick<SignedBy, 'address' | 'pubKey'> & { readonly signer: TxSigner; readonly accountNumber: bigint },
): void {
  const { chainId, height } = context.block;
  const { signer, address, pubKey } = by;
  const { sequence } = signer;
  const accountNumber = height === 0n ? 0n : by.accountNumber;
  const problem = problemOf(() => {
    const data = { chainId, accountNumber, sequence };
    const wrong = signatureTasks({ tx, signer, address, pubKey, data }).findIndex(
      (task) => !ports.verifier.verify(task),
    );
    if (wrong < 0) return undefined;
    return pubKey.kind === 'multisig'
      ? `unable to verify signature at index ${wrong}`
      : 'unable to verify single signer signature';
  });
  if (problem === undefined) return;
  // A signer of JSON signs the sequence too: it may be what is wrong.
  const what = signsAminoOnly(signer)
    ? `(${accountNumber}), sequence (${sequence}) and chain-id (${chainId})`
    : `(${accountNumber}) and chain-id (${chainId}): (${problem})`;
  throw new StateError(
    sdkErrors.unauthorized,
    `signature verification failed; please verify account number ${what}`,
  );
}

function problemOf(check: () => string | undefined): string | undefined {
  try {
    return check();
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Each signature is good once. Unordered ones are by their timeouts; a key that came is kept all the same.
 */
export const incrementSequences: AnteStep = (state) => {
  state.tx.required.forEach((_, i) => {
    const account = state.account(i);
    if (!state.tx.unordered) state.change(i, { ...account, sequence: account.sequence + 1n });
    if (state.isChanged(i)) state.save(i);
  });
};

/** The chain, in the SDK's order. */
export const ANTE_STEPS: readonly AnteStep[] = [
  refuseExtensionOptions,
  validateBasic,
  checkTimeoutHeight,
  checkMemo,
  consumeSizeGas,
  deductFee,
  setPublicKeys,
  checkSignatureCount,
  consumeSignatureGas,
  verifySignatures,
  incrementSequences,
];
