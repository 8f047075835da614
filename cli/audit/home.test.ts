/** The command on a home, on exported blocks, and from a state that the home keeps. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeChain } from '../../test/bench/made-chain.ts';
import { nodeLockPath } from '../home/node-lock.ts';
import { tryLock } from '../process-lock.ts';
import { createProgram } from '../program.ts';
import type { Terminal } from '../terminal.ts';

const BLOCKS = 12;
let folder = '';
let home = '';
let archive = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'audit-home-'));
  const chain = await makeChain({ folder, blocks: BLOCKS, validators: 2, txs: 2, memoBytes: 0 });
  const ports = { rpc: 0, p2p: 0 };
  ({ home } = await chain.home({ moniker: 'audited', ports, peers: [], hasData: true }));
  archive = join(folder, 'archive');
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a command writes to standard output. @throws what makes it end with exit code 1 */
async function output(...args: readonly string[]): Promise<string> {
  let text = '';
  const terminal: Terminal = {
    out: (more) => {
      text += more;
    },
    note: () => undefined,
    interactive: false,
    ask: async () => '',
  };
  await createProgram(terminal)
    .exitOverride()
    .parseAsync(['node', 'openledgerd', 'audit', ...args]);
  return text;
}

/** The last line of the command's JSON. */
async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const lines = (await output(...args, '--json')).trimEnd().split('\n');
  return JSON.parse(lines.at(-1) ?? '');
}

test('the home of a stopped node is replayed to the app hash of its state, and prints the books', async () => {
  const report = await json('--home', home, '--results');
  expect(report).toMatchObject({
    event: 'report',
    chainId: 'made-1',
    from: '1',
    to: `${BLOCKS}`,
    transactions: 2 * BLOCKS,
    failed: 0,
    confirmedBy: 'node',
  });
  const text = await output('--home', home, '--from', '3', '--to', '7');
  expect(text).toContain(`made-1, blocks 3 to 7 of ${home}`);
  expect(text).toContain('14 transactions (0 failed)');
  expect(text).toMatch(/app hash after block 7: [0-9A-F]{64}, as the next header has it/);
  expect(text).toMatch(/fee_collector +uopen/);
  expect(text).toContain('no difference: 2,000,000,000,000uopen accounted for, to the unit');
});

test('a home whose node runs is refused with what to do', async () => {
  const unlock = tryLock(nodeLockPath(home));
  try {
    await expect(output('--home', home)).rejects.toMatchObject({
      code: 'audit.running',
      message: expect.stringContaining('audit it while it runs with --node URL'),
    });
  } finally {
    unlock?.();
  }
  // What failed has left no lock behind.
  expect(await json('--home', home, '--to', '2')).toMatchObject({ event: 'report' });
});

test('a state that the home keeps is a beginning: the same end, and what is trusted is said', async () => {
  const all = await json('--home', home);
  const rest = await json('--home', home, '--trust-state', '5');
  expect(rest).toMatchObject({
    from: '6',
    blocks: `${BLOCKS - 5}`,
    appHash: all['appHash'],
    supply: all['supply'],
    start: expect.stringContaining('after block 5, app hash'),
  });
  await expect(output('--home', home, '--trust-state', '99')).rejects.toMatchObject({
    code: 'store.version_missing',
  });
  await expect(output('--home', home, '--trust-state', '5', '--from', '5')).rejects.toThrow(
    'the replay begins with block 6',
  );
});

test('exported blocks are audited without the node', async () => {
  expect(await output('export', '--home', home, '--output', archive)).toBe(
    `${BLOCKS} blocks, 1 to ${BLOCKS}, in ${archive}\n`,
  );
  const [all, exported] = [await json('--home', home), await json('--blocks', archive)];
  expect(exported).toMatchObject({ appHash: all['appHash'], rows: all['rows'], confirmedBy: 'nothing' });
  const state = ['--trust-state', '5', '--state-home', home];
  expect(await json('--blocks', archive, ...state)).toMatchObject({ appHash: all['appHash'], from: '6' });
  await expect(output('export', '--home', home, '--output', archive)).rejects.toThrow('is not empty');
});

test('a part of the chain is exported with the precommits of its last block', async () => {
  const part = join(folder, 'part');
  await output('export', '--home', home, '--output', part, '--to', '4');
  expect(readdirSync(part).sort()).toEqual(['blocks-1.pb', 'commit-4.pb', 'genesis.json']);
  expect(await json('--blocks', part)).toMatchObject({ to: '4', confirmedBy: 'nothing' });
  await expect(
    output('export', '--home', home, '--output', join(folder, 'none'), '--to', '99'),
  ).rejects.toThrow(`has blocks 1 to ${BLOCKS}`);
});

test('exported blocks that are damaged are named', async () => {
  const damaged = join(folder, 'damaged');
  cpSync(archive, damaged, { recursive: true });
  const file = join(damaged, 'blocks-1.pb');
  const bytes = readFileSync(file);
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await expect(output('--blocks', damaged)).rejects.toMatchObject({
    code: 'audit.difference',
    message: expect.stringContaining(`block ${BLOCKS}`),
  });
  truncateSync(file, bytes.length - 10);
  await expect(output('--blocks', damaged)).rejects.toThrow(`damaged behind block ${BLOCKS - 1}`);
  rmSync(join(damaged, 'genesis.json'));
  rmSync(file);
  await expect(output('--blocks', damaged)).rejects.toThrow('it holds no blocks');
  cpSync(join(archive, 'blocks-1.pb'), file);
  await expect(output('--blocks', damaged)).rejects.toThrow('name one with --genesis');
});

test('another genesis than the chain began with is a difference in its first block', async () => {
  const text = readFileSync(join(archive, 'genesis.json'), 'utf8');
  const genesis = join(folder, 'genesis.json');
  const richer = text.replaceAll('"1000000000000"', '"1000000000001"');
  writeFileSync(genesis, richer.replaceAll('"2000000000000"', '"2000000000002"'));
  const lines = output('--blocks', archive, '--genesis', genesis, '--json');
  await expect(lines).rejects.toMatchObject({ code: 'audit.difference' });
  await expect(lines).rejects.toThrow('block 1: app hash');
});

test.each([
  [['--home', 'x', '--node', 'http://x'], 'the blocks come from one of them'],
  [['--node', 'x'], 'is not a URL'],
  [['--blocks', '/nowhere/at/all'], 'there is no such directory'],
  [['--from', 'x'], '--from is "x"'],
  [['--compare-every', '0'], '--compare-every is "0"'],
  [['--state-home', 'x'], '--state-home goes with --trust-state'],
  [['--node', 'http://x', '--trust-state', '5'], 'needs --state-home'],
  [['--trusted-height', '5'], 'belong together'],
  [['--trusted-height', '5', '--trusted-hash', 'abc'], '64 hexadecimal digits'],
  [['--unsafe-skip-upgrades', '5,x'], '--unsafe-skip-upgrades is "x"'],
])('what is given wrong is named: %j', async (args, sentence) => {
  await expect(output(...args)).rejects.toThrow(sentence);
});

test('a trusted block that the replay does not reach is refused, one that differs is a difference', async () => {
  const hash = '0'.repeat(64);
  const trust = (height: string): string[] => ['--trusted-height', height, '--trusted-hash', hash];
  await expect(output('--blocks', archive, ...trust('99'))).rejects.toThrow('is not among the blocks 1 to');
  await expect(output('--blocks', archive, ...trust('9'))).rejects.toThrow('block 9: block hash');
});
