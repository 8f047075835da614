import { expect, test } from 'vitest';
import { verifyAllocation, verifyEntitlement } from '../../modules/settlement/proof/inclusion.ts';
import { decodeEntitlement } from '../../modules/settlement/proof/leaves.ts';
import { Dice } from '../../test/settlement/epochs/dice.ts';
import { leavesOf } from '../../test/settlement/epochs/forged-tree.ts';
import { makeWorld } from '../../test/settlement/epochs/world.ts';
import { randomFrom } from '../../test/attribution/fidelity/digits.ts';
import { allocationsOf, proveAllocation } from './explain.ts';
import { openLeaves } from './published.ts';

test('every row is the sum of receipts that can be named and proved one by one', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { epoch } = makeWorld(new Dice(randomFrom(seed)));
    const { commitment } = epoch;
    const rest = leavesOf(epoch.entitlements).flatMap((leaf) => decodeEntitlement(leaf) ?? []);
    let named = 0;
    for (const { place, amount } of [...commitment.rows, ...rest]) {
      let sum = 0n;
      for (const { index, allocation, receipt } of allocationsOf(epoch, place)) {
        const proof = proveAllocation(epoch, index);
        expect(verifyAllocation(commitment, proof)).toEqual({ allocation, receipt });
        expect(() => verifyAllocation(commitment, { ...proof, index: index + 1 })).toThrow('elsewhere');
        const other = { ...commitment, receipts: commitment.allocations };
        expect(() => verifyAllocation(other, proof)).toThrow();
        sum += allocation.amount;
        named++;
      }
      expect(sum).toBe(amount);
    }
    expect(named).toBe(commitment.allocations.leaves);
    for (const [index, row] of rest.entries()) {
      const opening = openLeaves(epoch.entitlements, [index]);
      expect(verifyEntitlement(commitment, index, opening)).toEqual(row);
      expect(() => verifyEntitlement(commitment, index + 1, opening)).toThrow('elsewhere');
    }
  }
});

test('of a place that got nothing there is nothing to explain', () => {
  const { epoch } = makeWorld(new Dice(randomFrom(3)));
  expect([...allocationsOf(epoch, { kind: 2, id: 77n, level: 0, index: 0 })]).toEqual([]);
});
