import { expect, test } from 'vitest';
import type { EpochChain } from './chain.ts';
import { neighboursHold } from './lane.ts';
import type { Receipt } from './leaves.ts';

const channel = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** Lane 1 of channel 1 was claimed from 10 to 50, lanes 2 of channels 1 and 2 from 0 to 5. */
const chain: Pick<EpochChain, 'lane'> = {
  lane(id, lane) {
    if (lane === 1 && id[0] === 1) return { from: 10n, to: 50n };
    return lane === 2 && (id[0] ?? 0) <= 2 ? { from: 0n, to: 5n } : undefined;
  },
};

function receipt(of: number, lane: number, before: bigint, after: bigint): Receipt {
  return {
    channel: channel(of),
    lane,
    before,
    after,
    modelId: 1n,
    tokensIn: 0,
    tokensOut: 0,
    requestHash: channel(0),
    responseHash: channel(0),
    attribution: channel(0),
    parts: { platform: after - before, model: 0n, stakers: 0n, contributors: 0n },
  };
}

test.each([
  ['follow each other', receipt(1, 1, 10n, 30n), receipt(1, 1, 30n, 50n), true],
  ['leave a gap', receipt(1, 1, 10n, 30n), receipt(1, 1, 31n, 50n), false],
  ['overlap', receipt(1, 1, 10n, 30n), receipt(1, 1, 29n, 50n), false],
  ['are one twice', receipt(1, 1, 10n, 30n), receipt(1, 1, 10n, 30n), false],
  ['end a lane and begin the next', receipt(1, 1, 30n, 50n), receipt(1, 2, 0n, 5n), true],
  ['end a lane early', receipt(1, 1, 30n, 49n), receipt(1, 2, 0n, 5n), false],
  ['end a lane late', receipt(1, 1, 30n, 51n), receipt(1, 2, 0n, 5n), false],
  ['begin a lane late', receipt(1, 1, 30n, 50n), receipt(1, 2, 1n, 5n), false],
  ['end a channel and begin the next', receipt(1, 2, 0n, 5n), receipt(2, 2, 0n, 5n), true],
  ['are of lanes that fall', receipt(1, 2, 0n, 5n), receipt(1, 1, 10n, 30n), false],
  ['are of channels that fall', receipt(2, 2, 0n, 5n), receipt(1, 2, 0n, 5n), false],
  ['begin a lane of which nothing was claimed', receipt(1, 2, 0n, 5n), receipt(3, 2, 0n, 5n), false],
  ['begin at the beginning', undefined, receipt(1, 1, 10n, 30n), true],
  ['begin behind the beginning', undefined, receipt(1, 1, 11n, 30n), false],
  ['end at the end', receipt(2, 2, 0n, 5n), undefined, true],
  ['end before the end', receipt(2, 2, 0n, 4n), undefined, false],
])('neighbours that %s', (_, before, after, holds) => {
  expect(neighboursHold(chain, before, after)).toBe(holds);
});
