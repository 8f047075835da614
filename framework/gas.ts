import type { KeyRange, KeyValue, KVReader, KVStore } from '../store/kv.ts';
import { StateError, sdkErrors } from './errors.ts';

/** Gas prices of store access: the SDK's `KVGasConfig` (store/types/gas.go, v0.50). */
export const KV_GAS = {
  has: 1000,
  delete: 1000,
  readFlat: 1000,
  readPerByte: 3,
  writeFlat: 2000,
  writePerByte: 30,
  iterateNext: 30,
} as const;

/** Largest gas limit that a transaction may name: 2^63 − 1. */
export const GAS_LIMIT_MAX: bigint = (1n << 63n) - 1n;

/** What simulation reports as gas wanted: 2^64 − 1, the SDK's limit of an infinite meter. */
export const GAS_UNLIMITED: bigint = (1n << 64n) - 1n;

/** Gas ran out. Thrown from store access, caught where the transaction is run. */
export class OutOfGasError extends StateError {
  /** Where it ran out: `ReadPerByte`, `txSize`, … */
  readonly location: string;

  constructor(location: string) {
    super(sdkErrors.outOfGas, `out of gas in location: ${location}`);
    this.name = 'OutOfGasError';
    this.location = location;
  }
}

/**
 * Counts gas. Consumption is a number: it stays far below 2^53, since a block cannot do that much work; the
 * limit is whatever the transaction said.
 */
export class GasMeter {
  readonly limit: bigint;
  readonly #limit: number;
  #consumed = 0;

  constructor(limit: bigint) {
    this.limit = limit;
    this.#limit = Number(limit);
  }

  /** Gas used so far; may exceed the limit by the last step. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Gas used, at most the limit. */
  get consumedToLimit(): number {
    return Math.min(this.#consumed, this.#limit);
  }

  get exhausted(): boolean {
    return this.#consumed >= this.#limit;
  }

  /** @throws OutOfGasError when that is more than the limit */
  consume(amount: number, location: string): void {
    this.#consumed += amount;
    if (this.#consumed > this.#limit) throw new OutOfGasError(location);
  }
}

/** A meter without limit: genesis, block hooks, simulation, queries. */
export function unlimitedGas(): GasMeter {
  return new GasMeter(GAS_UNLIMITED);
}

/** A substore that charges for each access, as the SDK's `gaskv` does. */
export class GasMeteredReader implements KVReader {
  protected readonly gas: GasMeter;
  readonly #reader: KVReader;

  constructor(reader: KVReader, gas: GasMeter) {
    this.#reader = reader;
    this.gas = gas;
  }

  get(key: Uint8Array, text?: string): Uint8Array | undefined {
    this.gas.consume(KV_GAS.readFlat, 'ReadFlat');
    const value = this.#reader.get(key, text);
    this.gas.consume(KV_GAS.readPerByte * (key.length + (value?.length ?? 0)), 'ReadPerByte');
    return value;
  }

  has(key: Uint8Array, text?: string): boolean {
    this.gas.consume(KV_GAS.has, 'Has');
    return this.#reader.has(key, text);
  }

  /** The first pair is paid for when the iterator opens and again when it moves on: so does `gaskv`. */
  *iterate(range: KeyRange): Generator<KeyValue> {
    let opened = false;
    for (const pair of this.#reader.iterate(range)) {
      if (!opened) this.#consumeSeek(pair);
      opened = true;
      yield pair;
      this.#consumeSeek(pair);
    }
    if (!opened) this.gas.consume(KV_GAS.iterateNext, 'IterNextFlat');
  }

  #consumeSeek([key, value]: KeyValue): void {
    this.gas.consume(KV_GAS.readPerByte * (key.length + value.length), 'ValuePerByte');
    this.gas.consume(KV_GAS.iterateNext, 'IterNextFlat');
  }
}

/** A writable substore that charges for each access. */
export class GasMeteredStore extends GasMeteredReader implements KVStore {
  readonly #store: KVStore;

  constructor(store: KVStore, gas: GasMeter) {
    super(store, gas);
    this.#store = store;
  }

  set(key: Uint8Array, value: Uint8Array, text?: string): void {
    this.gas.consume(KV_GAS.writeFlat, 'WriteFlat');
    this.gas.consume(KV_GAS.writePerByte * (key.length + value.length), 'WritePerByte');
    this.#store.set(key, value, text);
  }

  delete(key: Uint8Array, text?: string): void {
    this.gas.consume(KV_GAS.delete, 'Delete');
    this.#store.delete(key, text);
  }
}
