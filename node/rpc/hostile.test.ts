/**
 * Undecodable, oversized, deeply nested and truncated input to every method: a clear error, and the server
 * goes on.
 */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { utf8 } from '../../core/bytes.ts';
import { DEFAULT_RPC_CONFIG } from './config.ts';
import { rpcMethods } from './server.ts';
import { TestNode } from './testing/test-node.ts';

let node: TestNode;
const BODY_MAX = 60_000;

beforeAll(async () => {
  node = await TestNode.start({
    config: { bodyBytesMax: BODY_MAX, uriLengthMax: 4000, batchMax: 4, broadcastCommitTimeoutMs: 50 },
  });
  await node.commit([utf8('a=1')]);
  await node.commit();
});

afterAll(async () => {
  await node.stop();
});

afterEach(async () => {
  const answer = await post('{"jsonrpc":"2.0","id":"alive","method":"health"}');
  expect(answer.json).toEqual({ jsonrpc: '2.0', id: 'alive', result: {} });
});

interface Answered {
  readonly status: number;
  readonly json: unknown;
}

async function post(body: string | Uint8Array): Promise<Answered> {
  const response = await fetch(node.url, { method: 'POST', body: Buffer.from(body) });
  const text = await response.text();
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
}

/** Sends bodies of 5 and 20 MB with fetch and http.request; prints what each was answered. */
const LARGE_CLIENT = `
  const { request } = require('node:http');
  const url = process.argv[1];
  const viaFetch = (body) => fetch(url, { method: 'POST', body }).then((response) => response.text());
  const viaRequest = (body) => new Promise((resolve, reject) => {
    request(url, { method: 'POST', headers: { 'content-length': body.length } }, (response) => {
      let text = '';
      response.on('data', (data) => (text += data)).on('end', () => resolve(text)).on('error', reject);
    }).on('error', reject).end(body);
  });
  (async () => {
    const answers = [];
    for (const megabytes of [5, 5, 5, 20, 20, 20]) {
      const body = Buffer.alloc(megabytes * 1e6, 120);
      for (const send of [viaFetch, viaRequest])
        answers.push(await send(body).catch((error) => error.code ?? error.cause?.code));
    }
    console.log(JSON.stringify(answers));
  })();
`;

const error = (code: number, data: unknown): unknown => ({ error: { code, data } });

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** Values that no parameter takes, or that only some take. */
const HOSTILE_VALUES: readonly unknown[] = [
  '',
  ' ',
  'null',
  '-1',
  '0',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '99999999999999999999999999999999',
  '1e3',
  '0x',
  '0xzz',
  'ü\u0000\ud800',
  "'",
  "tm.event='",
  "a.b CONTAINS 'c' AND",
  'AND AND AND',
  '%00%ff',
  '__proto__',
  'A'.repeat(2000),
  'AAA=',
  '====',
  true,
  12,
  -0.5,
  1e300,
  {},
  { toString: 1, __proto__: null },
  [],
  [[], {}],
  [1, 2, 3],
];

const names = rpcMethods(
  // Only the names and parameters are read here.
  { application: {}, blocks: {}, status: {}, events: {}, mempool: {} } as never,
  DEFAULT_RPC_CONFIG,
  () => '',
).map((method) => ({ name: method.name, params: method.params }));

describe('every method', () => {
  test.each(names)(
    '$name takes no harm from any value, by name, by position, in a URI',
    async ({ name, params }) => {
      for (const value of HOSTILE_VALUES) {
        const byName = Object.fromEntries(params.map((param) => [param, value]));
        const byPosition = params.map(() => value);
        const forms = [byName, byPosition, value, { ...byName, extra: value }];
        const calls = forms.map((given, id) => ({ jsonrpc: '2.0', id, method: name, params: given }));
        const { json } = await post(JSON.stringify(calls));
        expect(json).toMatchObject(forms.map((_given, id) => ({ jsonrpc: '2.0', id })));
        expect(Array.isArray(json) && json.every(isAnswer)).toBe(true);
        const query = new URLSearchParams();
        for (const param of params)
          query.append(param, typeof value === 'string' ? value : JSON.stringify(value));
        if (query.toString().length > 3000) continue;
        const response = await fetch(`${node.url}/${name}?${query}`);
        expect([200, 404, 500]).toContain(response.status);
        expect(isAnswer(await response.json())).toBe(true);
      }
      expect(node.logger.errors).toEqual([]);
    },
  );
});

/** True for an answer with a result, or with an error that says something. */
function isAnswer(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  if ('result' in json) return true;
  return 'error' in json && /"code":-32\d{3},"message":"\w+/.test(JSON.stringify(json.error));
}

