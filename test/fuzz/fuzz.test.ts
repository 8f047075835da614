/** A short run of every target. Long ones: `npm run fuzz`, see README.md. */
import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { minimise } from './minimise.ts';
import { runTarget } from './run.ts';
import type { Target } from './target.ts';
import { TARGETS } from './targets.ts';

const INPUTS = 1_500;
const SEED = 20_260_101;

for (const target of TARGETS) {
  test(`${target.name}: ${INPUTS} inputs`, async () => {
    const report = await runTarget(target, { inputs: INPUTS, seed: SEED });
    const shown = report.failures
      // Other tests run beside this one: time is judged by `npm run fuzz` alone.
      .filter(({ kind }) => kind !== 'too slow')
      .map(({ kind, detail, input }) => `${kind}: ${detail}: ${toHex(input.subarray(0, 400))}`);
    expect(shown).toEqual([]);
    expect(report.accepted).toBeGreaterThan(0);
  });
}

const planted: Target = {
  name: 'planted',
  form: 'bytes',
  seeds: [new Uint8Array(40).fill(7)],
  bytesMax: 100,
  read: (bytes) => {
    if (bytes.includes(0xff)) throw new RangeError('a planted bug');
    if (bytes.length > 60) throw new DecodeError('too long');
    // Forgets the last byte when the first is 0.
    return () => (bytes[0] === 0 ? bytes.slice(0, -1) : bytes);
  },
  documented: (error) => error instanceof DecodeError,
};

test('finds planted bugs, and makes what shows them small', async () => {
  const { failures } = await runTarget(planted, { inputs: INPUTS, seed: SEED });
  expect(failures.map(({ kind }) => kind).sort()).toEqual(['undocumented error', 'unstable']);
  for (const failure of failures) {
    const smallest = await minimise(planted, failure);
    expect(smallest.length).toBeLessThan(4);
  }
});

test('the same seed makes the same inputs', async () => {
  const runs = [0, 1].map(async () => {
    const seen: string[] = [];
    const read: Target['read'] = (bytes) => {
      seen.push(toHex(bytes));
      return planted.read(bytes);
    };
    const report = await runTarget({ ...planted, read }, { inputs: 300, seed: 5 });
    return [report.accepted, report.outcomes, ...new Set(seen)];
  });
  const [first, second] = await Promise.all(runs);
  expect(first).toEqual(second);
});
