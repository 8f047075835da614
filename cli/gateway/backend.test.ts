import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { contentRoot } from '../../client/content.ts';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import type { StreamedPart } from '../../gateway/serve/ports.ts';
import { processEnd } from '../../test/e2e/processes.ts';
import { backendInference, requireBackend } from './backend.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

const REQUEST = { modelId: 7n, prompt: utf8('why?'), tokensOutMax: 9 };
const FOREVER = new AbortController().signal;

/** A command that runs this script, with what it was asked as `asked`. */
function command(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-backend-'));
  ends.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'model.mjs');
  const read = "const asked = JSON.parse((await import('node:fs')).readFileSync(0, 'utf8'));\n";
  writeFileSync(file, read + script);
  return `${process.execPath} ${file}`;
}

/** A server that says this. */
async function server(status: number, say: (asked: string) => string): Promise<string> {
  const http = createServer((request, response) => {
    let asked = '';
    request.on('data', (part: Buffer) => {
      asked += part.toString();
    });
    request.on('end', () => response.writeHead(status).end(say(asked)));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  ends.push(() => http.close());
  const address = http.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/model`;
}

const ask = (backend: string, { timeoutMs = 60_000, replyBytesMax = 1_000, signal = FOREVER } = {}) =>
  backendInference({ backend, bytesPerToken: 3, timeoutMs, replyBytesMax }).infer(REQUEST, signal);

test('a command answers what it is asked on its standard input', async () => {
  const answer = await ask(
    command('console.log(JSON.stringify({ text: JSON.stringify(asked), tokens: 5, claim_id: "12" }));'),
  );
  const text = fromUtf8(answer.content);
  expect(JSON.parse(text)).toEqual({ model_id: '7', prompt: 'why?', max_tokens: 9 });
  expect(answer).toMatchObject({ tokensOut: 5, claimId: 12n, responseHash: contentRoot(utf8(text)) });
});

test('a server answers what is posted', async () => {
  const url = await server(200, (asked) => JSON.stringify({ text: asked, tokens: 1 }));
  const answer = await ask(url);
  expect(JSON.parse(fromUtf8(answer.content))).toMatchObject({ model_id: '7', prompt: 'why?' });
  expect(answer.claimId).toBe(0n);
  await requireBackend(url);
  await expect(ask(await server(500, () => '{}'))).rejects.toThrow('status 500');
});

test('tokens of a prompt are its bytes by so many, begun ones counted', () => {
  const { tokensIn } = backendInference({ backend: 'x', bytesPerToken: 3, timeoutMs: 1, replyBytesMax: 1 });
  const tokens = [1, 3, 4].map((length) => tokensIn({ modelId: 1n, prompt: new Uint8Array(length) }));
  expect(tokens).toEqual([1, 1, 2]);
});

test.each([
  ['console.log("text")', 'did not say JSON'],
  ['console.log("null")', 'no "text"'],
  ['console.log(JSON.stringify({ text: "a" }))', '"tokens"'],
  ['console.log(JSON.stringify({ text: "a", tokens: 1.5 }))', '"tokens"'],
  ['console.log(JSON.stringify({ text: "a", tokens: 1, claim_id: 3 }))', '"claim_id"'],
  ['console.error("out of memory"); process.exit(3)', 'ended with 3: out of memory'],
  ['console.log("x".repeat(2000))', 'more than 1000 bytes'],
])('what is no answer is charged to nobody: %s', async (script, sentence) => {
  await expect(ask(command(script))).rejects.toMatchObject({ code: 'gateway.inference' });
  await expect(ask(command(script))).rejects.toThrow(sentence);
});

const piecesOf = async (backend: string, stop: AbortSignal = FOREVER) => {
  const { stream } = backendInference({ backend, bytesPerToken: 3, timeoutMs: 60_000, replyBytesMax: 1_000 });
  const parts: StreamedPart[] = [];
  for await (const part of stream(REQUEST, stop)) parts.push(part);
  return parts;
};

const LINES = [
  { text: 'be', tokens: 1 },
  { text: 'cause\n', tokens: 2 },
  { tokens: 3, claim_id: '7' },
];
const PARTS = [
  { kind: 'piece', text: 'be', tokens: 1 },
  { kind: 'piece', text: 'cause\n', tokens: 2 },
  { kind: 'end', tokens: 3, claimId: 7n },
];

test('a stream is lines of JSON, of a command and of a server, however they are cut', async () => {
  const script = `for (const line of ${JSON.stringify(LINES)}) console.log(JSON.stringify(line) + '\\n');
if (asked.stream !== true) process.exit(1);`;
  expect(await piecesOf(command(script))).toEqual(PARTS);
  const lines = LINES.map((line) => JSON.stringify(line)).join('\r\n');
  expect(await piecesOf(await server(200, () => lines))).toEqual(PARTS);
  // Bytes of one character come apart.
  const halves = `const bytes = Buffer.from('{"text": "é", "tokens": 1}');
const at = bytes.indexOf(0xc3) + 1;
process.stdout.write(bytes.subarray(0, at));
setImmediate(() => process.stdout.write(bytes.subarray(at)));`;
  expect(await piecesOf(command(halves))).toEqual([{ kind: 'piece', text: 'é', tokens: 1 }]);
});

test.each([
  ['console.log("text")', 'did not say JSON'],
  ['console.log(JSON.stringify({ text: 1, tokens: 1 }))', '"text"'],
  ['console.log(JSON.stringify({ text: "a" }))', '"tokens"'],
  ['console.log(JSON.stringify({ tokens: 1, claim_id: 3 }))', '"claim_id"'],
  ['console.log(JSON.stringify({ text: "a", tokens: 1 })); process.exit(3)', 'ended with 3'],
  ['console.log("x".repeat(2000))', 'more than 1000 bytes'],
])('what is no stream breaks off: %s', async (script, sentence) => {
  const broken = piecesOf(command(script));
  await expect(broken).rejects.toMatchObject({ code: 'gateway.inference' });
  await expect(broken).rejects.toThrow(sentence);
});

test('a command whose stream nobody reads on is killed', async () => {
  const pidFile = join(mkdtempSync(join(tmpdir(), 'gateway-backend-')), 'pid');
  ends.push(() => rmSync(dirname(pidFile), { recursive: true }));
  const endless = command(`(await import('node:fs')).writeFileSync('${pidFile}', String(process.pid));
setInterval(() => console.log(JSON.stringify({ text: 'a', tokens: 1 })), 1);`);
  const { stream } = backendInference({
    backend: endless,
    bytesPerToken: 3,
    timeoutMs: 60_000,
    replyBytesMax: 1_000_000,
  });
  for await (const part of stream(REQUEST, FOREVER)) if (part.kind === 'piece') break;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  await processEnd(pid);
});

test('a command that does not end is killed, when its time is over and when the gateway stops', async () => {
  const stuck = command('setInterval(() => undefined, 1000)');
  await expect(ask(stuck, { timeoutMs: 50 })).rejects.toThrow('nothing within 50 ms');
  const stop = new AbortController();
  const asked = ask(stuck, { signal: stop.signal });
  stop.abort();
  await expect(asked).rejects.toMatchObject({ code: 'gateway.inference' });
});

test('a backend that is not there is said before anything is served', async () => {
  await requireBackend(`${process.execPath} model.mjs`);
  await requireBackend('node model.mjs');
  await expect(requireBackend('no-such-model --fast')).rejects.toThrow('there is no program "no-such-model"');
  await expect(requireBackend('http://127.0.0.1:1/')).rejects.toThrow('no backend answers at');
});
