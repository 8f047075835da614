import { expect, test } from 'vitest';
import { composeModules } from '../../../app/modules.ts';
import { caseOfType, servedTypes } from './report.ts';

test('every message type that is served has a case of `npm run bench -- --only messages`', () => {
  const types = servedTypes(composeModules('open'));
  expect(types.length).toBeGreaterThan(50);
  for (const typeUrl of types) expect(caseOfType(typeUrl).make).toBeTypeOf('function');
});
