import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { toHex, utf8 } from '../../core/bytes.ts';
import { ExecTxResult, ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { openChecked } from '../checked-database.ts';
import { openLevelDatabase } from '../database.ts';
import { decodeResult, decodeResults, encodeResults } from './results-record.ts';
import { StateStore } from './state-store.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'state-store-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function resultsOf(count: number): ResponseFinalizeBlock {
  const events = [{ type: 'e', attributes: [{ key: 'k', value: 'v', index: true }] }];
  return ResponseFinalizeBlock.create({
    events,
    appHash: utf8('app hash'),
    txResults: Array.from({ length: count }, (_, i) =>
      ExecTxResult.create({ code: i % 3, gasUsed: BigInt(i), log: 'x'.repeat(i), events }),
    ),
  });
}

test.each([0, 1, 31, 32, 33, 100])(
  'the results of %d transactions are read together and one by one',
  async (count) => {
    const store = await StateStore.open(directory);
    const results = resultsOf(count);
    await store.saveResults(7n, results);
    await store.saveResults(8n, resultsOf(2));
    const read = store.results(7n);
    expect(read && toHex(ResponseFinalizeBlock.encode(read))).toBe(
      toHex(ResponseFinalizeBlock.encode(results)),
    );
    for (const [index, result] of results.txResults.entries()) {
      const one = store.txResult(7n, index);
      expect(one && toHex(ExecTxResult.encode(one))).toBe(toHex(ExecTxResult.encode(result)));
    }
    expect(store.txResult(7n, count)).toBeUndefined();
    expect(store.txResult(9n, 0)).toBeUndefined();
    expect(store.results(9n)).toBeUndefined();
    await store.close();
  },
);

test('a damaged record is an error, not a wrong result', () => {
  const record = encodeResults(resultsOf(3).txResults);
  expect(() => decodeResults(record.subarray(0, record.length - 1))).toThrow('cut short');
  expect(() => decodeResult(record.subarray(0, 10), 1)).toThrow('cut short');
  expect(() => decodeResult(record.subarray(0, 2), 0)).toThrow('cut short');
});

test('a store in another format is refused with what to do', async () => {
  await put('state', 1);
  await expect(StateStore.open(directory)).rejects.toMatchObject({ code: 'state.format' });
  await put('format', 3);
  await expect(StateStore.open(directory)).rejects.toThrow('sync again');
});

async function put(key: string, value: number): Promise<void> {
  const database = await openChecked({ directory, repair: '', witnesses: [] }, openLevelDatabase);
  const batch = database.batch();
  batch.put(utf8(key), Uint8Array.of(value));
  await batch.write();
  await database.close();
}
