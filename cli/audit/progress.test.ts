import { expect, test } from 'vitest';
import { AuditView } from './progress.ts';

/** What is written while three blocks are executed, a second or eleven apart. */
function written(options: {
  readonly interactive: boolean;
  readonly json: boolean;
  readonly stepMs: number;
}): {
  readonly out: string;
  readonly notes: readonly string[];
} {
  const { interactive, json, stepMs } = options;
  let out = '';
  const notes: string[] = [];
  let now = 0;
  const terminal = {
    out: (text: string) => {
      out += text;
    },
    note: (line: string) => void notes.push(line),
    interactive,
    columns: 30,
    ask: async () => '',
  };
  const view = new AuditView(terminal, { json, nowMs: () => now });
  view.begin();
  for (const height of [1n, 2n, 3n]) {
    now += stepMs;
    view.progress({ height, from: 1n, to: 3n, transactions: 5 });
  }
  view.done('report');
  return { out, notes };
}

test('a terminal is redrawn within its width, and erased before the report', () => {
  const { out, notes } = written({ interactive: true, json: false, stepMs: 1000 });
  expect(notes).toEqual([]);
  const lines = out.split('\r\u001b[K');
  expect(lines).toEqual([
    '',
    ...[1, 2, 3].map((height) => `block ${height} of 3, 5 transactions,`),
    'report',
  ]);
});

test('where nothing is redrawn, a line now and then goes to standard error', () => {
  expect(written({ interactive: false, json: false, stepMs: 1000 })).toEqual({ out: 'report', notes: [] });
  const { out, notes } = written({ interactive: false, json: false, stepMs: 11_000 });
  expect(out).toBe('report');
  expect(notes).toHaveLength(3);
  expect(notes[2]).toBe('block 3 of 3, 5 transactions, 0 blocks/s');
});

test('as JSON, progress is an object a line with amounts as text', () => {
  const { out } = written({ interactive: true, json: true, stepMs: 11_000 });
  expect(JSON.parse(out.split('\n')[0] ?? '')).toEqual({
    event: 'progress',
    height: '1',
    to: '3',
    transactions: 5,
    blocks_per_second: 0,
  });
});
