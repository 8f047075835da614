import type { Fail, Invariant } from '../facts.ts';

/** Points for being slow, and for asking for addresses again after a restart: the honest get some, too. */
const SLOW = /in time|timed out|did not answer|asked for addresses too often/;

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
