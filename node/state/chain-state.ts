/** What is known of the chain after its last executed block (tendermint.state.State). A value. */
import {
  newValidatorSet,
  incrementProposerPriority,
  updateValidators,
  type ValidatorChange,
} from '../../consensus/proposer.ts';
import { dataBytesMax } from '../../consensus/types/block.ts';
import type { BlockContext } from '../../consensus/types/block-rules.ts';
import { type BlockId, NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import type { Header } from '../../consensus/types/header.ts';
import { BLOCK_PROTOCOL } from '../../consensus/types/limits.ts';
import { type ConsensusParams, updateConsensusParams } from '../../consensus/types/params.ts';
import { publicKeyFromMessage } from '../../consensus/types/public-key.ts';
import { resultsHash } from '../../consensus/types/results.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import {
  EMPTY_VALIDATOR_SET,
  validatorSetFromMessage,
  validatorSetToMessage,
} from '../../consensus/types/validator-set.ts';
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { merkleRoot } from '../../core/merkle.ts';
import type {
  ResponseFinalizeBlock,
  ResponseInitChain,
  ValidatorUpdate,
} from '../../proto/gen/tendermint/abci/types.ts';
import { State as StateMessage } from '../../proto/gen/tendermint/state/types.ts';

/** The state after a block, or the genesis state. */
export interface ChainState {
  readonly chainId: string;
  readonly initialHeight: bigint;
  /** 0n before the first block. */
  readonly lastBlockHeight: bigint;
  readonly lastBlockId: BlockId;
  /** The genesis time before the first block. */
  readonly lastBlockTime: Time;
  /** Who decided the last block. */
  readonly lastValidators: ValidatorSet;
  /** Who decides the next block. */
  readonly validators: ValidatorSet;
  /** Who decides the block after the next one. */
  readonly nextValidators: ValidatorSet;
  readonly lastHeightValidatorsChanged: bigint;
  /** For the next block. */
  readonly consensusParams: ConsensusParams;
  readonly lastHeightConsensusParamsChanged: bigint;
  readonly appHash: Uint8Array;
  readonly lastResultsHash: Uint8Array;
}

/** What a chain begins with. */
export interface Genesis {
  readonly chainId: string;
  readonly genesisTime: Time;
  readonly initialHeight: bigint;
  readonly consensusParams: ConsensusParams;
  /** Empty when the application names them in its answer to InitChain. */
  readonly validators: readonly ValidatorChange[];
  readonly appHash: Uint8Array;
  /** The application's part of the genesis file. */
  readonly appState: Uint8Array;
}

/** The height of the next block. */
export function nextHeightOf(state: ChainState): bigint {
  return state.lastBlockHeight === 0n ? state.initialHeight : state.lastBlockHeight + 1n;
}

/**
 * Bytes that all transactions of the next block may take together, each with its tag and length, when there
 * is no evidence: a larger one fits no block (CometBFT `TxPreCheck`).
 */
export function txRoomOf({ consensusParams, validators }: ChainState): number {
  const blockBytesMax = consensusParams.block.maxBytes;
  return Number(dataBytesMax({ blockBytesMax, evidenceBytes: 0n, validators: validators.validators.length }));
}

/** What the next block must follow from. */
export function contextOf(state: ChainState): BlockContext {
  return { ...state, height: nextHeightOf(state) };
}

/** The state before the first block, and before the application was asked. */
export function genesisState(genesis: Genesis): ChainState {
  return {
    chainId: genesis.chainId,
    initialHeight: genesis.initialHeight,
    lastBlockHeight: 0n,
    lastBlockId: NIL_BLOCK_ID,
    lastBlockTime: genesis.genesisTime,
    lastValidators: EMPTY_VALIDATOR_SET,
    ...firstValidators(genesis.validators),
    lastHeightValidatorsChanged: genesis.initialHeight,
    consensusParams: genesis.consensusParams,
    lastHeightConsensusParamsChanged: genesis.initialHeight,
    appHash: genesis.appHash,
    lastResultsHash: merkleRoot([]),
  };
}

/**
 * The genesis state with what the application answered to InitChain.
 * @throws LedgerError `state.no_validators` when neither names a validator
 */
export function afterInitChain(state: ChainState, response: ResponseInitChain): ChainState {
  const consensusParams = updateConsensusParams(state.consensusParams, response.consensusParams);
  const changes = validatorChanges(response.validators, consensusParams);
  const sets = changes.length === 0 ? {} : firstValidators(changes);
  const next = { ...state, ...sets, consensusParams };
  if (next.validators.validators.length === 0) {
    throw new LedgerError(
      'state.no_validators',
      'neither the genesis file nor the application names a validator',
    );
  }
  return response.appHash.length === 0 ? next : { ...next, appHash: response.appHash };
}

