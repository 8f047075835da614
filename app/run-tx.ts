/**
 * One transaction against a branch of the state: ante chain, then messages. The ante chain's writes (fee,
 * sequence) are kept when a message fails; the messages' are kept only when all succeed.
 */
import { EMPTY_BYTES } from '../core/bytes.ts';
import { type AntePorts, AnteState } from '../framework/ante/state.ts';
import { ANTE_STEPS } from '../framework/ante/steps.ts';
import { type BlockInfo, Context, type ExecutionMode } from '../framework/context.ts';
import { StateError, sdkErrors, toStateError, wrapError } from '../framework/errors.ts';
import { attribute, type Event, withAttribute } from '../framework/events.ts';
import { GasMeter, OutOfGasError, unlimitedGas } from '../framework/gas.ts';
import type { BoundMessage } from '../framework/message.ts';
import type { DecodedTx } from '../framework/tx/decode.ts';
import { TxMsgData } from '../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import type { MultiStoreBranch } from '../store/kv.ts';

/** Where and how a transaction runs. */
export interface TxEnvironment {
  /** State of the block, or of CheckTx, so far. The transaction's writes end up here. */
  readonly branch: MultiStoreBranch;
  readonly block: BlockInfo;
  readonly mode: ExecutionMode;
  readonly ante: AntePorts;
  /** Gas of the whole block; undefined where it is not counted. */
  readonly blockGas: GasMeter | undefined;
  /** Largest gas limit that a transaction may have: that of a block. 0 or less for none. */
  readonly blockGasMax: bigint;
}

/** What became of a transaction. */
export interface TxOutcome {
  /** Undefined when it succeeded. */
  readonly error: StateError | undefined;
  readonly gasWanted: bigint;
  readonly gasUsed: bigint;
  /** Of the ante chain, and of the messages when all succeeded. None when the ante chain refused. */
  readonly events: readonly Event[];
  /** Encoded `TxMsgData`; empty on failure. */
  readonly data: Uint8Array;
  readonly responses: readonly Any[];
}

/** One half of a transaction: what it emitted, or why it failed. */
interface Part {
  readonly error: StateError | undefined;
  readonly events: readonly Event[];
  readonly responses: readonly Any[];
  /** Its writes, to be kept or dropped. */
  readonly branch: MultiStoreBranch | undefined;
}

const VALID: Part = { error: undefined, events: [], responses: [], branch: undefined };

/** Runs a transaction. Never throws for what the transaction contains. */
export function runTx(tx: DecodedTx, environment: TxEnvironment): TxOutcome {
  const { blockGas } = environment;
  if (blockGas?.exhausted === true)
    return outcomeOf(
      failed(new StateError(sdkErrors.outOfGas, 'no block gas left to run tx')),
      new GasMeter(0n),
    );
  const gas = meterOf(tx, environment);
  const ante = runAnte(tx, environment, gas);
  if (ante.error !== undefined) return chargeBlock(outcomeOf(ante, gas), gas, blockGas);
  const keepsAnte = environment.mode === 'finalize' || environment.mode === 'simulate';
  if (keepsAnte) ante.branch?.write();
  const messages = keepsAnte ? runMessages(tx, environment, gas) : validateMessages(tx);
  const { error, responses, branch } = messages;
  const done: Part = { error, responses, branch, events: ante.events.concat(messages.events) };
  const outcome = chargeBlock(outcomeOf(done, gas), gas, blockGas);
  if (outcome.error !== undefined) return { ...outcome, events: ante.events };
  if (!keepsAnte) ante.branch?.write();
  branch?.write();
  return outcome;
}

/** Genesis and simulation are not limited. */
function meterOf(tx: DecodedTx, { mode, block }: TxEnvironment): GasMeter {
  return mode === 'simulate' || block.height === 0n ? unlimitedGas() : new GasMeter(tx.fee.gasLimit);
}

