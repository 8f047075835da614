import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { TestChain } from '../../test/support/test-chain.ts';
import { TestRpc } from '../../test/support/test-rpc.ts';
import { walletOf } from '../../client/index.ts';
import { toBech32 } from '../../core/bech32.ts';
import { defined } from '../../core/errors.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { DEFAULT_PARAMS } from '../../modules/settlement/params.ts';
import { GenesisState as SettlementGenesis } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { readRecord, writeRecord } from '../devnet/record.ts';
import { runDemo } from './run.ts';
import { loadSpeeches } from './speeches.ts';

const MNEMONIC = `${'abandon '.repeat(11)}about`;
const STRANGER = toBech32('open', new Uint8Array(20).fill(7));
/** Epochs are final at once. */
const SETTLEMENT = messageToJson(
  SettlementGenesis,
  SettlementGenesis.create({ params: { ...DEFAULT_PARAMS, windowBlocks: 3 } }),
);
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const undo of cleanUp.splice(0)) undo();
});

/** A devnet's home with three accounts, and a chain that knows them. */
async function devnetHome(): Promise<{
  readonly home: string;
  readonly chain: TestChain;
  readonly rpc: string;
}> {
  const home = mkdtempSync(join(tmpdir(), 'demo-'));
  cleanUp.push(() => rmSync(home, { recursive: true }));
  const wallet = await walletOf(MNEMONIC, { prefix: 'open' });
  const [account] = await wallet.getAccounts();
  const address = account?.address ?? '';
  const coins = [{ denom: 'uopen', amount: 1_000_000_000_000n }];
  const chain = new TestChain({
    genesis: { accounts: [{ address, coins }], sections: { settlement: SETTLEMENT } },
    app: { minGasPrices: '0.001uopen' },
  });
  const server = new TestRpc(chain, { blockEachStatus: true });
  const rpc = await server.start();
  cleanUp.push(() => server.stop());
  writeRecord(home, {
    version: 1,
    chain_id: chain.chainId,
    prefix: 'open',
    denom: 'uopen',
    block_time_ms: 1000,
    rpc_port: 0,
    nodes: [{ moniker: 'node0', home, pid: 0, rpc, p2p: '' }],
    accounts: [{ name: 'alice', address, mnemonic: MNEMONIC }],
  });
  return { home, chain, rpc };
}

async function playDemo(
  home: string,
  options: { readonly columns?: number; readonly json?: boolean; readonly inferences?: number } = {},
): Promise<string> {
  const { columns, json = false, inferences = 0 } = options;
  let printed = '';
  const terminal = { out: (text: string) => void (printed += text), note: () => undefined, columns };
  await runDemo({ home, json, inferences }, terminal);
  return printed;
}

const HEADINGS = ['answer', 'span', 'speech', 'contributor', 'share', 'payout', 'tx hash'];

/** The lines of the table, its heading included. */
function tableIn(printed: string): readonly string[] {
  const lines = printed.split('\n');
  const start = lines.findIndex((line) => /^answer +span +speech/.test(line));
  return lines.slice(start, lines.indexOf('', start));
}

test('the demo pays quoted contributors, shows refused lies, ends in an exact sum, and can be run again', async () => {
  const { home, chain } = await devnetHome();
  const first = await playDemo(home);
  expect(first).toContain('state-of-the-union');
  expect(first.match(/refused \(code \d+\)/g)?.length).toBe(3);
  expect(first.match(/charged for gas only/g)?.length).toBe(3);
  for (const error of ['forged span', 'wrong root', 'unknown contribution'])
    expect(first).toContain(`: ${error}`);
  const last = first.trimEnd().split('\n').at(-1) ?? '';
  const numbers = [...last.matchAll(/\d+/g)].map(([digits]) => BigInt(digits));
  const [fee = 0n, ...parts] = numbers;
  expect(last).toMatch(/^\d+ uopen paid = \d+ platform \+ \d+ model \+ \d+ stakers \+ \d+ contributors$/);
  expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(fee);
  const second = await playDemo(home);
  expect(second).toContain('"state-of-the-union-2"');
  expect(chain.app.brokenInvariants()).toEqual([]);
}, 120_000);

test.each([
  [80, 2],
  [120, 1],
  [undefined, 2],
])(
  'in %s columns the table has all that is asked for, %i line(s) a record',
  async (columns, perRecord) => {
    const { home } = await devnetHome();
    const printed = await playDemo(home, columns === undefined ? {} : { columns });
    const table = tableIn(printed);
    for (const heading of HEADINGS) expect(table.slice(0, perRecord).join(' ')).toContain(heading);
    expect(table[perRecord]).toMatch(/^[─ ]+$/);
    const records = table.slice(perRecord + 1);
    expect(records.length % perRecord).toBe(0);
    const [, hash] = /^ {3}tx ([0-9A-F]{64})$/m.exec(printed) ?? [];
    const first = records.slice(0, perRecord).join(' ');
    expect(first).toMatch(
      /^1 Why do .* +"The .* +#\d+ \d{4} .* +open1\S+…\S+ +[\d.]+ % +[\d.]+ OPEN +[0-9A-F]{12}$/,
    );
    expect(first.endsWith(hash?.slice(0, 12) ?? '-')).toBe(true);
    const lines = printed.trimEnd().split('\n').slice(0, -1); // the equation is one line, however long
    expect(lines.filter((line) => line.length > (columns ?? 100))).toEqual([]);
  },
  120_000,
);

