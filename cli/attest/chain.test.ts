import { expect, test } from 'vitest';
import type { Connection } from '../../client/index.ts';
import { toBech32 } from '../../core/bech32.ts';
import { ContributionState } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { PageRequest } from '../../proto/gen/cosmos/base/query/v1beta1/pagination.ts';
import { AttestChain } from './chain.ts';

const {
  CONTRIBUTION_STATE_ACCEPTED: ACCEPTED,
  CONTRIBUTION_STATE_PENDING: PENDING,
  CONTRIBUTION_STATE_WITHDRAWN: WITHDRAWN,
} = ContributionState;

/** A Datanet whose contributions are in these states; those that are pending have no position. */
function datanetOf(states: ContributionState[]) {
  const asked: string[] = [];
  const contributor = toBech32('open', new Uint8Array(20));
  const rows = () => {
    let position = 0n;
    return states.map((state, i) => ({
      ...{ id: BigInt(i + 1), contributor, root: new Uint8Array(32), byteLength: 5n, state },
      position: state === PENDING ? 0n : position++,
    }));
  };
  const datanet = {
    async datanet() {
      const count = (which: ContributionState): number => states.filter((state) => state === which).length;
      return {
        totals: { accepted: BigInt(states.length - count(PENDING)), withdrawn: BigInt(count(WITHDRAWN)) },
      };
    },
    async contributionsByDatanet({
      pagination: { key, offset, limit },
    }: {
      readonly pagination: PageRequest;
    }) {
      if (key.length > 0 && offset > 0n) throw new Error('either offset or key is expected, got both');
      const from = key.length > 0 ? (key[0] ?? 0) * 100 : Number(offset);
      asked.push(`${from}`);
      const end = from + Number(limit);
      // The key of these pages is the hundred at which they go on; what is in between comes twice.
      const nextKey = end < states.length ? Uint8Array.of(Math.floor(end / 100)) : new Uint8Array(0);
      return { contributions: rows().slice(from, end), pagination: { nextKey, total: 0n } };
    },
  };
  const connection = { queries: { openledger: { datanet } } } as unknown as Connection;
  return { asked, chain: new AttestChain(connection) };
}

const log = (count: number): ContributionState[] => Array.from({ length: count }, () => ACCEPTED);

test('of a log the pages are read that have the positions which are asked for, and each once', async () => {
  const states = log(1_000);
  const { asked, chain } = datanetOf(states);
  const ids = (await chain.records(1n, 450n, 120)).map(({ contributionId }) => contributionId);
  expect([ids.length, ids[0], ids.at(-1)]).toEqual([120, 451n, 570n]);
  for (let first = 450n; first < 570n; first++) await chain.records(1n, first, 1);
  expect(asked).toEqual(['450', '500']);
  // What is contributed behind them changes nothing, and is read when it is asked for.
  states.push(ACCEPTED);
  await chain.records(1n, 450n, 120);
  expect((await chain.records(1n, 1_000n, 1)).map(({ contributionId }) => contributionId)).toEqual([1_001n]);
  expect(asked).toEqual(['450', '500', '1000']);
});

test('whenever something is withdrawn, one page is read again for each shard that is asked about', async () => {
  const states = log(1_000);
  const { asked, chain } = datanetOf(states);
  for (let shard = 0; shard < 20; shard++) {
    states[shard] = WITHDRAWN;
    const [record] = await chain.records(1n, BigInt(shard), 1);
    expect([record?.contributionId, record?.accepted]).toEqual([BigInt(shard + 1), false]);
    expect((await chain.records(1n, BigInt(shard) + 1n, 1)).map(({ accepted }) => accepted)).toEqual([true]);
  }
  expect(asked).toEqual(Array.from({ length: 20 }, (_, shard) => `${shard}`));
});

test('contributions without a position are read over; what is not there is said', async () => {
  const states = log(300).map((state, i) => (i % 2 === 0 ? PENDING : state));
  const { chain } = datanetOf(states);
  const ids = (await chain.records(1n, 100n, 50)).map(({ contributionId }) => contributionId);
  expect([ids[0], ids.at(-1)]).toEqual([202n, 300n]);
  await expect(chain.records(1n, 140n, 20)).rejects.toThrow(
    'the node has 10 of 20 contributions of Datanet 1 from 140',
  );
});
