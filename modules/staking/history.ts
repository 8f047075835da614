/** Past headers with the sets that signed them, for light clients of other chains. */
import { compareBytes } from '../../core/bytes.ts';
import type { Context } from '../../framework/context.ts';
import { Header } from '../../proto/gen/tendermint/types/types.ts';
import type { StakingCore } from './ports.ts';
import { powerOf } from './shares.ts';
import type { Validator } from './types.ts';
import { lastValidators } from './valset.ts';
import type { StakingWire } from './wire.ts';

/** Most entries that one block prunes: when the parameter is lowered, the rest goes in the blocks after. */
export const PRUNED_PER_BLOCK_MAX = 100;

/** Writes this block's entry and removes those that are too old, the oldest first. */
export function trackHistory(k: StakingCore, wire: StakingWire, context: Context): void {
  const { historicalEntries } = k.state.params.require(context);
  const { height, chainId, time, proposerAddress, nextValidatorsHash, appHash } = context.block;
  const kept = height - BigInt(historicalEntries) + 1n;
  const old: bigint[] = [];
  if (kept > 0n)
    for (const [at] of k.state.history.iterate(context, { end: kept })) {
      if (old.length >= PRUNED_PER_BLOCK_MAX) break;
      old.push(at);
    }
  for (const at of old) k.state.history.remove(context, at);
  if (historicalEntries === 0) return;
  const header = Header.create({ chainId, height, time, proposerAddress, nextValidatorsHash, appHash });
  const valset = lastValidators(k, context).toSorted(byPower).map(wire.validator);
  k.state.history.set(context, height, { header, valset });
}

/** CometBFT's order of a set. */
function byPower(a: Validator, b: Validator): number {
  const [x, y] = [powerOf(a), powerOf(b)];
  if (x !== y) return x > y ? -1 : 1;
  return compareBytes(a.consensusKey.address, b.consensusKey.address);
}
