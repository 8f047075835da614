/** Requests for leaves are for runs of them: one name, and gas for each leaf. */
import { beforeEach, expect, test } from 'vitest';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import { SHARD_TREES } from '../../modules/attribution/proof/kinds.ts';
import { publishIndexOk, shardOf } from '../support/attribution-world.ts';
import { deliver, deliverOk } from '../support/economic-loop.ts';
import {
  asking,
  askOk,
  begin,
  expectRefused,
  expectWhole,
  leafAt,
  LONG,
  loop,
  pieceOf,
  serving,
} from '../support/request-world.ts';

beforeEach(() => {
  begin(LONG);
  publishIndexOk(loop, loop.attestor, [shardOf(loop).commitment]);
});

test('any leaf of a run names it, and no two open requests are for one', () => {
  const { chain, attestor, challenger } = loop;
  const { requestId } = askOk(challenger, { shardId: 1n, place: leafAt(SHARD_TREES.suffix, 5) });
  const first = asking(challenger, {
    shardId: 1n,
    place: leafAt(SHARD_TREES.suffix),
    bond: { denom: 'uopen', amount: '200' },
  });
  expect(expectRefused(challenger, first, 'already-requested')).toContain(`request ${requestId} `);
  deliverOk(chain, attestor, serving(attestor, requestId, pieceOf(leafAt(SHARD_TREES.suffix))));
  expectWhole();
});

test('each leaf is paid for by its hashes, and by its bytes', () => {
  const { chain, attestor, challenger } = loop;
  const { requestId } = askOk(challenger, { shardId: 1n, place: leafAt(SHARD_TREES.suffix) });
  const gasOf = (leaves: readonly Uint8Array[]): bigint => {
    const { code, gasUsed } = deliver(chain, attestor, serving(attestor, requestId, { leaves }));
    expect(code).not.toBe(0);
    return BigInt(gasUsed);
  };
  const empty = (count: number): readonly Uint8Array[] =>
    Array.from({ length: count }, () => new Uint8Array(0));
  // A leaf without bytes takes two of the transaction, which cost gas too.
  const { gasPerHash, gasPerByte } = DEFAULT_PARAMS;
  const perTxByte = 10n;
  const more = gasOf(empty(101)) - gasOf(empty(1));
  expect(more).toBeGreaterThanOrEqual(100n * (2n * BigInt(gasPerHash) + 2n * perTxByte));
  // The lengths of the message and of what it is in may take some bytes more.
  expect(more).toBeLessThan(100n * (2n * BigInt(gasPerHash) + 3n * perTxByte));
  const [short, long] = [gasOf([new Uint8Array(200)]), gasOf([new Uint8Array(300)])];
  expect(long - short).toBe(100n * (BigInt(gasPerByte) + perTxByte));
  const much = serving(attestor, requestId, {
    leaves: [new Uint8Array(DEFAULT_PARAMS.evidenceBytesMax + 1)],
  });
  expectRefused(attestor, much, 'evidence-size');
});
