import { blockValue, type Fail, type Invariant } from '../facts.ts';

/** No honest validator stands up for a block that an adversary has forged, and no honest node takes it. */
export function badBlocks(fail: Fail): Invariant {
  const forged = new Map<string, string>();
  return {
    name: 'bad blocks are refused',
    forged({ value, what }) {
      forged.set(value, what);
    },
    signed({ subject, type, height, round, value }) {
      const what = forged.get(value);
      if (subject.isHonest && what !== undefined)
        fail(`${subject.name} signs a ${type} at ${height}/${round} for a block that is wrong: ${what}`);
    },
    committed({ subject, committed: { height, blockId } }) {
      const what = forged.get(blockValue(blockId));
      if (what !== undefined) fail(`${subject.name} commits block ${height}, which is wrong: ${what}`);
    },
  };
}
