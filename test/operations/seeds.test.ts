/** The seeds of every run of the tests: whatever people and validators do, everything holds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { composeModules } from '../../app/modules.ts';
import { PREFIX } from './actors.ts';
import { Coverage } from './coverage.ts';
import { stopWorkers } from './nodes.ts';
import { reportOf, runSeed } from './run.ts';

const SEEDS = 20;
const BLOCKS = 200;
const SURFACE = join(import.meta.dirname, '..', '..', 'docs', 'spec', 'cosmos-surface.md');

/** Served messages that nobody can have delivered, and why. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['/cosmos.evidence.v1beta1.MsgSubmitEvidence', 'no handler judges evidence that transactions bring'],
]);

afterAll(stopWorkers);

/** Type URLs of the messages that the table calls served. */
function servedMessages(): readonly string[] {
  let service = '';
  return readFileSync(SURFACE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      service = /^## (\S+)\./.exec(line)?.[1] ?? service;
      const [, request, , served] = line
        .split('|')
        .slice(1)
        .map((cell) => cell.trim());
      const isMessage = /^Msg[A-Z]/.test(request ?? '') && served === 'served';
      return isMessage ? [`/${service}.${request}`] : [];
    });
}

it(`${SEEDS} seeds of ${BLOCKS} blocks break nothing, and deliver every message that is served`, async () => {
  const coverage = new Coverage();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await runSeed({ seed, blocks: BLOCKS });
    expect(result.violations, reportOf(result)).toEqual([]);
    coverage.add(result.coverage);
  }
  process.stdout.write(`${coverage.lines().join('\n')}\n`);
  const served = servedMessages();
  expect(served.length).toBeGreaterThan(40);
  for (const typeUrl of new Set([...served, ...composeModules(PREFIX).router.typeUrls])) {
    const { succeeded, failed } = coverage.counts.get(typeUrl) ?? { succeeded: 0, failed: 0 };
    if (REFUSED.has(typeUrl)) {
      expect(succeeded, typeUrl).toBe(0);
      expect(failed, typeUrl).toBeGreaterThan(0);
    } else expect(succeeded, typeUrl).toBeGreaterThan(0);
  }
}, 600_000);

it('a seed is a run: again it gives the same app hashes', async () => {
  const [first, again, other] = [7, 7, 8].map((seed) => runSeed({ seed, blocks: 15 }));
  expect((await again)?.digest).toBe((await first)?.digest);
  expect((await other)?.digest).not.toBe((await first)?.digest);
}, 60_000);
