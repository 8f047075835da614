import { existsSync, readFileSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ics23, iavlSpec, tendermintSpec, verifyMembership } from '@confio/ics23';
import { fromBech32 } from '@cosmjs/encoding';
import { assertIsDeliverTxSuccess, coins } from '@cosmjs/stargate';
import { Comet38Client, connectComet } from '@cosmjs/tendermint-rpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { processEnd } from './processes.ts';
import { launcher, RunningDevnet, RunningNode, runProgram, temporaryHome } from './program.ts';
import { blockAt, blockOnceThere, call, heightOf } from './rpc.ts';
import { signingClient } from './wallet.ts';

/** Of the issue, on a machine that does nothing else. */
const FIRST_BLOCK_MS_AIM = 5_000;
/** A start that is stuck, whatever else the machine does: what it took is printed, not judged. */
const STUCK_MS = 600_000;

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

let home = '';
let elsewhere = '';
let devnet: RunningDevnet;
let firstBlockMs = Number.NaN;

beforeAll(async () => {
  home = temporaryHome();
  elsewhere = temporaryHome();
  const startMs = performance.now();
  devnet = await RunningDevnet.start([
    '--home',
    home,
    '--rpc-port',
    '0',
    '--block-time',
    '200ms',
    '--accounts',
    '3',
  ]);
  await devnet.waitForHeight(1);
  firstBlockMs = performance.now() - startMs;
}, STUCK_MS);

afterAll(async () => {
  await devnet?.stop();
  for (const each of [home, elsewhere]) rmSync(each, { recursive: true, force: true });
});

const rpcOf = (index: number): string => devnet.ready.nodes[index]?.rpc ?? '';
const accountOf = (index: number) => {
  const account = devnet.ready.accounts[index];
  if (account === undefined) throw new Error(`there is no account ${index}`);
  return account;
};

interface ProvedAnswer {
  readonly code: number;
  readonly height: string;
  /** Base64, as the rest. */
  readonly key: string;
  readonly value: string;
  readonly proofOps: { readonly ops: readonly { type: string; key: string; data: string }[] };
}

const base64 = (text: string): Buffer => Buffer.from(text, 'base64');

/** Of the SDK's bank: 2, the address with its length before it, the denom. */
function balanceKeyOf(address: string, denom: string): Buffer {
  const { data } = fromBech32(address);
  return Buffer.concat([Uint8Array.of(2, data.length), data, Buffer.from(denom)]);
}

/** Whether the balance is in the store of bank, and that store in the state of an app hash. */
function provenUnder(appHash: Uint8Array, { key, value, proofOps }: ProvedAnswer) {
  const [tree, stores] = proofOps.ops;
  if (tree === undefined || stores === undefined || proofOps.ops.length !== 2)
    throw new Error('not two proofs');
  expect([tree, stores].map((op) => [op.type, base64(op.key).toString('latin1')])).toEqual([
    ['ics23:iavl', base64(key).toString('latin1')],
    ['ics23:simple', 'bank'],
  ]);
  const inBank = ics23.CommitmentProof.decode(base64(tree.data));
  const ofBank = ics23.CommitmentProof.decode(base64(stores.data));
  const root = ofBank.exist?.value ?? new Uint8Array();
  return {
    balance: verifyMembership(inBank, iavlSpec, root, base64(key), base64(value)),
    store: verifyMembership(ofBank, tendermintSpec, appHash, Buffer.from('bank'), root),
  };
}

