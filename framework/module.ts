import type { ValidatorUpdate } from '../proto/gen/tendermint/abci/types.ts';
import type { AnyType } from './any-types.ts';
import type { Context, ReadContext } from './context.ts';
import type { JsonReader, JsonValue } from './json.ts';
import type { MessageRoute } from './message.ts';
import type { QueryRoute } from './query.ts';

/** A statement about the whole state that must hold after every block. */
export interface Invariant {
  /** Unique within the module: `total-supply`. */
  readonly name: string;
  /** What is wrong, for a person; undefined when it holds. */
  check(context: ReadContext): string | undefined;
}

/** A module's part of the genesis document: `app_state.<module name>`. */
export interface GenesisHandler {
  /** What a chain gets that says nothing about the module. */
  defaults(): JsonValue;
  /**
   * Checks without state.
   * @throws LedgerError `genesis` naming the path in the document
   */
  validate(json: JsonReader): void;
  /** Writes the first state. Runs once, in the order of the module list, after `validate`. */
  init(context: Context, json: JsonReader): readonly ValidatorUpdate[];
  /** The state as a genesis section that `init` would restore. */
  export(context: ReadContext): JsonValue;
}

/**
 * A module, as the application sees it. Hooks run at block boundaries on every node: they must not throw for
 * anything that a user can cause, and their work must not grow with what users create.
 */
export interface Module {
  /** Name in the genesis document, in events and for its module account. */
  readonly name: string;
  /** Raised by one with each change of its state layout; upgrades migrate. */
  readonly consensusVersion: number;
  /** Substores that it owns, usually one of its own name. */
  readonly storeNames: readonly string[];
  readonly messages: readonly MessageRoute[];
  readonly queries: readonly QueryRoute[];
  /** Types besides its messages that an `Any` in a transaction or in state may hold. */
  readonly anyTypes?: readonly AnyType[];
  readonly genesis: GenesisHandler | undefined;
  /** By the version that they begin from: each brings the module's state to the next one, in an upgrade. */
  readonly migrations?: ReadonlyMap<number, (context: Context) => void>;
  /** Before all begin-block hooks. Only upgrade has one: it may stop the node. */
  readonly preBlock?: (context: Context) => void;
  readonly beginBlock?: (context: Context) => void;
  /** Validators whose power changes with the block after next. */
  readonly endBlock?: (context: Context) => readonly ValidatorUpdate[];
  readonly invariants: readonly Invariant[];
}

/** What the account of a module may do with coins. */
export type ModulePermission = 'minter' | 'burner' | 'staking';

/** An account that belongs to a module. Users cannot send to it unless `receivesFunds`. */
export interface ModuleAccountSpec {
  readonly name: string;
  readonly permissions: readonly ModulePermission[];
  /** Default false: blocked as a recipient of MsgSend. */
  readonly receivesFunds?: boolean;
}
