import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../../core/errors.ts';
import { TestNode } from '../../node/rpc/testing/test-node.ts';
import { createLibp2pNetwork } from '../../p2p/libp2p.ts';
import { testKey, testOptions } from '../../p2p/testing.ts';
import type { BlockMessage } from '../child-messages.ts';
import { systemCode } from '../failure.ts';
import { lockHolder, lockOrRefuse, tryLock, waitUnlocked } from '../process-lock.ts';
import { BlockTracker } from './block-tracker.ts';
import { writeInventory } from './inventory.ts';
import { choosePorts, withOtherPorts } from './ports.ts';
import { type DevnetRecord, readRecord, recordPath, writeRecord } from './record.ts';
import { runDevnet } from './run.ts';
import { type DevnetOptions, settingsFor } from './settings.ts';
import { humanView, jsonView } from './view.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-devnet-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const record: DevnetRecord = {
  version: 1,
  chain_id: 'test-1',
  prefix: 'open',
  denom: 'uopen',
  block_time_ms: 500,
  rpc_port: 0,
  nodes: [
    {
      moniker: 'node0',
      home: '/x/node0',
      pid: 5,
      rpc: 'http://127.0.0.1:1',
      p2p: '/ip4/127.0.0.1/tcp/2/p2p/Q',
    },
  ],
  accounts: [{ name: 'alice', address: 'open1x', mnemonic: 'a b c' }],
};
const options = (given: Partial<DevnetOptions>): DevnetOptions => ({
  home,
  reset: false,
  json: false,
  ...given,
});
const block = (height: number): BlockMessage => ({
  event: 'block',
  height,
  hash: 'AB',
  app_hash: 'CDEF',
  time: new Date(height * 1000).toISOString(),
  txs: 2,
  failed: 0,
});

const ALL_RUN = { all: 1, down: [], byHand: [] };

describe('settings', () => {
  it('are the defaults of the issue for a new home', () => {
    expect(settingsFor(options({}), undefined)).toMatchObject({
      chainId: 'openledger-devnet-1',
      prefix: 'open',
      validators: 4,
      blockTimeMs: 1000,
      rpcPort: 26657,
    });
  });

  it('come from the home when it is continued, and may change where the chain does not', () => {
    const settings = settingsFor(options({ blockTimeMs: 100 }), record);
    expect(settings).toMatchObject({ chainId: 'test-1', validators: 1, blockTimeMs: 100, rpcPort: 0 });
  });

  it.each([
    [{ chainId: 'other' }, /another chain id \(test-1 there, other asked for\)/],
    [{ validators: 2 }, /another number of validators/],
    [{ prefix: 'cosmos' }, /another prefix/],
    [{ denom: 'uatom' }, /another denom \(uopen there, uatom asked for\)/],
    [{ mnemonic: 'x' }, /another mnemonic;/],
  ])('refuse to make another chain of a home: %j', (given, message) => {
    expect(() => settingsFor(options(given), record)).toThrow(message);
  });

  it.each([
    [{ validators: 0 }, /--validators must be a whole number from 1 to 10/],
    [{ validators: 11 }, /--validators/],
    [{ rpcPort: 80 }, /--rpc-port/],
    [
      { chainId: 'a b' },
      /--chain-id cannot be "a b"; it must be 1 to 50 letters, digits, .*such as my-chain-1$/,
    ],
    [{ prefix: 'Open' }, /--prefix cannot be "Open"; it must be 1 to 20 lower-case .* such as open$/],
    [{ denom: 'open' }, /--denom cannot be "open"; it must be a u .* such as uopen$/],
    [{ blockTimeMs: 0 }, /--block-time/],
  ])('refuse %j', (given, message) => {
    expect(() => settingsFor(options(given), undefined)).toThrow(message);
  });
});

describe('devnet.json', () => {
  it('comes back as it was written', () => {
    expect(readRecord(home)).toBeUndefined();
    writeRecord(home, record);
    expect(readRecord(home)).toEqual(record);
  });

  it.each(['{', '{}', JSON.stringify({ ...record, version: 2 })])('is refused with a way out: %s', (text) => {
    writeFileSync(recordPath(home), text);
    expect(() => readRecord(home)).toThrow(/cannot be used: .*; restore it, or choose another --home$/);
    writeInventory(home, { state: 'made', files: [] });
    expect(() => readRecord(home)).toThrow(/cannot be used: .*; restore it, or start .* with --reset$/);
  });
});

