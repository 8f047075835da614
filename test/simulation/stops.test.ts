import { expect, test } from 'vitest';
import type { Companion } from './companion.ts';
import type { SimMachine } from './machine.ts';
import { SIGNING_STATE_PATH, WAL_PATH } from './machine.ts';
import { scenarioOf } from './profiles.ts';
import { runSeed } from './run.ts';
import { Simulation } from './simulation.ts';
import { remedyFor } from './stops.ts';

const NO_ROOM = new Error('the database failed: ENOSPC: no space left on device');
const LOST = new Error(
  `the validator key /k has no signing state ${SIGNING_STATE_PATH}. […] Restore the file; […]`,
);
const GARBAGE = new Error('garbage in the log: run wal repair');
const OTHER = new Error('something else');
const EVENTS_MAX = 5_000;

function machine(): SimMachine {
  const { options } = scenarioOf('crash', 1);
  const [first] = new Simulation({ ...options, seed: 1, verbose: false }).machines;
  if (first === undefined) throw new RangeError('no machine');
  return first;
}

test('a full disk explains that a node stops and names it, until the node is started again', () => {
  const first = machine();
  expect(remedyFor(first, NO_ROOM)).toBeUndefined();
  first.isDiskFull = true;
  expect(remedyFor(first, NO_ROOM)).toBeUndefined(); // it has not been told
  first.disk.operate({ kind: 'append', path: `${WAL_PATH}/x` });
  expect(remedyFor(first, NO_ROOM)).toBeDefined();
  expect(remedyFor(first, OTHER)).toBeUndefined();
  first.isDiskFull = false;
  first.start();
  expect(remedyFor(first, NO_ROOM)).toBeUndefined();
});

test('a lost signing state explains the refusal that names it, and no other', () => {
  const first = machine();
  expect(remedyFor(first, LOST)).toBeUndefined();
  first.mustRefuse = 'lost';
  expect(remedyFor(first, LOST)).toBeDefined();
  for (const error of [OTHER, NO_ROOM, GARBAGE]) expect(remedyFor(first, error)).toBeUndefined();
  first.mustRefuse = 'stale';
  expect(remedyFor(first, LOST)).toBeUndefined();
});

test('garbage in the log explains that a repair is asked for, garbage elsewhere does not', () => {
  const first = machine();
  first.disk.garbled.add(SIGNING_STATE_PATH);
  expect(remedyFor(first, GARBAGE)).toBeUndefined();
  first.disk.garbled.add(`${WAL_PATH}/wal-00000001.log`);
  expect(remedyFor(first, GARBAGE)).toBeDefined();
  expect(remedyFor(first, OTHER)).toBeUndefined();
});

/** From half a second on it does something again and again, and no time passes. */
function looping({ scheduler }: Simulation): Companion {
  const again = (): void => void scheduler.after(0, again);
  return {
    start: () => void scheduler.after(500, again),
    isContent: () => true,
    complaint: () => 'nothing',
  };
}

test('a loop that time does not pass in is a violation, also where no progress is demanded', async () => {
  const { violations, virtualMs } = await runSeed({
    profile: 'safety',
    seed: 1,
    plant: (scenario) => ({ ...scenario, eventsMax: EVENTS_MAX, companions: [looping] }),
  });
  expect(violations.map(({ invariant }) => invariant)).toEqual(['time passes']);
  expect(virtualMs).toBeLessThan(2_000);
});
