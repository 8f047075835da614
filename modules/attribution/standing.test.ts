import { expect, it } from 'vitest';
import { ObjectState } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { newWindow, problemOfPause, standingOf, withoutRequest, withRequest } from './standing.ts';

const { OBJECT_STATE_PENDING: PENDING, OBJECT_STATE_ACTIVE: ACTIVE } = ObjectState;
const BLOCKS = 100n;
const published = {
  ...newWindow(10n, BLOCKS),
  ...{ height: 10n, voidedHeight: 0n, releaseHeight: 0n, openRequests: 0 },
};

it('is pending for as many blocks as its window has', () => {
  expect(standingOf(published, 109n)).toBe(PENDING);
  expect(standingOf(published, 110n)).toBe(ACTIVE);
});

it('stands still from the first open request to the answer of the last', () => {
  const one = withRequest(published, 20n);
  const two = withRequest(one, 30n);
  const answered = withoutRequest(two, 50n);
  expect(standingOf(answered, 250n)).toBe(PENDING);
  const done = withoutRequest(answered, 70n);
  expect(done).toMatchObject({ openRequests: 0, activeHeight: 160n, pausedHeight: 0n, pauseLeft: 150n });
  expect(standingOf(done, 159n)).toBe(PENDING);
  expect(standingOf(done, 160n)).toBe(ACTIVE);
});

it('an answer in the same block costs nothing', () => {
  expect(withoutRequest(withRequest(published, 20n), 20n)).toEqual(published);
});

it('stands still for two windows at most, in one go or in many', () => {
  const asked = withRequest(published, 20n);
  expect(standingOf(asked, 309n)).toBe(PENDING);
  expect(standingOf(asked, 310n)).toBe(ACTIVE);
  let object = published;
  for (let height = 20n; height < 320n; height += 30n)
    object = withoutRequest(withRequest(object, height), height + 29n);
  expect(object).toMatchObject({ activeHeight: 310n, pauseLeft: 0n });
  expect(standingOf(withRequest(object, 309n), 310n)).toBe(ACTIVE);
});

it('what is asked when the window is over changes nothing', () => {
  const asked = withRequest(published, 110n);
  expect(asked.pausedHeight).toBe(0n);
  expect(withoutRequest(withRequest(asked, 120n), 130n).activeHeight).toBe(110n);
  expect(standingOf(asked, 111n)).toBe(ACTIVE);
});

it('says what cannot be', () => {
  expect(problemOfPause(published)).toBeUndefined();
  expect(problemOfPause({ ...published, pausedHeight: 20n })).toContain('stands still although');
  expect(problemOfPause({ ...published, pausedHeight: -1n })).toContain('negative');
  expect(problemOfPause({ ...published, pauseLeft: -1n })).toContain('negative');
  const asked = { ...published, openRequests: 1 };
  expect(problemOfPause({ ...asked, pausedHeight: 110n })).toContain('since 110, when its window was over');
  expect(problemOfPause({ ...published, pauseLeft: 201n })).toContain('for 201 blocks more, at most 200');
});

it('says nothing of what can be, from the first block of the window to the last', () => {
  for (const height of [10n, 20n, 109n, 110n])
    for (const blocks of [0n, 1n, 199n, 200n, 500n]) {
      const asked = withRequest(published, height);
      expect(problemOfPause(asked)).toBeUndefined();
      expect(problemOfPause(withoutRequest(asked, height + blocks))).toBeUndefined();
    }
});

it('has not stood still on a chain that goes on at a lower height', () => {
  const asked = withRequest(published, 20n);
  expect(standingOf(asked, 1n)).toBe(PENDING);
  expect(withoutRequest(asked, 1n)).toEqual(published);
});
