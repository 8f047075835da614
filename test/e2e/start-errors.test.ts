import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLevelDatabase } from '../../node/database.ts';
import { lockHolder } from '../../cli/process-lock.ts';
import { nodeLockPath } from '../../cli/home/node-lock.ts';
import { type Ended, RunningDevnet, RunningNode, runProgram, temporaryHome } from './program.ts';
import { blockAt } from './rpc.ts';

/** What a home's blocks wait for: the tests need a few of them. */
const COMMIT = 'timeout_commit = "100ms"';
/** After the test before, in a group that runs beside another. */
const IN_TURN = { concurrent: false };
const ANY = ['--rpc-laddr', 'tcp://127.0.0.1:0', '--p2p-laddr', 'tcp://127.0.0.1:0'];

let homes = '';
beforeAll(async () => {
  homes = temporaryHome();
  const template = join(homes, 'template');
  await runProgram(['init', 'template', '--home', template, ...ANY]);
  edit(config(template), (text) => text.replace('timeout_commit = "1s"', COMMIT));
});
afterAll(() => rmSync(homes, { recursive: true, force: true }));

/** A copy of a home that works; `spoil` then breaks it. */
function brokenHome(name: string, spoil: (home: string) => void): string {
  const home = join(homes, name);
  cpSync(join(homes, 'template'), home, { recursive: true });
  spoil(home);
  return home;
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

/** One sentence on standard error, nothing else, exit code 1. */
function expectSentence(ended: Ended, sentence: RegExp): void {
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(ended.stderr).toMatch(/^openledgerd: /);
  expect(ended.code).toBe(1);
}

const config = (home: string): string => join(home, 'config', 'config.toml');
const genesis = (home: string): string => join(home, 'config', 'genesis.json');

// Two at a time: what is wrong with a start, and beside it what needs blocks before.
describe.concurrent('openledgerd start says in one sentence', () => {
  it.each([
    [
      'that a setting is wrong',
      (home: string) => edit(config(home), (text) => text.replace(COMMIT, 'timeout_commit = "soon"')),
      /config\.toml: consensus\.timeout_commit is "soon", but must be a duration/,
    ],
    [
      'that the configuration is not TOML',
      (home: string) => writeFileSync(config(home), '[rpc'),
      /config\.toml is not valid TOML/,
    ],
    [
      'that the genesis is not JSON',
      (home: string) => writeFileSync(genesis(home), '{'),
      /genesis\.json is not valid: .*is not JSON/,
    ],
    [
      'that the genesis does not validate',
      (home: string) =>
        edit(genesis(home), (text) =>
          text.replace('"supply": []', '"supply": [{"denom":"uopen","amount":"5"}]'),
        ),
      /app_state\.bank\.supply: is 5uopen, but the balances add up to/,
    ],
    ['that there is no genesis', (home: string) => rmSync(genesis(home)), /cannot read the genesis/],
    [
      'that the node key is damaged',
      (home: string) => writeFileSync(join(home, 'config', 'node_key.json'), '{}'),
      /node key .* cannot be read/,
    ],
    [
      'that the signing state is missing',
      (home: string) => rmSync(join(home, 'data', 'priv_validator_state.json')),
      /has no signing state .*double signature/,
    ],
    [
      'that the signing state is empty',
      (home: string) => writeFileSync(join(home, 'data', 'priv_validator_state.json'), ''),
      /priv_validator_state\.json/,
    ],
    [
      'that the signing state is damaged',
      (home: string) => writeFileSync(join(home, 'data', 'priv_validator_state.json'), '{"height":"x"}'),
      /priv_validator_state\.json/,
    ],
  ])('%s', IN_TURN, async (name, spoil, sentence) => {
    const home = brokenHome(name.replaceAll(' ', '-'), spoil);
    expectSentence(await runProgram(['start', '--home', home]), sentence);
  });

  it('that there is no node', IN_TURN, async () => {
    expectSentence(
      await runProgram(['start', '--home', join(homes, 'nowhere')]),
      /there is no node in .*init/,
    );
  });

  it('that it failed, and ends although something is still open', IN_TURN, async () => {
    const flags = ['--import', 'data:text/javascript,setInterval(() => undefined, 1e6)'];
    const args = ['start', '--home', join(homes, 'nowhere')];
    expectSentence(await runProgram(args, { nodeFlags: flags }), /there is no node in /);
  });

  it.each(['--rpc-laddr', '--p2p-laddr'])('that the port of %s is taken', IN_TURN, async (option) => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const home = brokenHome(`port${option}`, () => undefined);
    const ended = await runProgram(['start', '--home', home, option, `tcp://127.0.0.1:${port}`]);
    await new Promise((resolve) => server.close(resolve));
    expectSentence(ended, new RegExp(`${port}.*(taken|in use)`));
  });
});

