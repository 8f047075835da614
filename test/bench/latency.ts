/**
 * Light load: one transaction now and then, from the call of `broadcast_tx_sync` to the event that it is
 * committed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';
import { toBase64 } from '../../core/bytes.ts';
import { txKey } from '../../node/tx-key.ts';
import { call } from '../e2e/rpc.ts';
import { percentile } from './percentile.ts';

/** What the samples say, in milliseconds. */
export interface LatencyResult {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Sends one after another, with random pauses around `pauseMs`, so that they fall anywhere between two
 * blocks.
 */
export async function measureLatency(options: {
  readonly rpc: string;
  readonly transactions: readonly Uint8Array[];
  readonly pauseMs: number;
}): Promise<LatencyResult> {
  const committed = await subscribe(options.rpc);
  const samples: Promise<number>[] = [];
  for (const transaction of options.transactions) {
    await delay(options.pauseMs * (0.5 + Math.random()));
    const startMs = performance.now();
    const commit = committed.of(txKey(transaction)).then(() => performance.now() - startMs);
    const { code, log } = await call<{ code: number; log: string }>(options.rpc, 'broadcast_tx_sync', {
      tx: toBase64(transaction),
    });
    if (code !== 0) throw new Error(`a transaction was refused: ${log}`);
    samples.push(commit);
  }
  const measured = await Promise.all(samples);
  committed.close();
  return { samples: measured.length, p50Ms: percentile(measured, 0.5), p99Ms: percentile(measured, 0.99) };
}

interface Commits {
  of(hash: string): Promise<void>;
  close(): void;
}

interface TxFrame {
  readonly result?: { readonly events?: Readonly<Record<string, readonly string[]>> };
}

async function subscribe(rpc: string): Promise<Commits> {
  const socket = new WebSocket(`${rpc.replace('http', 'ws')}/websocket`);
  const waiting = new Map<string, () => void>();
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const acknowledged = new Promise<void>((resolve) => socket.once('message', () => resolve()));
  socket.send(
    JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { query: "tm.event='Tx'" } }),
  );
  await acknowledged;
  socket.on('message', (data) => {
    const frame: TxFrame = JSON.parse(String(data));
    for (const hash of frame.result?.events?.['tx.hash'] ?? []) {
      waiting.get(hash)?.();
      waiting.delete(hash);
    }
  });
  return {
    of: (hash) => new Promise((resolve) => waiting.set(hash, resolve)),
    close: () => socket.close(),
  };
}
