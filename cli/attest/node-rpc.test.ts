import { afterEach, expect, test } from 'vitest';
import { type HostileServer, hostileServer } from '../../attest/watch/testing/hostile-server.ts';
import { ManualTimers } from '../../attest/watch/testing/manual-timers.ts';
import { NodeRpc, RPC_LIMITS } from './node-rpc.ts';

const servers: HostileServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function node(method: string, listener: Parameters<typeof hostileServer>[0]) {
  const server = await hostileServer(listener);
  servers.push(server);
  const timers = new ManualTimers();
  const rpc = new NodeRpc(server.url, RPC_LIMITS, timers);
  const answer = rpc
    .execute({ jsonrpc: '2.0', id: 7, method, params: {} })
    .catch((error: Error) => error.message);
  return { server, timers, answer };
}

const reply = (body: unknown): Parameters<typeof hostileServer>[0] => {
  return (_, __, response) => void response.end(JSON.stringify(body));
};

test('a result is a result, and an error has the words of the node', async () => {
  const { answer } = await node('status', reply({ jsonrpc: '2.0', id: 7, result: { a: 1 } }));
  expect(await answer).toEqual({ jsonrpc: '2.0', id: 7, result: { a: 1 } });
  const { answer: refused, server } = await node('tx', reply({ error: { code: -32603, message: 'no tx' } }));
  expect([await refused, server.asked()]).toEqual(['{"code":-32603,"message":"no tx"}', 1]);
});

test('a node that never answers, or fails for a while, is asked three times', async () => {
  const hanging = await node('status', () => undefined);
  for (const [before, pause] of [100, 200].entries()) {
    await hanging.server.arrived(before + 1);
    await hanging.timers.pass(RPC_LIMITS.timeMs);
    await hanging.timers.pass(pause);
  }
  await hanging.server.arrived(3);
  await hanging.timers.pass(RPC_LIMITS.timeMs);
  expect([await hanging.answer, hanging.server.asked()]).toEqual(['no answer: not within 10000 ms', 3]);
  const failing = await node('status', (before, _, response) => {
    if (before === 0) response.writeHead(429).end();
    else if (before === 1) response.writeHead(200).write('{"result"', () => response.destroy());
    else response.end('{"result":{}}');
  });
  for (const pause of [100, 200]) await failing.timers.pass(pause);
  expect(await failing.answer).toMatchObject({ result: {} });
});

test('a transaction is sent once: when nobody answers, it may have arrived', async () => {
  const { server, timers, answer } = await node('broadcast_tx_sync', () => undefined);
  await server.arrived(1);
  await timers.pass(RPC_LIMITS.timeMs);
  expect([await answer, server.asked(), timers.pending]).toEqual(['no answer: not within 10000 ms', 1, 0]);
});

test('a transaction is sent once: also when the node is busy, and says when to come again', async () => {
  const { server, timers, answer } = await node(
    'broadcast_tx_sync',
    (_, __, response) => void response.writeHead(503, { 'Retry-After': '0' }).end(),
  );
  expect([await answer, server.asked(), timers.pending]).toEqual(['no answer: HTTP status 503', 1, 0]);
});

test.each(['null', '[]', '7', '{}'])('%s is no answer of a node', async (body) => {
  const { timers, answer } = await node('status', (_, __, response) => void response.end(body));
  for (const pause of [100, 200]) await timers.pass(pause);
  expect(await answer).toBe('no answer: the node answers with no result and no error');
});

test('what is not there is not asked for again', async () => {
  const { server, answer } = await node('status', (_, __, response) => void response.writeHead(404).end());
  expect([await answer, server.asked()]).toEqual(['the node answers with HTTP status 404', 1]);
});
