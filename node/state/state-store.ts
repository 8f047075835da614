/**
 * The chain state on disk: the state after the last block, and by height the validators, the consensus
 * parameters and the results of blocks. Written once per block in one synced batch.
 */
import { encodeConsensusParams } from '../../consensus/types/params.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { decodeValidatorSet, encodeValidatorSet } from '../../consensus/types/validator-set.ts';
import { concatBytes, fromUint64BigEndian, uint64BigEndian, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { ConsensusParams as ConsensusParamsMessage } from '../../proto/gen/tendermint/types/params.ts';
import { type Database, type OpenDatabase, openLevelDatabase } from '../database.ts';
import { type ChainState, decodeState, encodeState, nextHeightOf } from './chain-state.ts';

const STATE_KEY = utf8('state');
const BASE_KEY = utf8('base');
const VALIDATORS = utf8('V');
const PARAMS = utf8('C');
const RESULTS = utf8('R');
/** Heights deleted in one batch when pruning. */
const PRUNE_BATCH_HEIGHTS = 100n;

const keyOf = (kind: Uint8Array, height: bigint): Uint8Array => concatBytes(kind, uint64BigEndian(height));

/** A node's chain state store. One writer. */
export class StateStore {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Opens or makes the store in a directory of its own.
   * @throws LedgerError `state.open` when another process has it or its files are damaged
   */
  static async open(directory: string, openDatabase: OpenDatabase = openLevelDatabase): Promise<StateStore> {
    try {
      return new StateStore(await openDatabase(directory));
    } catch (cause) {
      const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
      throw new LedgerError(
        'state.open',
        `cannot open the state store ${directory}: ${messageOf(inner)}. Is another node running on this home? If its ` +
          'files are damaged, restore them from a copy, or delete the data directory and sync again.',
        { directory },
        cause,
      );
    }
  }

  /** The state after the last executed block; undefined in a new store. */
  load(): ChainState | undefined {
    return this.#read(STATE_KEY, decodeState);
  }

  /** Writes the state durably, with validators and parameters of the heights that it newly knows about. */
  async save(state: ChainState): Promise<void> {
    const next = nextHeightOf(state);
    const batch = this.#database.batch();
    batch.put(STATE_KEY, encodeState(state));
    if (state.lastBlockHeight === 0n) {
      batch.put(keyOf(VALIDATORS, next), encodeValidatorSet(state.validators));
      batch.put(BASE_KEY, uint64BigEndian(next));
    }
    batch.put(keyOf(VALIDATORS, next + 1n), encodeValidatorSet(state.nextValidators));
    batch.put(keyOf(PARAMS, next), encodeConsensusParams(state.consensusParams));
    await batch.write({ sync: true });
  }

  /** Writes the results of a block durably, before the application commits it. */
  async saveResults(height: bigint, results: ResponseFinalizeBlock): Promise<void> {
    const batch = this.#database.batch();
    batch.put(keyOf(RESULTS, height), ResponseFinalizeBlock.encode(results));
    await batch.write({ sync: true });
  }

  /** Who decides that height; known for heights up to the one after the next. */
  validators(height: bigint): ValidatorSet | undefined {
    return this.#read(keyOf(VALIDATORS, height), decodeValidatorSet);
  }

  /** The parameters for the block of that height. */
  consensusParams(height: bigint): ConsensusParamsMessage | undefined {
    return this.#read(keyOf(PARAMS, height), (bytes) => ConsensusParamsMessage.decode(bytes));
  }

  /** What the application answered to the block of that height. */
  results(height: bigint): ResponseFinalizeBlock | undefined {
    return this.#read(keyOf(RESULTS, height), (bytes) => ResponseFinalizeBlock.decode(bytes));
  }

  /** Deletes what belongs to heights below; never what the last state needs. */
  async prune(retainHeight: bigint): Promise<void> {
    const last = this.load()?.lastBlockHeight ?? 0n;
    const end = retainHeight < last ? retainHeight : last;
    const stored = this.#database.getSync(BASE_KEY);
    let base = stored === undefined ? 0n : fromUint64BigEndian(stored);
    while (base !== 0n && base < end) {
      const batch = this.#database.batch();
      const batchEnd = base + PRUNE_BATCH_HEIGHTS < end ? base + PRUNE_BATCH_HEIGHTS : end;
      for (; base < batchEnd; base++) {
        for (const kind of [VALIDATORS, PARAMS, RESULTS]) batch.del(keyOf(kind, base));
      }
      batch.put(BASE_KEY, uint64BigEndian(base));
      await batch.write();
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #read<T>(key: Uint8Array, decode: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.#database.getSync(key);
    if (bytes === undefined) return undefined;
    try {
      return decode(bytes);
    } catch (cause) {
      throw new LedgerError(
        'state.corrupt',
        `the state store holds bytes that cannot be read (${messageOf(cause)}); restore the data directory from a copy, ` +
          'or delete it and sync again',
        {},
        cause,
      );
    }
  }
}
