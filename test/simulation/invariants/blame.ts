import type { Fail, Invariant } from '../facts.ts';

/** Points for being slow: under faults the honest get some, too. */
const SLOW = /in time|timed out|did not answer/;

/** No honest node takes another for a liar, or bans it for whatever reason. */
export function blame(fail: Fail): Invariant {
  return {
    name: 'blame',
    blamed({ by, peer, reason, isBanned }) {
      if (!by.isHonest || !peer.isHonest || (!isBanned && SLOW.test(reason))) return;
      const does = isBanned ? 'bans' : 'holds at fault';
      fail(`${by.name} ${does} ${peer.name}, which is honest: ${reason}`);
    },
  };
}
