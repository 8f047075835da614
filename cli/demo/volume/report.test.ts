import { expect, test } from 'vitest';
import { Contribution } from '../../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Place, PlaceKind } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { contributionAt } from './report.ts';

test('a place is of the contribution at its position of its own Datanet', () => {
  const at = (id: bigint, datanetId: bigint, position: bigint): Contribution =>
    Contribution.create({ id, datanetId, position });
  const contributions = [at(11n, 2n, 3n), at(12n, 1n, 2n), at(13n, 1n, 3n)];
  const found = (id: bigint, index: number): bigint | undefined =>
    contributionAt(contributions, Place.create({ kind: PlaceKind.PLACE_KIND_DATANET, id, index }))?.id;
  expect([found(2n, 3), found(1n, 3), found(1n, 2)]).toEqual([11n, 13n, 12n]);
  expect([found(2n, 2), found(3n, 3)]).toEqual([undefined, undefined]);
});
