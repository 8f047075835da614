import { utf8 } from '../../core/bytes.ts';
import { type Item, Schema, type StateMap } from '../../framework/collections.ts';
import { type Pair, pairKey, stringKey, uint64Key } from '../../framework/keys.ts';
import { bytesValue, uint64Value } from '../../framework/values.ts';
import { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';

/** Store of upgrade. */
export const STORE_NAME = 'upgrade';

/** Collections of upgrade, at the SDK's prefixes (x/upgrade/types/keys.go). */
export interface UpgradeState {
  readonly plan: Item<Plan>;
  /** By height and name; the value is a byte 1. */
  readonly done: StateMap<Pair<bigint, string>, Uint8Array>;
  /** Consensus versions by module. */
  readonly versions: StateMap<string, bigint>;
  /** Upgrades so far. */
  readonly protocolVersion: Item<bigint>;
  /**
   * By `<height>/upgradedClient` and `<height>/upgradedConsState`: for chains that follow this one by IBC.
   */
  readonly upgradedIbcState: StateMap<string, Uint8Array>;
}

/** Declares the collections. */
export function upgradeState(): UpgradeState {
  const schema = new Schema(STORE_NAME);
  const at = (byte: number, name: string): { readonly prefix: Uint8Array; readonly name: string } => ({
    prefix: Uint8Array.of(byte),
    name,
  });
  return {
    plan: schema.item({ ...at(0, 'plan'), value: Plan }),
    done: schema.map({ ...at(1, 'done'), key: pairKey(uint64Key, stringKey), value: bytesValue }),
    versions: schema.map({ ...at(2, 'module_versions'), key: stringKey, value: uint64Value }),
    protocolVersion: schema.item({ ...at(3, 'protocol_version'), value: uint64Value }),
    upgradedIbcState: schema.map({
      prefix: utf8('upgradedIBCState/'),
      name: 'upgraded_ibc_state',
      key: stringKey,
      value: bytesValue,
    }),
  };
}
