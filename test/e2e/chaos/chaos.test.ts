import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { SeededRandom } from '../../../consensus/simulation/random.ts';
import { temporaryHome } from '../program.ts';
import { Ledger } from './ledger.ts';
import { drawPerturbation } from './plan.ts';
import { steadyPorts } from './ports.ts';
import { summaryOf } from './report.ts';
import { runChaos } from './run.ts';

const SEED = 3;
const PERTURBATIONS = 3;
/**
 * This machine may be busy with anything: a test does not fail on time that a chain needs, only on one that
 * stands.
 */
const RECOVERY_MS_MAX = 60_000;

it('four validators survive kills, pauses and cuts in random sequence, and two full nodes join', async () => {
  const home = temporaryHome();
  const lines: string[] = [];
  const report = await runChaos({
    home,
    validators: 4,
    seed: SEED,
    durationMs: Number.POSITIVE_INFINITY,
    perturbationsMax: PERTURBATIONS,
    blockTimeMs: 200,
    snapshotInterval: 10,
    actionMsMax: 1_500,
    calmMsMax: 300,
    recoveryMsMax: RECOVERY_MS_MAX,
    recoveryFrom: 'answer',
    joinAfter: { 'block sync': 1, 'state sync': 2 },
    note: (line) => lines.push(line),
  });
  expect(report.violations, `${lines.join('\n')}\nhomes and logs: ${home}\n`).toEqual([]);
  expect(report.perturbations).toBe(PERTURBATIONS);
  expect(report.joined.map(({ kind }) => kind).sort()).toEqual(['block sync', 'state sync']);
  expect(report.notBegun).toEqual([]);
  expect(report.txs).toBeGreaterThan(0);
  expect(report.signedMessages).toBeGreaterThan(0);
  rmSync(home, { recursive: true, force: true });
});

it('the closing lines do not contradict what follows, and say what a short run did not try', () => {
  const report = {
    perturbations: 3,
    faults: new Map(),
    recoveries: [{ fromHealMs: 1_000, fromAnswerMs: 500 }],
    joined: [],
    elapsedMs: 9_000,
    height: 12,
    txs: 5,
    signedMessages: 40,
    notBegun: [{ kind: 'state sync', after: 5 }],
    violations: [],
  } as const;
  const whole = summaryOf(report).join('\n');
  expect(whole).toContain('40 signed messages in the logs, none twice');
  expect(whole).toContain(
    'NOT TRIED: no node joined by state sync: that begins after 5 perturbations, the run had 3',
  );
  const broken = summaryOf({ ...report, notBegun: [], violations: ['signed twice: height 3'] }).join('\n');
  expect(broken).toContain('40 signed messages in the logs, some twice');
  expect(broken).not.toMatch(/none twice|NOT TRIED/);
});

it('the sequence follows from the seed', () => {
  const options = { nodes: 5, validators: 4, actionMsMax: 8_000, calmMsMax: 2_000 };
  const draw = (seed: number): unknown => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 50 }, () => drawPerturbation(random, options));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it('two nodes with different blocks at one height are told apart', () => {
  const ledger = new Ledger();
  const block = { height: 5, hash: 'AA', app_hash: '01', txs: 2 };
  ledger.note('node0', block);
  ledger.note('node1', block);
  expect(ledger.contradictions).toEqual([]);
  ledger.note('node2', { ...block, app_hash: '02' });
  expect(ledger.contradictions).toEqual([
    'height 5: node0 has block AA with app hash 01, node2 has AA with 02',
  ]);
  expect(ledger.txs).toBe(2);
});

it('a port of a node that is down is not chosen', async () => {
  const [down] = await steadyPorts(1);
  const rpc = down?.rpc ?? 0;
  // The first three give the first node its RPC port, or its port for peers, or the second node both.
  const drawn = [rpc, rpc - 1, rpc - 10, rpc + 20];
  const besides = down === undefined ? [] : [down];
  const [first] = await steadyPorts(2, { besides, draw: () => drawn.shift() ?? 0 });
  expect({ first: first?.rpc, drawn }).toEqual({ first: rpc + 20, drawn: [] });
});

it('a port that is taken is not chosen, nor one that a connection could take while its node is down', async () => {
  const [held] = await steadyPorts(1);
  const taken = held?.rpc ?? 0;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
  const drawn = [taken - 10, taken, taken + 20];
  const [first, second] = await steadyPorts(2, { draw: () => drawn.shift() ?? 0 });
  expect([first?.rpc, second?.rpc]).toEqual([taken + 20, taken + 30]);
  await new Promise((resolve) => server.close(resolve));
  expect(taken).toBeLessThan(32_768);
});
