import { type Item, Schema, type StateMap } from '../../framework/collections.ts';
import { addressKey } from '../../framework/keys.ts';
import { bytesValue, memoized } from '../../framework/values.ts';
import { ValidatorSigningInfo } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import { bitmapKey, type Bitmaps } from './bitmap.ts';
import { paramsValue } from './params.ts';
import type { SlashingParams } from './types.ts';

/** Store of slashing. */
export const STORE_NAME = 'slashing';

/** Collections of slashing, at the SDK's prefixes (x/slashing/types/keys.go). */
export interface SlashingState {
  readonly params: Item<SlashingParams>;
  /** By consensus address. */
  readonly signingInfos: StateMap<Uint8Array, ValidatorSigningInfo>;
  readonly bitmaps: Bitmaps;
  /** Consensus keys of validators, by their addresses. */
  readonly publicKeys: StateMap<Uint8Array, Any>;
}

/** Declares the collections. */
export function slashingState(): SlashingState {
  const schema = new Schema(STORE_NAME);
  const at = (byte: number, name: string): { readonly prefix: Uint8Array; readonly name: string } => ({
    prefix: Uint8Array.of(byte),
    name,
  });
  return {
    params: schema.item({ ...at(0, 'params'), value: memoized(paramsValue) }),
    signingInfos: schema.map({ ...at(1, 'signing_infos'), key: addressKey, value: ValidatorSigningInfo }),
    bitmaps: schema.map({ ...at(2, 'missed_blocks'), key: bitmapKey, value: bytesValue }),
    publicKeys: schema.map({ ...at(3, 'public_keys'), key: addressKey, value: Any }),
  };
}
