import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { portsWhileSyncing } from './while-syncing.ts';
import type { RpcPorts } from './ports.ts';
import { TestNode } from './testing/test-node.ts';

let node: TestNode | undefined;

afterEach(async () => {
  await node?.stop();
  node = undefined;
});

async function startedWhileSyncing(): Promise<{ readonly node: TestNode; readonly whole: RpcPorts }> {
  const started = await TestNode.start();
  node = started;
  const whole = started.ports;
  const status = { ...whole.status, catchingUp: () => true };
  started.server.use(portsWhileSyncing({ ...whole, status, indexes: true }));
  return { node: started, whole };
}

async function call(method: string, params: unknown = {}): Promise<{ result?: unknown; error?: unknown }> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(node?.url ?? '', { method: 'POST', body });
  return (await response.json()) as { result?: unknown; error?: unknown };
}

test('a node that restores its state tells of itself', async () => {
  const { node } = await startedWhileSyncing();
  await node.commit();
  expect(await call('health')).toMatchObject({ result: {} });
  expect(await call('status')).toMatchObject({
    result: {
      node_info: { moniker: 'node', other: { tx_index: 'on' } },
      sync_info: { catching_up: true, latest_block_height: '0', earliest_block_height: '0' },
      validator_info: { voting_power: '0' },
    },
  });
  expect(await call('net_info')).toMatchObject({ result: { n_peers: '1' } });
  expect(await call('genesis')).toHaveProperty('result.genesis.chain_id');
  expect(await call('num_unconfirmed_txs')).toMatchObject({ result: { n_txs: '0' } });
});

test.each([
  ['abci_info', {}],
  ['abci_query', { path: '/a', data: '', height: '0', prove: false }],
  ['broadcast_tx_sync', { tx: '' }],
  ['broadcast_tx_commit', { tx: '' }],
  ['check_tx', { tx: '' }],
  ['tx', { hash: 'AAAA', prove: false }],
  ['tx_search', { query: 'tx.height=1', prove: false, order_by: 'asc' }],
])('%s is refused in words', async (method, params) => {
  await startedWhileSyncing();
  const { error } = await call(method, params);
  expect(JSON.stringify(error)).toContain('restoring its state (state sync)');
});

test.each(['validators', 'consensus_params', 'block_results', 'consensus_state'])(
  '%s: there is none',
  async (method) => {
    await startedWhileSyncing();
    expect(await call(method)).toHaveProperty('error');
    expect(node?.logger.errors).toEqual([]);
  },
);

test('block and commit are empty, as before the first block of a chain', async () => {
  await startedWhileSyncing();
  expect(await call('block')).toMatchObject({ result: { block: null } });
  expect(await call('commit')).not.toHaveProperty('result.signed_header.header.height');
});

test('once the state is there, the same server answers from it, and old websockets are closed', async () => {
  const { node, whole } = await startedWhileSyncing();
  await node.commit();
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/websocket`);
  await new Promise((resolve) => socket.once('open', resolve));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  node.server.use(whole);
  await closed;
  expect(await call('status')).toMatchObject({ result: { sync_info: { latest_block_height: '1' } } });
  expect(await call('abci_info')).toHaveProperty('result');
});
