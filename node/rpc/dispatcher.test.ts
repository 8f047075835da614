import { expect, test } from 'vitest';
import { corruptRecord } from '../checksum.ts';
import { Dispatcher } from './dispatcher.ts';
import { method } from './method.ts';

test('damage is answered with where it is and its repair, and told to the operator once', async () => {
  const told: string[] = [];
  const quiet = { debug: () => {}, info: () => {}, warn: () => {} };
  const place = { directory: '/data/blockstore.db', repair: 'sync again' };
  const block = method({
    name: 'block',
    params: {},
    call: () => {
      throw corruptRecord(Uint8Array.of(80, 2), place, 'its checksum does not fit');
    },
  });
  const logger = { ...quiet, error: (_: object, message: string) => told.push(message) };
  const dispatcher = new Dispatcher({ methods: [block], logger });
  const request = { id: '1', method: 'block', params: undefined };
  const context = { remote: '', connection: undefined, id: '1' };
  for (const _ of [1, 2]) {
    const { text, isError, cacheable } = await dispatcher.answerRequest(request, context);
    expect([isError, cacheable]).toEqual([true, false]);
    expect(text).toContain('the database /data/blockstore.db is damaged: record 5002');
    expect(text).toContain('To repair it, sync again');
  }
  expect(told).toHaveLength(1);
});
