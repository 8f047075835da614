/**
 * How many `broadcast_tx_sync` a second the server and the mempool take, with an application that accepts at
 * once: the cost of ingest alone. Ways in: one request per POST, batches, websocket frames. Prints one JSON
 * line per way, with the CPU time per transaction of this process, which holds both server and client.
 *
 *   node node/rpc/bench.ts [transactions]
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { WebSocket } from 'ws';
import { TestNode } from './testing/test-node.ts';

const TX_BYTES = 320;
const CONNECTIONS = 16;
const BATCH = 100;

/** What was measured. */
export interface BenchResult {
  readonly name: string;
  readonly txs: number;
  readonly txsPerSecond: number;
  readonly cpuMicrosPerTx: number;
}

type Send = (txs: readonly string[], node: TestNode) => Promise<void>;

const WAYS: readonly (readonly [name: string, send: Send])[] = [
  [
    'post',
    (txs, node) =>
      overHttp(
        txs.map((tx, id) => body(tx, id)),
        node,
      ),
  ],
  ['batch', (txs, node) => overHttp(batches(txs), node)],
  ['websocket', overWebsocket],
];

/** Measures every way with that many transactions each. */
export async function benchBroadcast(count: number): Promise<readonly BenchResult[]> {
  const results: BenchResult[] = [];
  for (const [name, send] of WAYS) {
    const node = await TestNode.start({ config: { batchMax: 0 } });
    await send(transactions(`warm-${name}`, Math.min(count, 2000)), node);
    node.mempool.flush();
    const txs = transactions(name, count);
    const cpu = process.cpuUsage();
    const start = performance.now();
    await send(txs, node);
    const seconds = (performance.now() - start) / 1000;
    const used = process.cpuUsage(cpu);
    if (node.mempool.size !== count) throw new Error(`${name}: ${node.mempool.size} of ${count} accepted`);
    results.push({
      name: `rpc/broadcast_tx_sync/way=${name}`,
      txs: count,
      txsPerSecond: Math.round(count / seconds),
      cpuMicrosPerTx: Math.round((used.user + used.system) / count),
    });
    await node.stop();
  }
  return results;
}

function transactions(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) =>
    Buffer.from(`${name}-${index}=`.padEnd(TX_BYTES, 'x')).toString('base64'),
  );
}

function body(tx: string, id: number): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"broadcast_tx_sync","params":{"tx":"${tx}"}}`;
}

function batches(txs: readonly string[]): string[] {
  const bodies: string[] = [];
  for (let from = 0; from < txs.length; from += BATCH) {
    bodies.push(
      `[${txs
        .slice(from, from + BATCH)
        .map(body)
        .join(',')}]`,
    );
  }
  return bodies;
}

async function overHttp(bodies: readonly string[], node: TestNode): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++])
      await post(body, { agent, node });
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  agent.destroy();
}

function post(body: string, to: { readonly agent: Agent; readonly node: TestNode }): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const { port } = to.node.server;
    const call = request(
      { agent: to.agent, port, host: '127.0.0.1', method: 'POST', headers },
      (response) => {
        response.resume();
        response.on('end', resolve);
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

async function overWebsocket(txs: readonly string[], node: TestNode): Promise<void> {
  const socket = new WebSocket(`${node.websocketUrl}/websocket`);
  await once(socket, 'open');
  const { promise, resolve } = Promise.withResolvers<void>();
  let answered = 0;
  socket.on('message', () => {
    if (++answered === txs.length) resolve();
  });
  for (const [id, tx] of txs.entries()) socket.send(body(tx, id));
  await promise;
  socket.close();
}

if (import.meta.main) {
  const results = await benchBroadcast(Number(process.argv[2] ?? 20_000));
  for (const result of results) console.log(JSON.stringify(result));
}
