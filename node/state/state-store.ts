/**
 * The chain state on disk: the state after the last block, and by height the validators, the consensus
 * parameters and the results of blocks. Written once per block in one synced batch.
 */
import { encodeConsensusParams } from '../../consensus/types/params.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { decodeValidatorSet, encodeValidatorSet } from '../../consensus/types/validator-set.ts';
import { concatBytes, equalBytes, fromUint64BigEndian, uint64BigEndian, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { ExecTxResult, ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { ConsensusParams as ConsensusParamsMessage } from '../../proto/gen/tendermint/types/params.ts';
import { openChecked } from '../checked-database.ts';
import { isOfRecords, SYNC_AGAIN } from '../checksum.ts';
import { type Database, type OpenDatabase, openLevelDatabase } from '../database.ts';
import { type ChainState, decodeState, encodeState, nextHeightOf } from './chain-state.ts';
import {
  decodeResult,
  decodeResults,
  decodeResultsHead,
  encodeResults,
  encodeResultsHead,
  RESULTS_PER_RECORD,
} from './results-record.ts';

const FORMAT_KEY = utf8('format');
const STATE_KEY = utf8('state');
const BASE_KEY = utf8('base');
const VALIDATORS = utf8('V');
const PARAMS = utf8('C');
const RESULTS = utf8('R');
/** Results of transactions: `T`, height, number of the record in four bytes. */
const TX_RESULTS = utf8('T');
/** How this store is laid out; 1 kept the results of a block in one record. */
const FORMAT = Uint8Array.of(2);
/** Heights deleted in one batch when pruning. */
const PRUNE_BATCH_HEIGHTS = 100n;

const keyOf = (kind: Uint8Array, height: bigint): Uint8Array => concatBytes(kind, uint64BigEndian(height));

function hasThisFormat(database: Database): boolean {
  const format = database.getSync(FORMAT_KEY);
  return format === undefined ? database.getSync(STATE_KEY) === undefined : equalBytes(format, FORMAT);
}

/** Key of the record that begins with that transaction's result. */
function txResultsKey(height: bigint, start: number): Uint8Array {
  const record = new Uint8Array(4);
  new DataView(record.buffer).setUint32(0, start / RESULTS_PER_RECORD);
  return concatBytes(TX_RESULTS, uint64BigEndian(height), record);
}

/** A node's chain state store. One writer. */
export class StateStore {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Opens or makes the store in a directory of its own.
   * @throws LedgerError `state.open` when another process has it or its files are damaged, `state.format` when
   * another version of the program wrote it, `database.format` and `database.corrupt`: see `node/checksum.ts`.
   * Every method throws the latter
   */
  static async open(directory: string, openDatabase: OpenDatabase = openLevelDatabase): Promise<StateStore> {
    const place = { directory, repair: SYNC_AGAIN, witnesses: [STATE_KEY, FORMAT_KEY] };
    let database: Database;
    try {
      database = await openChecked(place, openDatabase);
    } catch (cause) {
      if (isOfRecords(cause)) throw cause;
      const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
      throw new LedgerError(
        'state.open',
        `cannot open the state store ${directory}: ${messageOf(inner)}. Is another node running on this home? If its ` +
          'files are damaged, restore them from a copy, or delete all in the data directory but ' +
          'priv_validator_state.json and sync again.',
        { directory },
        cause,
      );
    }
    let isReadable = false;
    try {
      isReadable = hasThisFormat(database);
    } finally {
      if (!isReadable) await database.close();
    }
    if (isReadable) return new StateStore(database);
    throw new LedgerError(
      'state.format',
      `the state store ${directory} was written by another version of this program, in another format: run that ` +
        'version on it, or delete all in the data directory but priv_validator_state.json and sync again',
      { directory },
    );
  }

  /** The state after the last executed block; undefined in a new store. */
  load(): ChainState | undefined {
    return this.#read(STATE_KEY, decodeState);
  }

  /** Writes the state durably, with validators and parameters of the heights that it newly knows about. */
  async save(state: ChainState): Promise<void> {
    const next = nextHeightOf(state);
    const batch = this.#database.batch();
    batch.put(FORMAT_KEY, FORMAT);
    batch.put(STATE_KEY, encodeState(state));
    if (state.lastBlockHeight === 0n) {
      batch.put(keyOf(VALIDATORS, next), encodeValidatorSet(state.validators));
      batch.put(BASE_KEY, uint64BigEndian(next));
    }
    batch.put(keyOf(VALIDATORS, next + 1n), encodeValidatorSet(state.nextValidators));
    batch.put(keyOf(PARAMS, next), encodeConsensusParams(state.consensusParams));
    await batch.write({ sync: true });
  }

  /** Writes the first state of a node that begins with a snapshot, durably. */
  async bootstrap(state: ChainState): Promise<void> {
    const last = state.lastBlockHeight;
    const batch = this.#database.batch();
    batch.put(FORMAT_KEY, FORMAT);
    batch.put(STATE_KEY, encodeState(state));
    batch.put(keyOf(VALIDATORS, last), encodeValidatorSet(state.lastValidators));
    batch.put(keyOf(VALIDATORS, last + 1n), encodeValidatorSet(state.validators));
    batch.put(keyOf(VALIDATORS, last + 2n), encodeValidatorSet(state.nextValidators));
    batch.put(keyOf(PARAMS, last + 1n), encodeConsensusParams(state.consensusParams));
    batch.put(BASE_KEY, uint64BigEndian(last));
    await batch.write({ sync: true });
  }

  /** Writes who decided the height below all that are here. Durable with the next `sync`. */
  async saveOlderValidators(height: bigint, validators: ValidatorSet): Promise<void> {
    const batch = this.#database.batch();
    batch.put(keyOf(VALIDATORS, height), encodeValidatorSet(validators));
    batch.put(BASE_KEY, uint64BigEndian(height));
    await batch.write();
  }

  /** Resolves when all that was written is durable. */
  async sync(): Promise<void> {
    const batch = this.#database.batch();
    batch.put(FORMAT_KEY, FORMAT);
    await batch.write({ sync: true });
  }

  /** Writes the results of a block durably, before the application commits it. */
  async saveResults(height: bigint, results: ResponseFinalizeBlock): Promise<void> {
    const batch = this.#database.batch();
    batch.put(keyOf(RESULTS, height), encodeResultsHead(results));
    const { txResults } = results;
    for (let start = 0; start < txResults.length; start += RESULTS_PER_RECORD) {
      const record = encodeResults(txResults.slice(start, start + RESULTS_PER_RECORD));
      batch.put(txResultsKey(height, start), record);
    }
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
    const head = this.#read(keyOf(RESULTS, height), decodeResultsHead);
    if (head === undefined) return undefined;
    const txResults: ExecTxResult[] = [];
    for (let start = 0; start < head.txCount; start += RESULTS_PER_RECORD) {
      txResults.push(...(this.#read(txResultsKey(height, start), decodeResults) ?? []));
    }
    return { ...head.results, txResults };
  }

  /** What the application answered to one transaction of a block, read without the others. */
  txResult(height: bigint, index: number): ExecTxResult | undefined {
    const start = index - (index % RESULTS_PER_RECORD);
    return this.#read(txResultsKey(height, start), (bytes) => decodeResult(bytes, index - start));
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
        const { txCount } = this.#read(keyOf(RESULTS, base), decodeResultsHead) ?? { txCount: 0 };
        for (let start = 0; start < txCount; start += RESULTS_PER_RECORD)
          batch.del(txResultsKey(base, start));
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
