import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { MemoryMultiStore } from '../multistore.ts';
import { openLevel } from './level.ts';
import { openMultiStore } from './persistent.ts';
import { TEST_OPTIONS, writeTestBlock } from './test-blocks.ts';

/** Runs the commit loop until it has printed so many versions, kills it, and returns the last one printed. */
async function runAndKill(directory: string, lines: number): Promise<number> {
  const program = fileURLToPath(new URL('./test-blocks.ts', import.meta.url));
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let printed = 0;
  let left = lines;
  for await (const line of createInterface({ input: child.stdout })) {
    printed = Number(line);
    if (--left === 0) child.kill('SIGKILL');
  }
  const [, signal] = await exited;
  expect(signal).toBe('SIGKILL');
  return printed;
}

test('kill -9 at any moment keeps every version that was flushed, on LevelDB', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'store-kill-'));
  try {
    const memory = new MemoryMultiStore(TEST_OPTIONS);
    for (const lines of [1, 7, 40, 113]) {
      const durable = await runAndKill(directory, lines);
      const store = await openMultiStore(await openLevel(directory), TEST_OPTIONS);
      const { version, hash } = store.lastCommit;
      expect(Number(version)).toBeGreaterThanOrEqual(durable);
      while (memory.lastCommit.version < version) {
        writeTestBlock(memory, Number(memory.lastCommit.version) + 1);
        memory.commit();
      }
      expect(toHex(hash)).toBe(toHex(memory.lastCommit.hash));
      await store.close();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
