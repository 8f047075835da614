import { expect, test } from 'vitest';
import { toBase64, utf8 } from '../../core/bytes.ts';
import { rpcSource } from './rpc-source.ts';

type Answers = Readonly<Record<string, (params: Readonly<Record<string, string>>) => unknown>>;

/** A node that answers so; what it has no answer to is an error of JSON-RPC. */
function nodeWith(answers: Answers): ReturnType<typeof rpcSource> {
  return rpcSource('http://node', async (_url, init) => {
    const { id, method, params } = JSON.parse(String(init?.body));
    const answer = answers[method]?.(params);
    const error = {
      code: -32603,
      message: 'Internal error',
      data: `height ${params.height} is not available`,
    };
    return new Response(
      JSON.stringify({ jsonrpc: '2.0', id, ...(answer === undefined ? { error } : { result: answer }) }),
    );
  });
}

const status = () => ({ sync_info: { earliest_block_height: '3', latest_block_height: '9' } });

test.each([
  [{ last_block_height: '8' }, 8n],
  [{ last_block_height: '9' }, 9n],
  [{}, 0n],
])('the last block is one that is stored and executed: %o', async (response, height) => {
  const source = nodeWith({ status, abci_info: () => ({ response }) });
  expect(await source.range()).toEqual({ base: 3n, height });
});

test('the app hash is told for the last block only', async () => {
  const last_block_app_hash = toBase64(Uint8Array.of(1, 2));
  const response = { last_block_height: '9', last_block_app_hash };
  const source = nodeWith({ abci_info: () => ({ response }) });
  expect(await source.appHash(9n)).toEqual(Uint8Array.of(1, 2));
  expect(await source.appHash(8n)).toBeUndefined();
});

test('a block that the node has not is named with what it says', async () => {
  const missing = { code: 'audit.block_missing', message: expect.stringContaining('does not have block 2') };
  await expect(nodeWith({}).block(2n)).rejects.toMatchObject(missing);
  await expect(nodeWith({}).block(2n)).rejects.toThrow('height 2 is not available');
  await expect(nodeWith({ block: () => ({ block: null }) }).block(2n)).rejects.toMatchObject(missing);
  await expect(nodeWith({ block: () => ({ block: 'x' }) }).block(2n)).rejects.toMatchObject({
    code: 'decode',
  });
});

test('results are read, and none are none', async () => {
  const one = { code: 5, data: null, gas_wanted: '7', gas_used: '6' };
  const results = (txs_results: unknown) => nodeWith({ block_results: () => ({ txs_results }) }).results(1n);
  expect(await results([one])).toEqual([{ code: 5, data: new Uint8Array(), gasWanted: 7n, gasUsed: 6n }]);
  expect(await results(null)).toEqual([]);
});

test('the genesis is put together from its chunks, to the letter, and has a limit', async () => {
  const text = '{"chain_id": "x",\n "big": 12345678901234567890}';
  const parts = [text.slice(0, 7), text.slice(7)];
  const chunked = nodeWith({
    genesis_chunked: ({ chunk }) => ({ total: '2', data: toBase64(utf8(parts[Number(chunk)] ?? '')) }),
  });
  expect(await chunked.genesis()).toBe(text);
  const endless = nodeWith({ genesis_chunked: () => ({ total: '65', data: '' }) });
  await expect(endless.genesis()).rejects.toThrow('give it by --genesis');
});
