import type { Fail, Invariant } from '../facts.ts';

/** Points for being slow: under faults the honest get them, too. */
const SLOW = /in time|timed out|did not answer/;

/** No honest node takes another for a liar. */
export function blame(fail: Fail): Invariant {
  return {
    name: 'blame',
    blamed({ by, peer, reason }) {
      if (by.isHonest && peer.isHonest && !SLOW.test(reason)) {
        fail(`${by.name} holds ${peer.name} at fault, which is honest: ${reason}`);
      }
    },
  };
}
