/** `openledgerd attest index`, from a list of documents to a damaged leaf. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { tryLock } from '../process-lock.ts';
import { createProgram } from '../program.ts';

const folder = mkdtempSync(join(tmpdir(), 'attest-'));
afterAll(() => rmSync(folder, { recursive: true }));
const index = join(folder, 'index');
const list = join(folder, 'documents.jsonl');

interface Ran {
  readonly out: string;
  readonly notes: readonly string[];
}

async function run(args: readonly string[], interactive = false): Promise<Ran> {
  let out = '';
  const notes: string[] = [];
  const program = createProgram({
    out: (text) => {
      out += text;
    },
    note: (line) => void notes.push(line),
    interactive,
    ask: async () => '',
  });
  await program.parseAsync(['node', 'openledgerd', 'attest', 'index', ...args]);
  return { out, notes };
}

function writeList(count: number, withdrawn: readonly number[] = []): void {
  const lines = Array.from({ length: count }, (_, i) => {
    writeFileSync(join(folder, `${i}.txt`), `letter ${i}, ${'and so on '.repeat(i)}`);
    const line = { contribution: 10 + i, contributor: '05'.repeat(20), file: `${i}.txt` };
    return JSON.stringify(withdrawn.includes(i) ? { ...line, withdrawn: true } : line);
  });
  writeFileSync(list, lines.join('\n'));
}

const buildArgs = ['build', '--index', index, '--documents', list, '--datanet', '4'];

test('an index is built, grows, is described, merged and verified', async () => {
  writeList(5);
  const first = await run(buildArgs);
  expect(first.notes).toEqual(['documents 0 to 3', 'documents 4 to 4']);
  expect(first.out).toMatch(/shard-0-4-\w+ {2}4 documents from 0, \d+ tokens, 0.0\d MB\n/);
  expect(first.out).toContain('5 documents in 2 shards, 2 of them new');
  expect((await run(buildArgs)).out).toContain('5 documents in 2 shards, 0 of them new');

  writeList(6, [1]);
  const events = (await run([...buildArgs, '--json'])).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.map(({ event }) => event)).toContain('progress');
  expect(events.at(-1)).toMatchObject({ event: 'done', documents: 6, built: 1 });
  expect((await run(['stats', '--index', index])).out).toMatch(
    /Datanet 4: 6 documents in 2 shards of at most 65536, leaves of 1 entry; 1 shards are taken up by larger ones, 1 contributions withdrawn/,
  );
  expect((await run(['merge', '--index', index, '--prune'])).out).toBe(
    `${(await run(['stats', '--index', index])).out.split('\n')[0]}\n1 shards built again, 1 removed\n`,
  );
  const verified = await run(['verify', '--index', index], true);
  expect(verified.out.match(/right\n/g)).toHaveLength(2);
});

test('one process writes at a time', async () => {
  const unlock = tryLock(join(index, 'lock'));
  await expect(run(buildArgs)).rejects.toThrow(/a build of the index .* is running already/);
  unlock?.();
  expect((await run(buildArgs)).out).toContain('0 of them new');
});

test('what is wrong is said: what, where, what to do', async () => {
  const shard = JSON.parse(readFileSync(join(index, 'index.json'), 'utf8')).shards[0].name;
  const file = join(index, shard, 'suffix-tree');
  const tree = readFileSync(file);
  tree[32] = (tree[32] ?? 0) ^ 1;
  writeFileSync(file, tree);
  await expect(run(['verify', '--index', index, '--shard', shard])).rejects.toThrow(
    /is wrong: leaves 8 to 15 of the suffix tree do not give .* Remove the directory and its line in index.json/,
  );
  for (const [args, message] of [
    [['verify', '--index', index, '--shard', 'x'], /has no shard x/],
    [['stats', '--index', join(folder, 'none')], /`openledgerd attest index build` makes an index/],
    [[...buildArgs.slice(0, -1), '5'], /indexes Datanet 4, not 5/],
    [[...buildArgs.slice(0, -1), 'x'], /--datanet is "x"/],
    [
      ['build', '--index', join(folder, 'new'), ...buildArgs.slice(3), '--entries-per-leaf', '2'],
      /must be 1 or 8/,
    ],
    [
      [...buildArgs, '--salt-secret-file', list + 'x'],
      /^--salt-secret-file: \S+ cannot be read \(ENOENT\); name a file that is there$/,
    ],
    [[...buildArgs, '--salt-secret-file', list], /is not salted/],
    [[...buildArgs, '--shard-tokens', '0'], /--shard-tokens is "0"; it must be 1 to/],
  ] as const)
    await expect(run(args)).rejects.toThrow(message);
  writeList(3);
  await expect(run(buildArgs)).rejects.toThrow(/the list has 3 documents, the index 6/);
  writeList(7);
  writeFileSync(list, readFileSync(list, 'utf8').replace('"contribution":11', '"contribution":99'));
  await expect(run(buildArgs)).rejects.toThrow(
    /position 1 is contribution 11 in the index and 99 in the list/,
  );
});