describe('a devnet of four validators', () => {
  it('makes its first block, and prints after what time', () => {
    const load = (loadavg()[0] ?? 0).toFixed(1);
    process.stdout.write(
      `first block ${Math.round(firstBlockMs)} ms after the start (aim: ${FIRST_BLOCK_MS_AIM} ms on an idle ` +
        `machine; load average now ${load})\n`,
    );
    // What a busy machine makes of the time is no failure; a devnet that makes no block is.
    expect(devnet.height).toBeGreaterThanOrEqual(1);
  });

  it('says what it is: four processes, endpoints, accounts', () => {
    const { nodes, accounts, chain_id } = devnet.ready;
    expect(chain_id).toBe('openledger-devnet-1');
    expect(new Set(nodes.map((node) => node.pid)).size).toBe(4);
    for (const node of nodes) {
      expect(() => process.kill(node.pid, 0)).not.toThrow();
      expect(node.p2p).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3Koo/);
      expect(existsSync(join(node.home, 'config', 'config.toml'))).toBe(true);
    }
    expect(accounts.map(({ name }) => name)).toEqual(['alice', 'bob', 'carol']);
    const record = JSON.parse(readFileSync(join(home, 'devnet.json'), 'utf8'));
    expect(record).toMatchObject({ chain_id, nodes, accounts, prefix: 'open', denom: 'uopen' });
  });

  it('serves stock CosmJS: a transfer through one node is read back from another', async () => {
    expect(await connectComet(rpcOf(0))).toBeInstanceOf(Comet38Client);
    const [alice, bob] = [accountOf(0), accountOf(1)];
    const client = await signingClient(devnet.ready, alice, rpcOf(0));
    const { denom } = devnet.ready;
    const before = await client.getBalance(bob.address, denom);
    const sent = await client.sendTokens(alice.address, bob.address, coins(12_345, denom), 'auto', 'hello');
    assertIsDeliverTxSuccess(sent);
    await devnet.waitForHeight(sent.height);
    const reader = await signingClient(devnet.ready, bob, rpcOf(2));
    const after = await reader.getBalance(bob.address, denom);
    expect(BigInt(after.amount) - BigInt(before.amount)).toBe(12_345n);
    const found = await reader.getTx(sent.transactionHash);
    expect(found).toMatchObject({ height: sent.height, code: 0 });
    expect((await reader.getSequence(alice.address)).sequence).toBe(1);
    client.disconnect();
    reader.disconnect();
  });

  it('agrees: hashes of blocks and states are equal on all nodes at every height', async () => {
    const last = await devnet.moreBlocks(3);
    for (let height = 1; height <= last; height++) {
      const blocks = await Promise.all([0, 1, 2, 3].map((node) => blockOnceThere(rpcOf(node), height)));
      expect(new Set(blocks.map(({ hash, appHash }) => `${hash} ${appHash}`)).size, `height ${height}`).toBe(
        1,
      );
    }
  });

  it('agrees on what the applications hold: `abci_info` of each node is in the next header of another', async () => {
    for (const node of [0, 1, 2, 3]) {
      const { response } = await call<{
        response: { last_block_height: string; last_block_app_hash: string };
      }>(rpcOf(node), 'abci_info');
      const height = Number(response.last_block_height);
      expect(height).toBeGreaterThan(0);
      await devnet.waitForHeight(height + 1);
      const { appHash } = await blockOnceThere(rpcOf((node + 1) % 4), height + 1);
      expect(base64(response.last_block_app_hash).toString('hex'), `node${node}`).toBe(appHash.toLowerCase());
    }
  });

  it('proves a balance: stock ICS-23 verifies what `abci_query` says against the next header', async () => {
    const { denom } = devnet.ready;
    const key = balanceKeyOf(accountOf(0).address, denom);
    const { response } = await call<{ response: ProvedAnswer }>(rpcOf(1), 'abci_query', {
      ...{ path: '/store/bank/key', data: key.toString('hex'), prove: true },
    });
    expect(response.code).toBe(0);
    expect(base64(response.key)).toEqual(key);
    const client = await signingClient(devnet.ready, accountOf(0), rpcOf(0));
    const { amount } = await client.getBalance(accountOf(0).address, denom);
    client.disconnect();
    expect(base64(response.value).toString()).toBe(amount);
    const next = Number(response.height) + 1;
    await devnet.waitForHeight(next);
    const { appHash } = await blockOnceThere(rpcOf(2), next);
    const hash = Buffer.from(appHash, 'hex');
    expect(provenUnder(hash, response)).toEqual({ balance: true, store: true });
    // The verifier is no rubber stamp: another amount, another state.
    const other = Buffer.from(`${amount}0`).toString('base64');
    expect(provenUnder(hash, { ...response, value: other })).toEqual({ balance: false, store: true });
    expect(
      provenUnder(
        hash.map((byte) => byte ^ 1),
        response,
      ),
    ).toEqual({ balance: true, store: false });
  });

  it('answers `openledgerd status`, by URL and by home, and `version`', async () => {
    const { home: nodeHome = '' } = devnet.ready.nodes[1] ?? {};
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const [byUrl, byHome, plain, long] = await Promise.all([
      runProgram(['status', '--node', rpcOf(1)]),
      runProgram(['status', '--home', nodeHome]),
      runProgram(['version']),
      runProgram(['version', '--long']),
    ]);
    for (const { code, stdout, stderr } of [byUrl, byHome]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const said = JSON.parse(stdout);
      expect(said.node_info).toMatchObject({ network: 'openledger-devnet-1', moniker: 'node1' });
      expect(Number(said.sync_info.latest_block_height)).toBeGreaterThan(0);
    }
    expect(plain).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
    expect(long).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(long.stdout)).toEqual({
      ...{ name: 'openledgerd', version, node: process.version },
      commit: expect.stringMatching(/^([0-9a-f]{40}|unknown)$/),
      platform: `${process.platform}/${process.arch}`,
    });
  });

  it('lets a node that was made by hand join, catch up and serve RPC', async () => {
    const joiner = join(elsewhere, 'joiner');
    const genesis = join(devnet.ready.nodes[0]?.home ?? '', 'config', 'genesis.json');
    const peer = devnet.ready.nodes[0]?.p2p ?? '';
    const any = 'tcp://127.0.0.1:0';
    const made = await runProgram([
      ...['init', 'joiner', '--home', joiner, '--genesis', genesis, '--persistent-peers', peer],
      ...['--rpc-laddr', any, '--p2p-laddr', any],
    ]);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const node = await RunningNode.start(joiner);
    try {
      const target = devnet.height + 2;
      await node.waitForHeight(target);
      expect(await blockAt(node.rpc, target)).toEqual(await blockAt(rpcOf(0), target));
      const client = await signingClient(devnet.ready, accountOf(2), node.rpc);
      const sent = await client.sendTokens(
        accountOf(2).address,
        accountOf(1).address,
        coins(1, devnet.ready.denom),
        'auto',
      );
      assertIsDeliverTxSuccess(sent);
      client.disconnect();
      const { validators } = await call<{ validators: unknown[] }>(node.rpc, 'validators');
      expect(validators).toHaveLength(4);
    } finally {
      expect(await node.stop()).toMatchObject({ code: 0 });
    }
  });

  it('cannot be started twice in one home', async () => {
    const { code, stderr } = await runProgram(['devnet', '--home', home]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `openledgerd: the devnet in ${home} is running already (process ${devnet.pid}); stop it first\n`,
    );
  });

  it('is audited over RPC while it runs; homes of running nodes are refused', async () => {
    const client = await signingClient(devnet.ready, accountOf(0), rpcOf(1));
    const [from, to] = [accountOf(0).address, accountOf(1).address];
    assertIsDeliverTxSuccess(await client.sendTokens(from, to, coins(1, devnet.ready.denom), 'auto'));
    client.disconnect();
    const { code, stdout, stderr } = await runProgram(['audit', '--node', rpcOf(1), '--json', '--results']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(report).toMatchObject({ event: 'report', from: '1', chainId: devnet.ready.chain_id });
    expect(report.transactions).toBeGreaterThan(0);
    const next = await blockOnceThere(rpcOf(2), Number(report.to) + 1);
    expect(report.appHash).toBe(next.appHash);
    const running = devnet.ready.nodes[0]?.home ?? '';
    const refused = await runProgram(['audit', '--home', running]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('stop it, or audit it while it runs with --node URL');
  });

  it('is audited from its stores when it stands, and continues the same chain when it is started again', async () => {
    const height = await devnet.moreBlocks(1);
    const { hash } = await blockAt(rpcOf(0), height);
    const { accounts } = devnet.ready;
    expect(await devnet.stop()).toMatchObject({ code: 0, signal: null });
    for (const node of devnet.ready.nodes) await processEnd(node.pid);
    const audited = await runProgram(['audit', '--home', devnet.ready.nodes[3]?.home ?? '']);
    expect(audited.code, audited.stderr).toBe(0);
    expect(audited.stdout).toMatch(/\nno difference: [0-9,]+uopen accounted for, to the unit\n$/);
    devnet = await RunningDevnet.start(['--home', home]);
    expect(devnet.ready.accounts).toEqual(accounts);
    await devnet.waitForHeight(height + 1);
    expect((await blockAt(rpcOf(3), height)).hash).toBe(hash);
  });

  it('stops when its supervisor is killed, and starts afresh with --reset', async () => {
    const { pid, ready } = devnet;
    process.kill(pid, 'SIGKILL');
    await devnet.ended;
    devnet = await RunningDevnet.start(['--home', home, '--reset', '--validators', '1', '--rpc-port', '0']);
    for (const node of ready.nodes) await processEnd(node.pid);
    expect(devnet.ready.nodes).toHaveLength(1);
    expect(devnet.ready.accounts[0]?.mnemonic).not.toBe(ready.accounts[0]?.mnemonic);
    await devnet.waitForHeight(1);
    expect(await heightOf(rpcOf(0))).toBeLessThan(5);
  });

  it('stops when its launcher is killed, which cannot pass that on', async () => {
    await devnet.stop();
    devnet = await RunningDevnet.start(['--home', home], launcher);
    process.kill(devnet.pid, 'SIGKILL');
    for (const node of devnet.ready.nodes) await processEnd(node.pid);
    await devnet.ended;
  });
});
