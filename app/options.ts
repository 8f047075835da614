import type { FeeChecker } from '../framework/gas-price.ts';
import type { Module } from '../framework/module.ts';
import type { SignatureVerifier } from '../framework/tx/signature.ts';
import type { CommitMultiStore } from '../store/kv.ts';
import type { SendRestriction } from '../modules/bank/types.ts';
import type { Upgrade, UpgradeNotice } from '../modules/upgrade/types.ts';
import type { BlockRetention } from './retention.ts';

/**
 * How the application is set up. All of it is configuration; only `chainId`, `prefix`, modules,
 * restrictions and upgrades must be equal on all nodes.
 */
export interface AppOptions {
  /** Opened with `storeNames`; for a chain that begins at a later height, with that as first version. */
  readonly store: CommitMultiStore;
  readonly chainId: string;
  /** Bech32 prefix of addresses. */
  readonly prefix: string;
  readonly verifier: SignatureVerifier;
  /** Lowest gas prices that CheckTx takes, such as `0.025uopen`. Default none. */
  readonly minGasPrices?: string;
  /** What transactions pay, instead of that: equal on all nodes, where it decides in blocks. */
  readonly checkFee?: FeeChecker;
  /** Which blocks the node has to keep. Default: all. */
  readonly retention?: BlockRetention;
  /** Modules besides this program's own. Default: none. */
  readonly furtherModules?: readonly Module[];
  /** Rules about transfers: equal on all nodes. Default: none. */
  readonly sendRestrictions?: readonly SendRestriction[];
  /** What plans of governance can carry out. Default: `UPGRADES`. */
  readonly upgrades?: readonly Upgrade[];
  /** Heights whose upgrades are passed over. */
  readonly skipUpgrades?: readonly bigint[];
  /** Told of upgrades when a block carries one out, or passes it over: each time that it is executed. */
  readonly onUpgrade?: (notice: UpgradeNotice) => void;
  /** Reported by `info` and `/app/version`. */
  readonly version?: string;
  /** Largest transaction that CheckTx takes, in bytes. Default 1 MiB. */
  readonly txBytesMax?: number;
  /** Memory for decoded transactions, in bytes. Default 128 MiB: 33,000 transfers. */
  readonly decodedTxsBytesMax?: number;
  /** Gas that a query may use. Default 100,000,000. */
  readonly queryGasMax?: bigint;
}
