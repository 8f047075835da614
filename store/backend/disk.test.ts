import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
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

test('a flipped byte in any LevelDB file is an error or an earlier version, never another state', async () => {
  const root = mkdtempSync(join(tmpdir(), 'store-flip-'));
  try {
    const whole = join(root, 'whole');
    const memory = new MemoryMultiStore(TEST_OPTIONS);
    const hashes = [toHex(memory.lastCommit.hash)];
    const store = await openMultiStore(await openLevel(whole), TEST_OPTIONS);
    for (let height = 1; height <= 17; height++) {
      for (const each of [memory, store]) {
        writeTestBlock(each, height);
        each.commit();
      }
      hashes.push(toHex(memory.lastCommit.hash));
      await store.flush();
      await store.snapshotsIdle();
    }
    await store.close();
    // Opened and closed once more, so that the records are in a table file and not only in the log.
    await (await openLevel(whole)).close();
    let refused = 0;
    for (const file of readdirSync(whole)) {
      const bytes = readFileSync(join(whole, file));
      for (let part = 0; part < 12 && bytes.length > 0; part++) {
        const damaged = join(root, `${file}-${part}`);
        cpSync(whole, damaged, { recursive: true });
        const at = Math.floor((bytes.length * part) / 12);
        writeFileSync(
          join(damaged, file),
          Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 0x40 : byte)),
        );
        try {
          const opened = await openMultiStore(await openLevel(damaged), TEST_OPTIONS);
          const { version, hash } = opened.lastCommit;
          expect(toHex(hash)).toBe(hashes[Number(version)]);
          await opened.close();
        } catch (error) {
          expect(error).toBeInstanceOf(LedgerError);
          refused++;
        }
      }
    }
    expect(refused).toBeGreaterThan(0);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
