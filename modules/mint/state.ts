import { type Item, Schema } from '../../framework/collections.ts';
import { memoized } from '../../framework/values.ts';
import type { Minter, MintParams } from './types.ts';
import { minterValue, paramsValue } from './wire.ts';

/** Store and module account of mint. */
export const STORE_NAME = 'mint';

/** Collections of mint, at the SDK's prefixes (x/mint/types/keys.go). */
export interface MintState {
  readonly minter: Item<Minter>;
  readonly params: Item<MintParams>;
}

/** Declares the collections. */
export function mintState(): MintState {
  const schema = new Schema(STORE_NAME);
  return {
    minter: schema.item({ prefix: Uint8Array.of(0), name: 'minter', value: minterValue }),
    params: schema.item({ prefix: Uint8Array.of(1), name: 'params', value: memoized(paramsValue) }),
  };
}
