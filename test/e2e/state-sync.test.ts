/** A node joins a running devnet by state sync, while transfers run. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDevnet } from '../../cli/devnet/layout.ts';
import { toBase64 } from '../../core/bytes.ts';
import { RunningDevnet, RunningNode, runProgram, temporaryHome } from './program.ts';
import { blockAt, call } from './rpc.ts';
import { makeSenders, type Sender, signedSend } from './senders.ts';

const INTERVAL = 5;
const TRANSFERS_PER_BLOCK = 4n;
const CHAIN_ID = 'state-sync-1';

let home = '';
let elsewhere = '';
let devnet: RunningDevnet;
let sender: Sender;

beforeAll(async () => {
  home = temporaryHome();
  elsewhere = temporaryHome();
  [sender] = makeSenders(1, 'open') as [Sender];
  const { nodes } = await createDevnet({
    home,
    settings: {
      chainId: CHAIN_ID,
      prefix: 'open',
      denom: 'uopen',
      validators: 4,
      accounts: 1,
      blockTimeMs: 200,
      rpcPort: 0,
    },
    extraAccounts: [sender.address],
    now: new Date(),
  });
  for (const node of nodes) setting(join(node.home, 'config', 'app.toml'), 'snapshot-interval', INTERVAL);
  devnet = await RunningDevnet.start(['--home', home]);
  await devnet.waitForHeight(3 * INTERVAL + 2);
});

afterAll(async () => {
  await devnet?.stop();
  for (const each of [home, elsewhere]) rmSync(each, { recursive: true, force: true });
});

/** Sets a value in a TOML file that has the key already. */
function setting(file: string, key: string, value: string | number | boolean): void {
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(new RegExp(`^${key} = .*$`, 'm'), `${key} = ${JSON.stringify(value)}`);
  expect(changed).not.toBe(text);
  writeFileSync(file, changed);
}

const rpcOf = (index: number): string => devnet.ready.nodes[index]?.rpc ?? '';

async function newHome(name: string): Promise<string> {
  const genesis = join(devnet.ready.nodes[0]?.home ?? '', 'config', 'genesis.json');
  const made = join(elsewhere, name);
  const { code, stderr } = await runProgram(['init', name, '--home', made, '--genesis', genesis]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  const file = join(made, 'config', 'config.toml');
  setting(file, 'persistent_peers', devnet.ready.nodes.map(({ p2p }) => p2p).join(','));
  setting(file, 'enable', true);
  setting(file, 'rpc_servers', [rpcOf(0), rpcOf(1)].join(','));
  setting(file, 'discovery_time', '1s');
  return made;
}

/** Sends transfers until it is told to stop; how many went in. */
function traffic(): { readonly stop: () => Promise<number> } {
  let stopped = false;
  const running = (async () => {
    let sequence = 0n;
    while (!stopped) {
      const order = { from: sender, to: sender.address, accountNumber: 1n, sequence };
      const tx = signedSend({ chainId: CHAIN_ID, denom: 'uopen' }, order);
      const { code } = await call<{ code: number }>(rpcOf(2), 'broadcast_tx_sync', { tx: toBase64(tx) });
      if (code === 0) sequence++;
      if (code !== 0 || sequence % TRANSFERS_PER_BLOCK === 0n) await devnet.moreBlocks(1);
    }
    return Number(sequence);
  })();
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
}

it('a new node takes the state from a snapshot, follows, and agrees; after a restart it goes on', async () => {
  const made = await newHome('joiner');
  const trustHeight = INTERVAL;
  const file = join(made, 'config', 'config.toml');
  setting(file, 'trust_height', trustHeight);
  setting(file, 'trust_hash', (await blockAt(rpcOf(3), trustHeight)).hash);
  const transfers = traffic();
  const joiner = await RunningNode.start(made);
  await joiner.waitForHeight((await devnet.moreBlocks(4)) + 1);
  const target = joiner.height;
  expect(await transfers.stop()).toBeGreaterThan(5);
  const { sync_info: info } = await call<{ sync_info: { earliest_block_height: string } }>(
    joiner.rpc,
    'status',
  );
  const first = Number(info.earliest_block_height);
  expect(first % INTERVAL).toBe(0);
  expect(first).toBeGreaterThanOrEqual(2 * INTERVAL);
  await devnet.waitForHeight(target);
  for (let height = first; height <= target; height++)
    expect(await blockAt(joiner.rpc, height)).toEqual(await blockAt(rpcOf(0), height));
  for (const height of [first, first + 1, target]) {
    const asked = { height: String(height) };
    expect(await call(joiner.rpc, 'validators', asked)).toEqual(await call(rpcOf(0), 'validators', asked));
  }
  const path = '/cosmos.bank.v1beta1.Query/TotalSupply';
  const supplyAt = async (url: string): Promise<unknown> => {
    const query = { path, data: '', height: String(target - 1), prove: false };
    return (await call<{ response: { value: string } }>(url, 'abci_query', query)).response.value;
  };
  expect(await supplyAt(joiner.rpc)).toEqual(await supplyAt(rpcOf(0)));
  expect(existsSync(join(made, 'data', 'statesync'))).toBe(false);
  await joiner.stop();
  const again = await RunningNode.start(made);
  await again.waitForHeight((await devnet.moreBlocks(2)) + 1);
  await again.stop();
});

it('what is wrong in [statesync] is said in one sentence', async () => {
  const made = await newHome('wrong');
  const file = join(made, 'config', 'config.toml');
  const startError = async (): Promise<string> => {
    const { code, stderr } = await runProgram(['start', '--home', made]);
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return stderr;
  };
  expect(await startError()).toContain('statesync.trust_height is not set');
  setting(file, 'trust_height', INTERVAL);
  expect(await startError()).toContain('statesync.trust_hash is not set');
  setting(file, 'trust_hash', 'AB');
  expect(await startError()).toContain('statesync.trust_hash is "AB", but must be');
  setting(file, 'trust_hash', 'AB'.repeat(32));
  expect(await startError()).toMatch(/not the trusted ABABAB.*statesync.rpc_servers/);
  setting(file, 'rpc_servers', rpcOf(0));
  expect(await startError()).toContain('fewer than two different servers');
});