describe('a refused start', () => {
  const never = { requested: new Promise<void>(() => undefined), forced: new Promise<void>(() => undefined) };
  const silent = { out: () => undefined, note: () => undefined, interactive: false, ask: async () => '' };

  it('on a taken port, or with a wrong mnemonic, makes nothing', async () => {
    const server = createServer();
    const rpcPort = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
      });
    });
    const fresh = join(home, 'fresh');
    const start = (given: Partial<DevnetOptions>): Promise<void> =>
      runDevnet(options({ home: fresh, validators: 1, ...given }), silent, never);
    await expect(start({ rpcPort })).rejects.toThrow(`port ${rpcPort} (RPC of node0) is taken`);
    await expect(start({ rpcPort: 0, mnemonic: 'a b c' })).rejects.toThrow('the mnemonic is not valid');
    expect(existsSync(fresh)).toBe(false);
    // Nor does it delete what is there.
    writeRecord(home, record);
    await expect(start({ home, rpcPort, reset: true })).rejects.toThrow('is taken');
    await expect(start({ home, prefix: 'A', reset: true })).rejects.toThrow('--prefix');
    expect(readRecord(home)).toEqual(record);
    await new Promise((resolve) => server.close(resolve));
  });

  it('names a home that is a file', async () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    for (const reset of [false, true])
      await expect(runDevnet(options({ home: file, reset }), silent, never)).rejects.toThrow(
        `${file} is not a folder; name one with --home`,
      );
  });
});

describe('ports', () => {
  it('are different and free when any will do', async () => {
    const ports = await choosePorts({ nodes: 4, rpcPort: 0 });
    expect(new Set(ports.flatMap((each) => [each.rpc, each.p2p])).size).toBe(8);
  });

  it('follow from the first, and a taken one is named', async () => {
    const [free] = await choosePorts({ nodes: 1, rpcPort: 0 });
    const rpcPort = free?.rpc ?? 0;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(rpcPort, '127.0.0.1', resolve));
    await expect(choosePorts({ nodes: 1, rpcPort })).rejects.toThrow(
      `port ${rpcPort} (RPC of node0) is taken; stop what uses it`,
    );
    await new Promise((resolve) => server.close(resolve));
    const again = await choosePorts({ nodes: 1, rpcPort });
    expect(again).toEqual([{ rpc: rpcPort, p2p: rpcPort - 1 }]);
  });
});

