import type { Context, ReadContext } from '../../framework/context.ts';
import type { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';

/** Consensus versions by module name. */
export type ModuleVersions = ReadonlyMap<string, number>;

/** What a handler works with. */
export interface UpgradeWork {
  readonly plan: Plan;
  /** Of the modules, as the state was written. */
  readonly from: ModuleVersions;
  /**
   * Brings modules from these versions to those of this program, each step by its migration; modules that are
   * not in `from` get their default genesis. A module that is named with its newest version is left alone.
   * @returns the versions afterwards
   * @throws StateError (sdk 38) when a migration is missing
   */
  migrate(from: ModuleVersions): ModuleVersions;
}

/** A substore that goes on under another name. */
export interface StoreRename {
  readonly from: string;
  readonly to: string;
}

/** An upgrade that this program can carry out: what a plan of its name needs. */
export interface Upgrade {
  /** That of the plan. */
  readonly name: string;
  /** Changes of the list of substores that come with it; the list of the program has them already. */
  readonly stores?: {
    readonly added?: readonly string[];
    readonly deleted?: readonly string[];
    readonly renamed?: readonly StoreRename[];
  };
  /**
   * Changes the state, at the beginning of the block of the plan's height. Default: `migrate(from)`.
   * @returns versions to note
   */
  readonly run?: (context: Context, work: UpgradeWork) => ModuleVersions;
}

/** What an operator is told of upgrades. */
export interface UpgradeNotice {
  readonly kind: 'applied' | 'skipped';
  readonly name: string;
  readonly height: bigint;
  readonly info: string;
}

/** Plans and what was done of them. */
export interface UpgradeView {
  plan(context: ReadContext): Plan | undefined;
  moduleVersions(context: ReadContext): ModuleVersions;
}
