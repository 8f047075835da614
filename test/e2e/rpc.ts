/** The few RPC calls that the end-to-end tests need, over plain HTTP. */

import { setTimeout as delay } from 'node:timers/promises';

/** A node that is paused answers later, or never. */
const CALL_TIMEOUT_MS = 30_000;

/** Calls a method; parameters by name. @throws Error with the node's error text */
export async function call<T>(url: string, method: string, params: Record<string, unknown> = {}): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  const body = (await response.json()) as { result?: T; error?: { message: string; data?: string } };
  if (body.result === undefined)
    throw new Error(`${method}: ${body.error?.message} ${body.error?.data ?? ''}`);
  return body.result;
}

/** What the tests read of a block. */
export interface BlockFacts {
  readonly hash: string;
  /** Of the header: the state after the block before. */
  readonly appHash: string;
  readonly txs: readonly string[];
}

/** Block of a height that others have: a node that lags behind them is waited for. */
export async function blockOnceThere(url: string, height: number): Promise<BlockFacts> {
  const end = performance.now() + CALL_TIMEOUT_MS;
  while ((await heightOf(url)) < height && performance.now() < end) await delay(50);
  return blockAt(url, height);
}

/** Block of a height on a node. */
export async function blockAt(url: string, height: number): Promise<BlockFacts> {
  const { block, block_id } = await call<{
    block_id: { hash: string };
    block: { header: { app_hash: string }; data: { txs: string[] | null } };
  }>(url, 'block', { height: String(height) });
  return { hash: block_id.hash, appHash: block.header.app_hash, txs: block.data.txs ?? [] };
}

/** Last height of a node. */
export async function heightOf(url: string): Promise<number> {
  const status = await call<{ sync_info: { latest_block_height: string } }>(url, 'status');
  return Number(status.sync_info.latest_block_height);
}

/** When a block was made, in milliseconds. */
export async function blockTimeOf(url: string, height: number): Promise<number> {
  const { block } = await call<{ block: { header: { time: string } } }>(url, 'block', {
    height: String(height),
  });
  return Date.parse(block.header.time);
}