function runAnte(tx: DecodedTx, environment: TxEnvironment, gas: GasMeter): Part {
  const { block, mode, ante, blockGasMax } = environment;
  const branch = environment.branch.branch();
  const context = new Context({ branch, block, mode, gas, txHash: tx.hash });
  try {
    const { gasLimit } = tx.fee;
    if (blockGasMax > 0n && gasLimit > blockGasMax)
      throw new StateError(
        sdkErrors.invalidGasLimit,
        `tx gas limit ${gasLimit} exceeds block max gas ${blockGasMax}`,
      );
    const state = new AnteState(context, tx, ante);
    for (const step of ANTE_STEPS) step(state);
    return { error: undefined, events: context.events, responses: [], branch };
  } catch (error) {
    return failed(explain(error, gas));
  }
}

/** CheckTx looks at what can be judged without executing. */
function validateMessages(tx: DecodedTx): Part {
  try {
    tx.messages.forEach(validateMessage);
    return VALID;
  } catch (error) {
    return failed(toStateError(error));
  }
}

function runMessages(tx: DecodedTx, environment: TxEnvironment, gas: GasMeter): Part {
  const { block, mode, ante } = environment;
  const branch = environment.branch.branch();
  const events: Event[] = [];
  const responses: Any[] = [];
  try {
    tx.messages.forEach((message, i) => {
      const context = new Context({ branch, block, mode, gas, txHash: tx.hash });
      validateMessage(message, i);
      responses.push({ typeUrl: message.route.response.typeUrl, value: runMessage(message, i, context) });
      const index = attribute('msg_index', String(i));
      events.push(withAttribute(actionEvent(message, context.events, ante), index));
      for (const emitted of context.events) events.push(withAttribute(emitted, index));
    });
    return { error: undefined, events, responses, branch };
  } catch (error) {
    return failed(explain(error, gas));
  }
}

function validateMessage(message: BoundMessage, index: number): void {
  try {
    message.validate();
  } catch (error) {
    throw ofMessage(error, index);
  }
}

function runMessage(message: BoundMessage, index: number, context: Context): Uint8Array {
  try {
    return message.run(context);
  } catch (error) {
    throw ofMessage(error, index);
  }
}

function ofMessage(error: unknown, index: number): unknown {
  if (error instanceof OutOfGasError) return error;
  return wrapError(error, `failed to execute message; message index: ${index}`);
}

/** What was done, by whom, in which module, unless an event of the handler names one. */
function actionEvent(message: BoundMessage, emitted: readonly Event[], { addresses }: AntePorts): Event {
  const { typeUrl } = message;
  const [signer] = message.signers;
  const attributes = [attribute('action', typeUrl)];
  if (signer !== undefined) attributes.push(attribute('sender', addresses.toText(signer)));
  const named = emitted.some((one) => one.attributes.some(({ key }) => key === 'module'));
  if (!named) attributes.push(attribute('module', message.route.moduleName));
  return { type: 'message', attributes };
}

function failed(error: StateError): Part {
  return { error, events: [], responses: [], branch: undefined };
}

/** Running out of gas is reported with how much was wanted and used. */
function explain(error: unknown, gas: GasMeter): StateError {
  if (!(error instanceof OutOfGasError)) return toStateError(error);
  return new StateError(
    sdkErrors.outOfGas,
    `out of gas in location: ${error.location}; gasWanted: ${gas.limit}, gasUsed: ${gas.consumed}`,
  );
}

function outcomeOf(part: Part, gas: GasMeter): TxOutcome {
  const { error, events, responses } = part;
  const data = error === undefined && responses.length > 0 ? encodeData(responses) : EMPTY_BYTES;
  return { error, events, responses, data, gasWanted: gas.limit, gasUsed: BigInt(gas.consumed) };
}

function encodeData(responses: readonly Any[]): Uint8Array {
  return TxMsgData.encode({ data: [], msgResponses: responses });
}

/** The block pays for each transaction once; the one that crosses its limit fails. */
function chargeBlock(outcome: TxOutcome, gas: GasMeter, blockGas: GasMeter | undefined): TxOutcome {
  if (blockGas === undefined) return outcome;
  try {
    blockGas.consume(gas.consumedToLimit, 'block gas meter');
    return outcome;
  } catch (error) {
    const events = outcome.error === undefined ? outcome.events : [];
    return { ...outcomeOf(failed(explain(error, gas)), gas), events };
  }
}
