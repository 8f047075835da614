import { toHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { Fail, Invariant } from '../facts.ts';

/** A transaction takes effect once on the chain, and every node commits every height once and in order. */
export function once(fail: Fail): Invariant {
  const succeeded = new Map<string, bigint>();
  const heights = new Map<string, bigint>();
  return {
    name: 'once',
    started({ subject, height }) {
      // What was being committed when it ended was finished before anybody could be told.
      const last = heights.get(subject.name) ?? 0n;
      if (height < last && subject.isEmptied !== true)
        fail(`${subject.name} had committed height ${last} and starts at ${height}`);
      heights.set(subject.name, height);
    },
    committed({ subject, committed: { height, block, results } }) {
      const last = heights.get(subject.name);
      if (last !== undefined && height !== last + 1n) {
        fail(`${subject.name} commits height ${height} after height ${last}`);
      }
      heights.set(subject.name, height);
      block.txs.forEach((tx, index) => {
        if (results.txResults[index]?.code !== 0) return;
        const hash = toHex(sha256(tx));
        const before = succeeded.get(hash);
        if (before !== undefined && before !== height) {
          fail(`transaction ${hash.slice(0, 12)} took effect at heights ${before} and ${height}`);
        }
        succeeded.set(hash, height);
      });
    },
  };
}