describe('a port that is taken between choosing and using it', () => {
  const taken = new LedgerError('devnet.node', 'node0 did not start', { system: 'EADDRINUSE' });

  /** What became of a start whose attempts end like this. */
  async function outcome(ends: readonly (Error | undefined)[], anyPort = true): Promise<string> {
    const left = [...ends];
    let undone = 0;
    const start = async (): Promise<void> => {
      const error = left.shift();
      if (error !== undefined) throw error;
    };
    const undo = async (): Promise<void> => void undone++;
    const how = await withOtherPorts({ start, undo, anyPort }).then(
      () => 'started',
      (error: Error) => error.message,
    );
    return `${how}, ${undone} undone, ${left.length} left`;
  }

  it('is replaced by another when any will do, a few times', async () => {
    expect(await outcome([undefined])).toBe('started, 0 undone, 0 left');
    expect(await outcome([taken, taken, undefined])).toBe('started, 2 undone, 0 left');
    expect(await outcome([taken, taken, taken, undefined])).toBe('node0 did not start, 2 undone, 1 left');
  });

  it('is not, when the port was asked for or something else is wrong', async () => {
    expect(await outcome([taken, undefined], false)).toBe('node0 did not start, 0 undone, 1 left');
    expect(await outcome([new Error('other'), undefined])).toBe('other, 0 undone, 1 left');
  });

  it('is recognised in what the RPC server and the peer network say', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const rpc = await TestNode.start({ config: { port } }).catch((error: unknown) => error);
    expect(systemCode(rpc)).toBe('EADDRINUSE');
    const network = await createLibp2pNetwork({
      ...testOptions({}),
      privateKey: testKey(1),
      listen: [`/ip4/127.0.0.1/tcp/${port}`],
    });
    const peers = await network.start().catch((error: unknown) => error);
    expect(systemCode(peers)).toBe('EADDRINUSE');
    expect(String(peers)).toMatch(/it is taken; stop what uses it, or choose another p2p.laddr/);
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('lock', () => {
  it('is held by one living process', async () => {
    const path = join(home, 'lock');
    const unlock = lockOrRefuse(path, 'the devnet');
    expect(lockHolder(path)).toBe(process.pid);
    expect(tryLock(path)).toBeUndefined();
    expect(() => lockOrRefuse(path, 'the devnet')).toThrow(
      `the devnet is running already (process ${process.pid})`,
    );
    expect(await waitUnlocked(path, 0)).toBe(false);
    unlock();
    expect(lockHolder(path)).toBeUndefined();
    expect(await waitUnlocked(path, 0)).toBe(true);
  });

  it('left behind by a dead process, another life of its number, or half-written, does not count', () => {
    const path = join(home, 'lock');
    const { pid } = spawnSync(process.execPath, ['--version']);
    for (const content of [
      JSON.stringify({ pid, started: '1' }),
      JSON.stringify({ pid: process.pid, started: '1' }),
      '{',
    ]) {
      writeFileSync(path, content);
      expect(lockHolder(path)).toBeUndefined();
      const unlock = tryLock(path);
      expect(lockHolder(path)).toBe(process.pid);
      unlock?.();
    }
  });
});

describe('blocks of several nodes', () => {
  function tracked() {
    const emitted: number[] = [];
    const due: (() => void)[] = [];
    const tracker = new BlockTracker(
      {
        schedule: (_, callback) => {
          due.push(callback);
          return () => undefined;
        },
      },
      (each) => emitted.push(each.height),
    );
    for (const node of ['a', 'b']) tracker.join(node);
    return { tracker, emitted, due };
  }

  it('come once, in order, when all nodes have them', () => {
    const { tracker, emitted } = tracked();
    tracker.report('a', block(1));
    tracker.report('a', block(2));
    expect(emitted).toEqual([]);
    tracker.report('b', block(1));
    expect(emitted).toEqual([1]);
    tracker.report('b', block(2));
    expect(emitted).toEqual([1, 2]);
  });

  it('do not wait for a node that is gone, nor long for one that lags', () => {
    const { tracker, emitted, due } = tracked();
    tracker.report('a', block(7));
    tracker.report('a', block(8));
    due[1]?.();
    expect(emitted).toEqual([7, 8]);
    tracker.report('a', block(9));
    tracker.leave('b');
    expect(emitted).toEqual([7, 8, 9]);
    tracker.report('a', block(9));
    expect(emitted).toEqual([7, 8, 9]);
  });
});

describe('views', () => {
  function viewed(interactive: boolean, columns?: number) {
    let text = '';
    const terminal = {
      out: (more: string) => {
        text += more;
      },
      note: () => undefined,
      ask: async () => '',
      interactive,
      columns,
    };
    return { terminal, text: () => text };
  }

  it('for programs are JSON objects, one a line, ready first', () => {
    const { terminal, text } = viewed(false);
    const view = jsonView(terminal);
    view.ready(record);
    view.block(block(1), ALL_RUN);
    const [ready, first] = text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(ready).toEqual({
      event: 'ready',
      chain_id: 'test-1',
      prefix: 'open',
      denom: 'uopen',
      nodes: record.nodes,
      accounts: record.accounts,
    });
    expect(first).toMatchObject({ event: 'block', height: 1 });
  });

  it('for people have a table, then one line that is redrawn', () => {
    const { terminal, text } = viewed(true);
    const view = humanView(terminal, '.devnet', Date.parse(block(1).time));
    view.ready(record);
    expect(text()).toMatch(/node0 +http:\/\/127\.0\.0\.1:1/);
    expect(text()).toMatch(/alice +open1x +a b c/);
    for (const height of [1, 2, 3]) view.block(block(height), ALL_RUN);
    expect(text().split('\n').at(-1)).toBe(
      '\r\u001b[Kblock 1 · 2 tx (2 in all) · 1/1 nodes · app hash cdef…' +
        '\r\u001b[Kblock 2 · 2 tx (4 in all) · 1/1 nodes · app hash cdef…' +
        '\r\u001b[Kblock 3 · 1.00 s/block · 2 tx (6 in all) · 1/1 nodes · app hash cdef…',
    );
  });

  it('name the nodes that are down and those that somebody started by hand', () => {
    const { terminal, text } = viewed(false);
    const view = humanView(terminal, '.devnet', 0);
    view.exited('node2', 'signal SIGKILL', '/x/node2');
    view.block(block(1), { all: 4, down: ['node2', 'node3'], byHand: [] });
    view.block(block(2), { all: 4, down: ['node3'], byHand: ['node2'] });
    view.stopped([{ moniker: 'node2', pid: 77 }]);
    expect(text().trimEnd().split('\n')).toEqual([
      'node2 stopped (signal SIGKILL); start it again with: npm run openledgerd -- start --home /x/node2',
      expect.stringContaining('· 2/4 nodes (node2, node3 down) ·'),
      expect.stringContaining('· 3/4 nodes (node3 down; node2 by hand) ·'),
      'node2 was started by hand and still runs (process 77); stop it with: kill 77',
      expect.stringContaining('stopped; the same command'),
    ]);
    const programs = viewed(false);
    jsonView(programs.terminal).stopped([{ moniker: 'node2', pid: 77 }]);
    expect(JSON.parse(programs.text())).toEqual({ event: 'left', moniker: 'node2', pid: 77 });
  });

  it('for people fit a narrow terminal', () => {
    const { terminal, text } = viewed(true, 80);
    const id = 'Q'.repeat(52);
    const mnemonic = 'word '.repeat(23).concat('last');
    const view = humanView(terminal, '.devnet', 0);
    view.ready({
      ...record,
      nodes: record.nodes.map((node) => ({ ...node, p2p: `/ip4/127.0.0.1/tcp/2/p2p/${id}` })),
      accounts: record.accounts.map((account) => ({ ...account, mnemonic })),
    });
    const lines = text().split('\n');
    expect(lines).toContain(`node0  ${id}@127.0.0.1:2`);
    expect(lines).toContain(mnemonic);
    expect(
      lines.filter((line) => line.length > 80 && line !== mnemonic && !line.startsWith('Devnet')),
    ).toEqual([]);
    view.block({ ...block(123_456_789), txs: 10_000, app_hash: 'A'.repeat(64) }, { ...ALL_RUN, all: 10 });
    expect(text().split('\r\u001b[K').at(-1)).toHaveLength(79);
  });
});
