import { expect, test } from 'vitest';
import type { ReadContext } from '../../framework/context.ts';
import { Snapshot } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { TestChain } from '../../test/support/test-chain.ts';
import { snapshotWeights } from './model-money.ts';
import type { SnapshotWeight } from './types.ts';

/** Snapshots of several Datanets; 1 and 2 are of the same positions, as after nothing but a withdrawal. */
const SNAPSHOTS: readonly Snapshot[] = [
  [1n, 7n, 2n, 100n],
  [2n, 7n, 2n, 40n],
  [3n, 7n, 3n, 150n],
  [4n, 5n, 2n, 1_000n],
  [5n, 5n, 12n, 9n],
].map(([id = 0n, datanetId = 0n, count = 0n, totalWeight = 0n]) =>
  Snapshot.create({ id, datanetId, count, totalWeight }),
);

function weightsOf(...snapshotIds: bigint[]): readonly SnapshotWeight[] {
  const chain = new TestChain();
  chain.block();
  const context: ReadContext = chain.app.contextAt(chain.height);
  const datanets = { snapshot: (_: ReadContext, id: bigint) => SNAPSHOTS.find((one) => one.id === id) };
  return snapshotWeights(datanets, context, { snapshotIds });
}

test('snapshots of the same positions of a Datanet are one place, with the weight of all', () => {
  expect(weightsOf(1n, 2n)).toEqual([{ datanetId: 7n, positions: 2n, weight: 140n }]);
});

test('other positions and other Datanets are places of their own, in rising order whatever the model lists', () => {
  const places = [
    { datanetId: 5n, positions: 2n, weight: 1_000n },
    { datanetId: 5n, positions: 12n, weight: 9n },
    { datanetId: 7n, positions: 2n, weight: 140n },
    { datanetId: 7n, positions: 3n, weight: 150n },
  ];
  expect(weightsOf(1n, 2n, 3n, 4n, 5n)).toEqual(places);
  expect(weightsOf(5n, 3n, 2n, 4n, 1n)).toEqual(places);
});

test('a snapshot that is not there weighs nothing', () => {
  expect(weightsOf(9n)).toEqual([]);
  expect(weightsOf(9n, 3n)).toEqual([{ datanetId: 7n, positions: 3n, weight: 150n }]);
});