/** In the record of the last state. */
async function turnBit(directory: string): Promise<void> {
  const database = await openLevelDatabase(directory);
  const key = Buffer.from('state');
  const record = Buffer.from(database.getSync(key) ?? []);
  record[20] = (record[20] ?? 0) ^ 8;
  const batch = database.batch();
  batch.put(key, record);
  await batch.write({ sync: true });
  await database.close();
}

describe.concurrent('what has run before', () => {
  it('says that the home holds another chain, and that it runs already', IN_TURN, async () => {
    const home = brokenHome('other-chain', () => undefined);
    const node = await RunningNode.start(home);
    await node.waitForHeight(2);
    expectSentence(
      await runProgram(['start', '--home', home]),
      /is running already \(process \d+\); stop it first/,
    );
    await node.stop();
    edit(genesis(home), (text) => text.replace('openledger-devnet-1', 'another-1'));
    expectSentence(
      await runProgram(['start', '--home', home]),
      /openledger-devnet-1.*another-1|another-1.*openledger-devnet-1/,
    );
  });

  it(
    'goes on after a torn end of its write-ahead log, and says how to repair what it cannot, a bit of a database included',
    IN_TURN,
    async () => {
      const home = brokenHome('damaged', () => undefined);
      const first = await RunningNode.start(home);
      await first.waitForHeight(3);
      const before = await blockAt(first.rpc, 3);
      await first.stop();
      const wal = join(home, 'data', 'cs.wal');
      const last = readdirSync(wal).sort().at(-1) ?? '';
      appendFileSync(join(wal, last), Buffer.from('half a record'));
      const second = await RunningNode.start(home);
      await second.waitForHeight(5);
      expect(await blockAt(second.rpc, 3)).toEqual(before);
      await second.stop();
      await turnBit(join(home, 'data', 'state.db'));
      expectSentence(
        await runProgram(['start', '--home', home]),
        /state\.db is damaged: record 7374617465: .* delete all in it but priv_validator_state\.json and sync again/,
      );
      const blocks = join(home, 'data', 'blockstore.db');
      for (const name of readdirSync(blocks)) {
        if (name.startsWith('MANIFEST')) writeFileSync(join(blocks, name), 'no manifest');
      }
      expectSentence(
        await runProgram(['start', '--home', home]),
        /cannot open the block store .*restore .*or delete all in the data directory but priv_validator_state\.json and sync again/,
      );
    },
  );

  it(
    'as a devnet: says that its home is another chain, and which of its nodes does not start',
    IN_TURN,
    async () => {
      const home = join(homes, 'devnet');
      const devnet = await RunningDevnet.start([
        ...['--home', home, '--validators', '2', '--rpc-port', '0', '--chain-id', 'one-1'],
      ]);
      await devnet.stop();
      expectSentence(
        await runProgram(['devnet', '--home', home, '--chain-id', 'two-2']),
        /holds a devnet with another chain id \(one-1 there, two-2 asked for\); use --reset/,
      );
      writeFileSync(genesis(join(home, 'node1')), '{');
      const ended = await runProgram(['devnet', '--json', '--home', home]);
      expectSentence(ended, /^openledgerd: node1 did not start: .*genesis\.json is not valid: .*is not JSON/);
      expect(ended.stdout).toBe('');
      // The other one was stopped.
      expect(lockHolder(nodeLockPath(join(home, 'node0')))).toBeUndefined();
    },
  );

  it('as a devnet: says that --reset would delete something else', IN_TURN, async () => {
    expectSentence(await runProgram(['devnet', '--home', homes, '--reset']), /not the home of a devnet/);
  });
});
