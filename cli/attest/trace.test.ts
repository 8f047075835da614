import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IndexDirectory } from '../../attest/index/index-directory.ts';
import { textDocument } from '../../attest/testing/naive-shard.ts';
import type { TraceReport } from '../../attest/trace/report.ts';
import { addTraceCommand } from './trace.ts';

const QUOTE = 'the ferry crosses the sound twice a day, unless the wind is from the north';
const documents = [
  textDocument(1, `In winter ${QUOTE}.`),
  textDocument(2, 'Nothing of this is about ferries or about the wind.'),
  textDocument(3, `As they say: ${QUOTE}. So they say.`),
];

let home = '';
let index = '';
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-trace-'));
  index = join(home, 'index');
  const directory = IndexDirectory.create(index, { datanetId: 7n, documentsMax: 1_024, entriesPerLeaf: 8 });
  const source = (position: number) => documents[position] ?? textDocument(0, '');
  directory.grow({ count: 3, source });
  writeFileSync(join(home, 'text'), `I heard that ${QUOTE}, and took the train.`);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function run(args: readonly string[], notes: string[] = []): Promise<string> {
  let out = '';
  const program = new Command().exitOverride();
  addTraceCommand(program, {
    out: (text) => {
      out += text;
    },
    note: (line) => void notes.push(line),
    interactive: false,
    ask: async () => '',
  });
  await program.parseAsync([
    'node',
    'attest',
    'trace',
    '--index',
    index,
    '--text',
    join(home, 'text'),
    ...args,
  ]);
  return out;
}

describe('openledgerd attest trace', () => {
  test('says what is quoted, from where, and whose it is', async () => {
    const out = await run(['--prefix', 'test']);
    expect(out).toContain('1 passage of the output');
    expect(out).toContain('contribution 1\n');
    expect(out).toContain('contribution 3\n');
    expect(out).toMatch(/test1\w+ +#1 +\d+ +50\.00 %/);
    expect(out).not.toContain('\u001b');
  });

  test('the same as JSON, and as a page', async () => {
    const page = join(home, 'page.html');
    const notes: string[] = [];
    const report: TraceReport = JSON.parse(await run(['--json', '--html', page], notes));
    expect(report.spans.map(({ holders, count }) => [holders, count])).toEqual([[['1', '3'], 2]]);
    expect(report.corpus.documents).toBe(3);
    expect(notes).toEqual([`the page is ${page}`]);
    expect(readFileSync(page, 'utf8')).toContain('from the north');
  });

  test('an earlier snapshot, and who withdrew since', async () => {
    const early: TraceReport = JSON.parse(await run(['--json', '--documents', '2']));
    expect(early.spans.map(({ holders }) => holders)).toEqual([['1']]);
    IndexDirectory.open(index).withdraw([1n]);
    const late: TraceReport = JSON.parse(await run(['--json']));
    expect(late.spans.map(({ holders }) => holders)).toEqual([['3']]);
  });

  test.each([
    [['--cache', '0'], '--cache is "0", but must be a whole number from 1 to 4096'],
    [['--documents', 'x'], '--documents is "x", but must be a whole number'],
    [['--documents', '4'], 'has no shards that end at document 4; it reaches to 3'],
    [['--text', 'nowhere'], 'cannot read --text nowhere (ENOENT)'],
    [['--html', 'no/where'], 'cannot write --html no/where (ENOENT)'],
  ])('%j', async (args, message) => {
    await expect(run(args)).rejects.toThrow(message);
  });
});
