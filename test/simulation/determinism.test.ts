import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { runSeed } from './run.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

// That it gives the same one twice in one process is looked at with the seeds of each profile: seeds.ts.
test('a seed gives the same trace in another process', async () => {
  const here = await runSeed({ profile: 'crash', seed: 5 });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [MAIN, '--profile', 'crash', '--from', '5', '--verbose'],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  expect(/trace ([0-9a-f]{16});/.exec(stdout)?.[1]).toBe(here.digest);
}, 900_000);

test('another seed gives another trace', async () => {
  const traces = new Set<string>();
  for (const seed of [21, 22, 23]) traces.add((await runSeed({ profile: 'safety', seed })).digest);
  expect(traces.size).toBe(3);
}, 900_000);