function firstValidators(
  changes: readonly ValidatorChange[],
): Pick<ChainState, 'validators' | 'nextValidators'> {
  const validators = newValidatorSet(changes);
  const isEmpty = validators.validators.length === 0;
  return { validators, nextValidators: isEmpty ? validators : incrementProposerPriority(validators, 1) };
}

/**
 * The state after a block, from what the application answered. Changes of validators come into force two
 * heights later, changes of parameters at the next height.
 * @throws LedgerError when the application's updates are not valid: a bug of the application, the node must
 * stop
 */
export function afterBlock(
  state: ChainState,
  block: { readonly header: Header; readonly blockId: BlockId },
  response: ResponseFinalizeBlock,
): ChainState {
  const { height, time } = block.header;
  const consensusParams = updateConsensusParams(state.consensusParams, response.consensusParamUpdates);
  const changes = validatorChanges(response.validatorUpdates, state.consensusParams);
  return {
    chainId: state.chainId,
    initialHeight: state.initialHeight,
    lastBlockHeight: height,
    lastBlockId: block.blockId,
    lastBlockTime: time,
    lastValidators: state.validators,
    validators: state.nextValidators,
    nextValidators: incrementProposerPriority(updateValidators(state.nextValidators, changes), 1),
    lastHeightValidatorsChanged: changes.length > 0 ? height + 2n : state.lastHeightValidatorsChanged,
    consensusParams,
    lastHeightConsensusParamsChanged:
      response.consensusParamUpdates === undefined ? state.lastHeightConsensusParamsChanged : height + 1n,
    appHash: response.appHash,
    lastResultsHash: resultsHash(response.txResults),
  };
}

/**
 * The application's validator updates as changes of the set.
 * @throws LedgerError `state.validator_update` for a key type that the parameters do not allow or a
 * negative power
 */
export function validatorChanges(
  updates: readonly ValidatorUpdate[],
  params: ConsensusParams,
): readonly ValidatorChange[] {
  return updates.map(({ pubKey, power }) => {
    const publicKey = publicKeyFromMessage(pubKey);
    const allowed = power === 0n || params.validator.pubKeyTypes.includes(publicKey.type);
    if (power < 0n || !allowed) {
      throw new LedgerError(
        'state.validator_update',
        'the application returned an impossible validator update',
        {
          power,
          keyType: publicKey.type,
        },
      );
    }
    return { publicKey, votingPower: power };
  });
}

/** Encodes a state. */
export function encodeState(state: ChainState): Uint8Array {
  return StateMessage.encode({
    version: { consensus: { block: BLOCK_PROTOCOL, app: state.consensusParams.version.app }, software: '' },
    chainId: state.chainId,
    initialHeight: state.initialHeight,
    lastBlockHeight: state.lastBlockHeight,
    lastBlockId: state.lastBlockId,
    lastBlockTime: state.lastBlockTime,
    lastValidators: validatorSetToMessage(state.lastValidators),
    validators: validatorSetToMessage(state.validators),
    nextValidators: validatorSetToMessage(state.nextValidators),
    lastHeightValidatorsChanged: state.lastHeightValidatorsChanged,
    consensusParams: state.consensusParams,
    lastHeightConsensusParamsChanged: state.lastHeightConsensusParamsChanged,
    appHash: state.appHash,
    lastResultsHash: state.lastResultsHash,
  });
}

/** @throws DecodeError when the bytes are not a state that `encodeState` wrote */
export function decodeState(bytes: Uint8Array): ChainState {
  const message = StateMessage.decode(bytes);
  return {
    chainId: message.chainId,
    initialHeight: message.initialHeight,
    lastBlockHeight: message.lastBlockHeight,
    lastBlockId: message.lastBlockId,
    lastBlockTime: message.lastBlockTime,
    lastValidators: setOf(message.lastValidators),
    validators: setOf(message.validators),
    nextValidators: setOf(message.nextValidators),
    lastHeightValidatorsChanged: message.lastHeightValidatorsChanged,
    consensusParams: paramsOf(message),
    lastHeightConsensusParamsChanged: message.lastHeightConsensusParamsChanged,
    appHash: message.appHash,
    lastResultsHash: message.lastResultsHash,
  };
}

function setOf(message: StateMessage['validators']): ValidatorSet {
  return message === undefined ? EMPTY_VALIDATOR_SET : validatorSetFromMessage(message);
}

function paramsOf({ consensusParams }: StateMessage): ConsensusParams {
  const { block, evidence, validator, version, abci } = consensusParams;
  if (!block || !evidence || !validator || !version || !abci) {
    throw new DecodeError('state: consensus parameters are incomplete');
  }
  return { block, evidence, validator, version, abci };
}
