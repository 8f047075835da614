/** Searches over a node's RPC: read to their end, or refused with what to do. */
import { expect, test } from 'vitest';
import { toBech32 } from '../../core/bech32.ts';
import type { Fetch } from '../../light/json-rpc.ts';
import { SEARCH_MAX } from './chain.ts';
import { heightsOfAccount, payoutsOfSlot } from './find.ts';
import { receivedSince } from './received.ts';
import { rpcChain } from './rpc-chain.ts';

const URL = 'http://node';
const ANNA = toBech32('open', new Uint8Array(20));

interface Asked {
  readonly id: number;
  readonly method: string;
  readonly params: { readonly query: string; readonly page: string; readonly per_page: string };
}

/** A node that finds so many blocks and as many transactions, one at each height; some of them it does not tell. */
function nodeOf(count: number, { told = count }: { readonly told?: number } = {}) {
  const asked: Asked['params'][] = [];
  const fetch: Fetch = (_, init) => {
    const { id, method, params }: Asked = JSON.parse(String(init?.body));
    asked.push(params);
    const size = Number(params.per_page);
    const first = (Number(params.page) - 1) * size + 1;
    const heights = Array.from(
      { length: Math.max(0, Math.min(size, told - first + 1)) },
      (_, i) => first + i,
    );
    const results =
      method === 'block_search'
        ? { blocks: heights.map((height) => ({ block: { header: { height: `${height}` } } })) }
        : { txs: heights.map(txAt) };
    const result = { ...results, total_count: `${count}` };
    return Promise.resolve(new Response(JSON.stringify({ jsonrpc: '2.0', id, result })));
  };
  return { chain: rpcChain(URL, fetch), asked };
}

const txAt = (height: number) => ({
  ...{ hash: height.toString(16).padStart(64, '0').toUpperCase(), height: `${height}`, index: 0, tx: '' },
  tx_result: { code: 0, events: [] },
});

test.each([0, 1, 100, 101, 1_000, 1_234, SEARCH_MAX])('all of %i results are read', async (count) => {
  const { chain, asked } = nodeOf(count);
  const heights = Array.from({ length: count }, (_, i) => BigInt(i + 1));
  expect(await chain.blocks('a.b=1')).toEqual(heights);
  expect(asked.length).toBe(Math.max(1, Math.ceil(count / 100)));
  if (count < 2_000) expect((await chain.txs('a.b=1')).map(({ height }) => height)).toEqual(heights);
});

test('more than the most results are refused at once, with what to do', async () => {
  const { chain, asked } = nodeOf(SEARCH_MAX + 1);
  for (const search of [chain.blocks('a.b=1'), chain.txs('a.b=1')])
    await expect(search).rejects.toMatchObject({
      code: 'explain.too_long',
      message: expect.stringMatching(/20001 results of a\.b=1.*later --since/),
    });
  expect(asked.length).toBe(2);
});

test('a node that does not tell all that it finds is refused', async () => {
  const { chain, asked } = nodeOf(250, { told: 150 });
  await expect(chain.blocks('a.b=1')).rejects.toMatchObject({
    code: 'explain.query',
    message: `${URL} finds 250 results of a.b=1 and answers only 150: ask again`,
  });
  expect(asked.length).toBe(3);
});

test('searches are bounded by the heights that are asked for', async () => {
  const { chain, asked } = nodeOf(0);
  const queries = () => asked.splice(0).map(({ query }) => query.replace(/^.* AND /, ''));
  const since = { address: ANNA, since: 5_000n };
  await heightsOfAccount(chain, since);
  expect(queries()).toEqual(['tx.height>=5000', 'block.height>=5000']);
  await receivedSince(chain, since);
  expect(queries()).toEqual(['tx.height>=5000', 'block.height>=5000']);
  const slot = { pool: 'datanet/1', slot: 0n, height: 7n };
  await expect(payoutsOfSlot(chain, slot)).rejects.toMatchObject({ code: 'explain.nothing' });
  expect(queries()).toEqual(['tx.height=7', 'block.height=7']);
});
