import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { EpochOpening } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { answerBytesMax } from '../epochs/routes.ts';
import { httpSources } from './http-source.ts';
import type { EpochSource } from './ports.ts';

const LIMITS = { timeMs: 10_000, retries: 0 };
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function sourceOf(listener: RequestListener): Promise<EpochSource> {
  const server = createServer(listener);
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  closers.push(() => new Promise((closed) => void server.close(closed)));
  const { port } = server.address() as AddressInfo;
  return httpSources(LIMITS)(`http://127.0.0.1:${port}/base/`);
}

const OPENING: EpochOpening = {
  leaves: [new Uint8Array(195).fill(33)],
  siblings: new Uint8Array(64).fill(5),
};

test('leaves and attributions are asked for by their paths', async () => {
  const urls: string[] = [];
  const source = await sourceOf((request, response) => {
    urls.push(request.url ?? '');
    response.end(request.url?.includes('receipts') ? EpochOpening.encode(OPENING) : Uint8Array.of(36, 1));
  });
  expect(await source.leaves(7n, 'receipts', { from: 64, count: 1 })).toEqual(OPENING);
  expect(await source.attribution(7n, new Uint8Array(32))).toEqual(Uint8Array.of(36, 1));
  const attribution = `/base/v1/epochs/7/attributions/${'00'.repeat(32)}`;
  expect(urls).toEqual(['/base/v1/epochs/7/receipts?from=64&count=1', attribution]);
});

test('what is none, too long, elsewhere or no opening is not served', async () => {
  const range = { from: 0, count: 1 };
  const route = { kind: 'leaves', epochId: 1n, tree: 'receipts', ...range } as const;
  const answers: readonly RequestListener[] = [
    (_, response) => void response.writeHead(404).end(),
    (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    (_, response) => void response.writeHead(500).end(),
    (_, response) => void response.end(new Uint8Array(answerBytesMax(route) + 1)),
    (_, response) => void response.end(Uint8Array.of(255, 255, 255)),
  ];
  for (const answer of answers)
    expect(await (await sourceOf(answer)).leaves(1n, 'receipts', range)).toBeUndefined();
  expect(await httpSources(LIMITS)('ftp://gateway').leaves(1n, 'receipts', range)).toBeUndefined();
});