describe('a body', () => {
  test.each<[string, string]>([
    ['truncated', '{"jsonrpc":"2.0","id":1,"method":"sta'],
    ['not JSON', 'hello'],
    ['a number', '7'],
    ['null', 'null'],
    ['a list of numbers', '[1,2]'],
    ['a method that is a number', '{"jsonrpc":"2.0","id":1,"method":5}'],
    ['an id that is a list', '{"jsonrpc":"2.0","id":[],"method":"health"}'],
    ['an id that is no number', '{"jsonrpc":"2.0","id":1e300,"method":"health"}'],
    ['nested too deep', `{"jsonrpc":"2.0","id":1,"method":"health","params":${nested(65)}}`],
    ['nested very deep', nested(BODY_MAX / 2 - 10)],
    ['an open string with escapes', `{"jsonrpc":"2.0","id":1,"method":"${'\\"'.repeat(5000)}`],
  ])('that is %s is a parse error without id', async (_what, body) => {
    const { status, json } = await post(body);
    expect(status).toBe(500);
    expect(json).toMatchObject(
      error(-32700, expect.stringContaining('error unmarshaling request')) as object,
    );
    expect(json).not.toHaveProperty('id');
  });

  test('of bytes that are no text is a parse error', async () => {
    expect((await post(Uint8Array.of(0xff, 0xfe, 0, 1))).json).toMatchObject(
      error(-32700, expect.anything()) as object,
    );
  });

  test('that is larger than allowed is refused, announced or not', async () => {
    const large = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'health',
      params: { x: 'x'.repeat(BODY_MAX) },
    });
    const refused = error(-32600, expect.stringContaining('request body too large')) as object;
    expect(await post(large)).toMatchObject({ status: 400, json: refused });
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.from(large.slice(0, 5000)));
      },
    });
    const response = await fetch(node.url, { method: 'POST', body: stream, duplex: 'half' }).catch(
      () => undefined,
    );
    if (response !== undefined) expect(await response.json()).toMatchObject(refused);
  });

  test('larger than the sockets hold is refused in words that stock clients of other processes read', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', LARGE_CLIENT, node.url]);
    const sentence = `error reading request body: request body too large: more than ${BODY_MAX} bytes`;
    const answers: unknown[] = JSON.parse(stdout);
    expect(answers).toHaveLength(12);
    for (const text of answers)
      expect(JSON.parse(String(text))).toMatchObject(error(-32600, sentence) as object);
  });

  test('without end is read no longer than the bound, and its sender is let go', async () => {
    const socket = connect(node.server.port, '127.0.0.1');
    socket.on('error', () => undefined); // reset while it still writes
    const heard = once(socket, 'data');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const writer = setInterval(() => void socket.write(chunk), 5);
    const closed = once(socket, 'close');
    expect(String((await heard)[0])).toContain('request body too large');
    await closed;
    clearInterval(writer);
  });

  test('that holds too many requests is refused as a whole', async () => {
    const request = { jsonrpc: '2.0', id: 1, method: 'health' };
    expect((await post(JSON.stringify(Array(4).fill(request)))).json).toHaveLength(4);
    expect(await post(JSON.stringify(Array(5).fill(request)))).toMatchObject({
      status: 200,
      json: error(-32600, 'batch request exceeds maximum (4) allowed number of requests'),
    });
    expect(await post('[]')).toEqual({ status: 200, json: undefined });
  });

  test('whose sender goes away is forgotten', async () => {
    const socket = connect(node.server.port, '127.0.0.1');
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"jsonrpc"');
    await once(socket, 'connect');
    socket.destroy();
  });
});

describe('a URI', () => {
  test('that is too long is refused', async () => {
    const response = await fetch(`${node.url}/tx_search?query="${'x'.repeat(4000)}"`);
    expect(response.status).toBe(414);
    expect(await response.json()).toMatchObject(
      error(-32600, 'URI is longer than 4000 characters') as object,
    );
  });

  test('and the host are escaped on the page that shows them', async () => {
    const socket = connect(node.server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: "><script>x</script>\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    const page = Buffer.concat(chunks).toString();
    expect(page).toMatch(/^HTTP\/1.1 (200|400)/);
    expect(page).not.toContain('<script>');
  });

  test('of bytes that are no HTTP ends only that connection', async () => {
    const socket = connect(node.server.port, '127.0.0.1');
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0, 0, 1, 2, 3, 0xff]));
    socket.resume();
    await once(socket, 'close');
  });
});

describe('a websocket', () => {
  async function open(): Promise<{
    socket: WebSocket;
    answer: (frame: string | Buffer) => Promise<unknown>;
  }> {
    const socket = new WebSocket(`${node.websocketUrl}/websocket`);
    await once(socket, 'open');
    const answer = async (frame: string | Buffer): Promise<unknown> => {
      socket.send(frame);
      const [data] = await once(socket, 'message');
      return JSON.parse(String(data));
    };
    return { socket, answer };
  }

  test.each(names)('call of $name with hostile values is answered', async ({ name, params }) => {
    const { socket, answer } = await open();
    for (const value of HOSTILE_VALUES) {
      const given = Object.fromEntries(params.map((param) => [param, value]));
      const json = await answer(JSON.stringify({ jsonrpc: '2.0', id: 'w', method: name, params: given }));
      expect(json).toMatchObject({ id: 'w' });
      expect(isAnswer(json)).toBe(true);
    }
    socket.close();
    await once(socket, 'close');
    expect(node.logger.errors).toEqual([]);
  });

  test('frames that cannot be read are parse errors, and the connection stays', async () => {
    const { socket, answer } = await open();
    for (const frame of ['{', '[]', nested(70), Buffer.from([1, 2, 3]), '{"id":{},"method":"x"}']) {
      expect(await answer(frame)).toMatchObject(error(-32700, expect.anything()) as object);
    }
    expect(await answer('{"jsonrpc":"2.0","id":1,"method":"health"}')).toMatchObject({ id: 1, result: {} });
    socket.close();
  });

  test('a frame larger than allowed ends the connection with the reason', async () => {
    const { socket } = await open();
    socket.on('error', () => {});
    socket.send('x'.repeat(BODY_MAX + 1));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
  });

  test('another path is not upgraded', async () => {
    const socket = new WebSocket(`${node.websocketUrl}/other`);
    const [failure] = await once(socket, 'error');
    expect(String(failure)).toContain('404');
  });
});