test('for programs the demo prints objects, with everything in full', async () => {
  const { home } = await devnetHome();
  const events = (await playDemo(home, { json: true }))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({
    event: 'settled',
    answer: 1,
    question: 'Why do public credit and the public debt matter?',
    contributor: expect.stringMatching(/^open1[a-z0-9]{38}$/),
    tx_hash: expect.stringMatching(/^[0-9A-F]{64}$/),
  });
  expect(events.filter(({ event }) => event === 'refused')).toHaveLength(3);
  const { event, fee, platform, model, stakers, contributors } = events.at(-1);
  expect(event).toBe('sums');
  expect([platform, model, stakers, contributors].reduce((sum, part) => sum + BigInt(part), 0n)).toBe(
    BigInt(fee),
  );
}, 120_000);

test('the answers are given again by channels and an epoch, and every unit is somebody’s', async () => {
  const { home, chain } = await devnetHome();
  const before = (await playDemo(home, { inferences: 7, json: true })).trimEnd().split('\n').at(-1) ?? '';
  expect(JSON.parse(before)).toMatchObject({ event: 'epoch', epoch_id: '1', inferences: 7 });
  // The second run: contributors are paid in the Datanet of the first.
  const printed = await playDemo(home, { inferences: 700 });
  expect(printed).toContain('700 of 700 answered and paid');
  expect(printed).toContain('700 inferences in 4 transactions');
  const [, ...amounts] =
    /^(\d+) uopen charged = (\d+) platform \+ (\d+) model \+ (\d+) stakers \+ (\d+) contributors \(epoch 2\)$/m.exec(
      printed,
    ) ?? [];
  const [charged = 0n, ...parts] = amounts.map(BigInt);
  expect(charged).toBeGreaterThan(0n);
  expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(charged);
  expect(printed).toMatch(/Why was open1[a-z0-9]+ paid \d+\.\d{6} OPEN by epoch 2\?/);
  const text = printed.replace(/\s+/g, ' ');
  const [, title = '', weight, total, quoted = ''] =
    / for contribution \d+ "(\d{4} [\w ]+)", .* weight (\d+) of (\d+) is .* its span: bytes \d+ to \d+ of the speech: "([^"]+)"/.exec(
      text,
    ) ?? [];
  expect(BigInt(weight ?? 0)).toBeGreaterThan(0n);
  expect(BigInt(total ?? 0)).toBeGreaterThanOrEqual(BigInt(weight ?? 0));
  const speech = loadSpeeches().find(({ president, year }) => title === `${year} ${president}`);
  expect(speech?.text.replace(/\s+/g, ' ')).toContain(quoted);
  expect(readdirSync(join(home, 'demo-gateway'))).toEqual([]);
  expect(chain.app.brokenInvariants()).toEqual([]);
}, 120_000);

test('without a devnet, or with nothing at its RPC, the demo says in one sentence what to do', async () => {
  const { home } = await devnetHome();
  await expect(playDemo(join(home, 'nowhere'))).rejects.toThrow('there is no devnet in');
  const silent = { out: () => undefined, note: () => undefined };
  await expect(runDemo({ home, inferences: 0, rpc: 'http://127.0.0.1:2' }, silent)).rejects.toThrow(
    'nothing answers at http://127.0.0.1:2 (nothing listens there)',
  );
  await expect(runDemo({ home, inferences: 0, rpc: 'garbage' }, silent)).rejects.toThrow(
    '"garbage" is not a URL such as http://127.0.0.1:26657',
  );
});

test('the demo asks another node when the first is down, and names all when none answers', async () => {
  const { home, rpc } = await devnetHome();
  const record = defined(readRecord(home), 'record');
  const dead = ['http://127.0.0.1:2', 'http://127.0.0.1:3'];
  const withNodes = (urls: readonly string[]): void =>
    writeRecord(home, {
      ...record,
      nodes: urls.map((url, i) => ({ moniker: `node${i}`, home, pid: 0, rpc: url, p2p: '' })),
    });
  withNodes(dead);
  await expect(playDemo(home)).rejects.toThrow(`nothing answers at ${dead.join(', ')} (`);
  withNodes([...dead, rpc]);
  writeRecord(home, {
    ...defined(readRecord(home), 'record'),
    accounts: [{ name: 'alice', address: STRANGER, mnemonic: MNEMONIC }],
  });
  // The third answers: it does not know the account, as a chain of the same id that is another devnet.
  await expect(playDemo(home)).rejects.toThrow(
    `the accounts of ${home} are not on the chain at ${rpc}, or have no money there (${STRANGER})`,
  );
});
