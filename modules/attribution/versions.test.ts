import { expect, test } from 'vitest';
import { memoryContext } from '../../framework/testing/memory.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { attributionState, STORE_NAME } from './state.ts';
import { changeParams, currentVersion, findParams, holdVersion, releaseVersion } from './versions.ts';

test('a version is found while it is in use, or an object was made under it', () => {
  const state = attributionState();
  const context = memoryContext([STORE_NAME]);
  const next = { ...DEFAULT_PARAMS, occurrencesMax: 9 };
  expect([findParams(state, context, 1n), findParams(state, context, 2n)]).toEqual([
    DEFAULT_PARAMS,
    undefined,
  ]);
  const paramsVersion = holdVersion(state, context);
  changeParams(state, context, next);
  expect([paramsVersion, currentVersion(state, context)]).toEqual([1n, 2n]);
  expect([findParams(state, context, 1n), findParams(state, context, 2n)]).toEqual([DEFAULT_PARAMS, next]);
  releaseVersion(state, context, { paramsVersion });
  expect([findParams(state, context, 1n), findParams(state, context, 2n)]).toEqual([undefined, next]);
  expect([findParams(state, context, 0n), findParams(state, context, 3n)]).toEqual([undefined, undefined]);
});
