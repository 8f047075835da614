import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { utf8 } from '../../core/bytes.ts';
import { DEFAULT_RPC_CONFIG } from './config.ts';
import { TestNode, type TestNodeOptions } from './testing/test-node.ts';

/** Machines may be busy: what is waited for comes, the question is only when. */
const PATIENCE = { timeout: 20_000, interval: 5 };

let node: TestNode;

afterEach(async () => {
  await node.stop();
});

/** A client that keeps what came. */
class Client {
  readonly socket: WebSocket;
  readonly messages: unknown[] = [];
  #next = 1;

  constructor(url: string) {
    this.socket = new WebSocket(`${url}/websocket`);
    this.socket.setMaxListeners(0);
    this.socket.on('message', (data) => this.messages.push(JSON.parse(String(data))));
  }

  async call(method: string, params: unknown): Promise<unknown> {
    const id = this.#next++;
    if (this.socket.readyState === WebSocket.CONNECTING) await once(this.socket, 'open');
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return await this.until((message) => Reflect.get(Object(message), 'id') === id);
  }

  async until(wanted: (message: unknown) => boolean): Promise<unknown> {
    for (;;) {
      const index = this.messages.findIndex(wanted);
      if (index >= 0) return this.messages[index];
      await once(this.socket, 'message');
    }
  }
}

async function start(options: TestNodeOptions = {}): Promise<Client> {
  node = await TestNode.start(options);
  return new Client(node.websocketUrl);
}

test('acknowledges, then sends events under the same id with the query as it was written', async () => {
  const client = await start();
  const query = "tm.event = 'Tx'   AND app.key='a'";
  expect(await client.call('subscribe', { query })).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  await node.commit([utf8('b=2'), utf8('a=1')]);
  await vi.waitFor(() => expect(client.messages.length).toBe(2), PATIENCE);
  expect(client.messages[1]).toMatchObject({
    id: 1,
    result: {
      query,
      data: { type: 'tendermint/event/Tx', value: { TxResult: { height: '1', index: 1, tx: 'YT0x' } } },
      events: { 'tm.event': ['Tx'], 'tx.height': ['1'], 'app.key': ['a'] },
    },
  });
  expect(await client.call('subscribe', { query })).toMatchObject({ error: { data: 'already subscribed' } });
  expect(await client.call('unsubscribe', { query: "tm.event='Tx' AND app.key='a'" })).toMatchObject({
    result: {},
  });
  await node.commit([utf8('a=2')]);
  await client.call('health', {});
  expect(client.messages.length).toBe(5);
  expect(await client.call('unsubscribe_all', {})).toMatchObject({
    error: { data: 'subscription not found' },
  });
  client.socket.close();
});

test('an index of 0 is left out of the event, as CometBFT does', async () => {
  const client = await start();
  await client.call('subscribe', ["tm.event='Tx'"]);
  await node.commit([utf8('a=1')]);
  const event = await client.until((message) => JSON.stringify(message).includes('TxResult'));
  expect(JSON.stringify(event)).not.toContain('"index":0');
  client.socket.close();
});

test('limits subscriptions per client and clients, and frees them when a connection ends', async () => {
  const client = await start({ config: { subscriptionsPerClientMax: 2, subscriptionClientsMax: 1 } });
  await client.call('subscribe', { query: "tm.event='Tx'" });
  await client.call('subscribe', { query: "tm.event='NewBlock'" });
  expect(await client.call('subscribe', { query: "tm.event='Vote'" })).toMatchObject({
    error: { code: -32603, data: 'max_subscriptions_per_client 2 reached' },
  });
  const other = new Client(node.websocketUrl);
  expect(await other.call('subscribe', { query: "tm.event='Tx'" })).toMatchObject({
    error: { data: 'max_subscription_clients 1 reached' },
  });
  client.socket.close();
  await vi.waitFor(() => expect(node.bus.clientCount()).toBe(0), PATIENCE);
  expect(await other.call('subscribe', { query: "tm.event='Tx'" })).toMatchObject({ result: {} });
  expect(await other.call('subscribe', { query: 'x'.repeat(513) })).toMatchObject({
    error: { data: 'maximum query length exceeded' },
  });
  expect(await other.call('subscribe', { query: 'tm.event' })).toMatchObject({
    error: { data: expect.stringContaining('failed to parse query') },
  });
  other.socket.close();
});

test('a client that takes nothing is told what it missed, and its subscription ends', async () => {
  const client = await start({
    config: { websocket: { ...DEFAULT_RPC_CONFIG.websocket, bufferedBytesMax: 1 << 16 } },
    events: { bufferMax: 10 },
  });
  await client.call('subscribe', { query: "tm.event='Tx'" });
  client.socket.pause();
  const value = 'x'.repeat(50_000);
  for (let round = 0; node.bus.clientCount() > 0 && round < 200; round++) {
    await node.commit(Array.from({ length: 20 }, (_, index) => utf8(`k${round}-${index}=${value}`)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(node.bus.clientCount()).toBe(0);
  client.socket.resume();
  const last = await client.until((message) => JSON.stringify(message).includes('subscription was canceled'));
  expect(last).toMatchObject({
    id: 1,
    error: {
      code: -32000,
      message: 'Server error',
      data: expect.stringMatching(
        /^subscription was canceled \(reason: internal subscription event buffer is out of capacity; 11 events/,
      ),
    },
  });
  client.socket.close();
});

test('answers many requests that come at once, all of them', async () => {
  const client = await start({
    config: { websocket: { ...DEFAULT_RPC_CONFIG.websocket, requestsMax: 4 } },
  });
  await client.call('health', {});
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      client.call('broadcast_tx_sync', { tx: Buffer.from(`k=${index}`).toString('base64') }),
    ),
  );
  expect(answers.every((answer) => JSON.stringify(answer).includes('"code":0'))).toBe(true);
  expect(node.mempool.list(3).map((tx) => Buffer.from(tx).toString())).toEqual(['k=0', 'k=1', 'k=2']);
  client.socket.close();
});

test('silent clients are cut off, those that answer pings are not', async () => {
  const client = await start({
    config: {
      websocket: { ...DEFAULT_RPC_CONFIG.websocket, pingPeriodMs: 50, readWaitMs: 1500, writeWaitMs: 10_000 },
    },
  });
  await client.call('health', {});
  const silent = new WebSocket(`${node.websocketUrl}/websocket`, { autoPong: false });
  await once(silent, 'open');
  await once(silent, 'close');
  expect(client.socket.readyState).toBe(WebSocket.OPEN);
  client.socket.close();
});

test('a stopping node tells its clients', async () => {
  const client = await start();
  await client.call('subscribe', { query: "tm.event='Tx'" });
  node.bus.stop();
  await client.until((message) => JSON.stringify(message).includes('CometBFT exited'));
  client.socket.close();
});
