import { toHex } from '../../../core/bytes.ts';
import { type Fail, type Invariant, blockValue } from '../facts.ts';

/** No two nodes have different blocks, or different states after a block, at one height. */
export function agreement(fail: Fail): Invariant {
  const decided = new Map<
    bigint,
    { readonly value: string; readonly appHash: string; readonly by: string }
  >();
  return {
    name: 'agreement',
    started({ subject, height, appHash }) {
      const first = decided.get(height);
      if (first !== undefined && first.appHash !== appHash) {
        const theirs = `${first.by} had ${first.appHash.slice(0, 12)}`;
        fail(`${subject.name} starts at height ${height} with app hash ${appHash.slice(0, 12)}, ${theirs}`);
      }
    },
    committed({ subject, committed: { height, blockId, results } }) {
      const mine = { value: blockValue(blockId), appHash: toHex(results.appHash), by: subject.name };
      const first = decided.get(height);
      if (first === undefined) decided.set(height, mine);
      else if (first.value !== mine.value) {
        fail(
          `${mine.by} decided ${mine.value.slice(0, 12)} at height ${height}, ${first.by} ${first.value.slice(0, 12)}`,
        );
      } else if (first.appHash !== mine.appHash) {
        fail(
          `${mine.by} has app hash ${mine.appHash.slice(0, 12)} after ${height}, ${first.by} ${first.appHash.slice(0, 12)}`,
        );
      }
    },
  };
}
