import type { AddressCodec } from '../../framework/address.ts';
import type { Module } from '../../framework/module.ts';
import type { UpgradeState } from './state.ts';
import type { Upgrade, UpgradeNotice } from './types.ts';

/** What this program can do, and what its operator wants. */
export interface UpgradeSettings {
  /**
   * Each with a name of its own. Those of the past stay: the last one shows that the program is new enough.
   */
  readonly upgrades?: readonly Upgrade[];
  /** Heights whose plans are passed over (`--unsafe-skip-upgrades`). */
  readonly skipHeights?: readonly bigint[];
  /** Told of what was done with a plan. */
  readonly notify?: (notice: UpgradeNotice) => void;
}

/** What upgrade needs from the rest of the application. */
export interface UpgradePorts extends UpgradeSettings {
  readonly addresses: AddressCodec;
  /** Known once all are made. */
  readonly modules: () => readonly Module[];
}

/** What the rules of upgrade work with. */
export interface UpgradeCore extends UpgradePorts {
  readonly state: UpgradeState;
}
