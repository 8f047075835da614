import { Comet38Client, connectComet, HttpBatchClient, WebsocketClient } from '@cosmjs/tendermint-rpc';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { equalBytes, toUpperHex, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { verifyMerkleProof } from '../../core/merkle.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { txKey } from '../tx-key.ts';
import { CHAIN_ID } from './testing/chain.ts';
import { TestNode } from './testing/test-node.ts';

/** Machines may be busy: what is waited for comes, the question is only when. */
const PATIENCE = { timeout: 20_000, interval: 5 };

let node: TestNode;
let client: Comet38Client;

beforeAll(async () => {
  node = await TestNode.start();
  for (let height = 1; height <= 25; height++) {
    await node.commit(height === 3 ? [utf8('a=1'), utf8('fail=2'), utf8('c=3')] : []);
  }
  const connected = await connectComet(node.url);
  if (!(connected instanceof Comet38Client)) throw new TypeError('not a 0.38 client');
  client = connected;
});

afterAll(async () => {
  client.disconnect();
  await node.stop();
  expect(node.logger.errors).toEqual([]);
});

/** The value at a path such as `result.block.header`. */
function pick(value: unknown, path: string): unknown {
  let at: unknown = value;
  for (const name of path.split('.'))
    at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined;
  return at;
}

async function get(path: string): Promise<{ status: number; headers: Headers; body: unknown }> {
  const response = await fetch(`${node.url}${path}`);
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

async function post(body: unknown): Promise<unknown> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(node.url, { method: 'POST', body: text });
  return await response.json().catch(() => undefined);
}

const call = (method: string, params: unknown = {}): Promise<unknown> =>
  post({ jsonrpc: '2.0', id: 1, method, params });

describe('stock CosmJS', () => {
  test('chooses its 0.38 client and reads the status', async () => {
    const { nodeInfo, syncInfo, validatorInfo } = await client.status();
    expect(nodeInfo).toMatchObject({ network: CHAIN_ID, version: '0.38.17', moniker: 'node' });
    expect(nodeInfo.other.get('rpc_address')).toBe(`tcp://127.0.0.1:${node.server.port}`);
    expect(syncInfo).toMatchObject({ latestBlockHeight: 25, earliestBlockHeight: 1, catchingUp: false });
    expect(validatorInfo.votingPower).toBe(30n);
  });

  test('health, genesis, application', async () => {
    expect(await client.health()).toBeNull();
    const genesis = await client.genesis();
    expect(genesis).toMatchObject({ chainId: CHAIN_ID, appState: { bank: { supply: [] } } });
    expect(genesis.validators.length).toBe(3);
    expect(genesis.genesisTime).toMatchObject({ nanoseconds: 1 });
    expect(await client.abciInfo()).toMatchObject({ data: 'test', lastBlockHeight: 25 });
    const answer = await client.abciQuery({ path: '/a/b', data: Uint8Array.of(7), prove: true, height: 3 });
    expect(answer).toMatchObject({ height: 3, code: 0, key: Uint8Array.of(7), value: utf8('/a/b') });
    expect(answer.proof?.ops[0]).toMatchObject({ type: 'ics23:iavl', data: Uint8Array.of(1, 2) });
  });

  test('blocks: by height, the latest, search, headers of a range', async () => {
    const { block, blockId } = await client.block(3);
    const stored = defined(node.chain.at(3n), 'block 3');
    expect(toUpperHex(blockId.hash)).toBe(toUpperHex(headerHash(stored.block.header)));
    expect(block.txs.map((tx) => Buffer.from(tx).toString())).toEqual(['a=1', 'fail=2', 'c=3']);
    expect(block.header.height).toBe(3);
    expect((await client.block()).block.header.height).toBe(25);
    expect((await client.block(1)).block.lastCommit).toBeNull();
    const range = await client.blockchain(5, 1000);
    expect(range.lastHeight).toBe(25);
    expect(range.blockMetas.map((meta) => meta.header.height)).toEqual(
      Array.from({ length: 20 }, (_, index) => 25 - index),
    );
    const found = await client.blockSearchAll({
      query: 'block.height >= 2 AND block.height <= 24',
      per_page: 5,
    });
    expect(found.totalCount).toBe(23);
    // CosmJS sorts what it has collected.
    expect(found.blocks.map((item) => item.block.header.height)).toEqual(
      Array.from({ length: 23 }, (_, index) => index + 2),
    );
    expect((await client.blockSearch({ query: "mint.amount='4'" })).blocks.length).toBe(1);
  });

  test('commit and validators; the commit of the last block is not canonical', async () => {
    const { commit, canonical, header } = await client.commit(3);
    expect(canonical).toBe(true);
    expect(commit.signatures.map((entry) => entry.blockIdFlag)).toEqual([2, 2, 1]);
    expect(
      equalBytes(commit.blockId.hash, headerHash(defined(node.chain.at(3n), 'block').block.header)),
    ).toBe(true);
    expect(header.height).toBe(3);
    expect((await client.commit()).canonical).toBe(false);
    const { validators, total } = await client.validatorsAll(3);
    expect([total, validators.map((validator) => validator.votingPower)]).toEqual([3, [30n, 20n, 10n]]);
  });

  test('results of a block', async () => {
    const results = await client.blockResults(3);
    expect(results.results.map((result) => [result.code, result.gasUsed])).toEqual([
      [0, 7n],
      [5, 0n],
      [0, 7n],
    ]);
    expect((await client.blockResults(4)).finalizeBlockEvents).toEqual([
      { type: 'mint', attributes: [{ key: 'amount', value: '4' }] },
    ]);
  });

  test('a transaction by hash, with a proof that verifies', async () => {
    const tx = utf8('c=3');
    const found = await client.tx({ hash: sha256(tx), prove: true });
    expect(found).toMatchObject({ height: 3, index: 2, result: { code: 0 } });
    const proof = defined(found.proof, 'proof');
    const { total, index, leafHash, aunts } = proof.proof;
    expect(verifyMerkleProof({ total, index, leafHash, aunts }, proof.rootHash, sha256(tx))).toBe(true);
    const { block } = await client.block(3);
    expect(equalBytes(block.header.dataHash, proof.rootHash)).toBe(true);
    await expect(client.tx({ hash: new Uint8Array(32) })).rejects.toThrow(/not found/);
  });

  test('searches transactions; an unknown hash is an empty list', async () => {
    const key = txKey(utf8('a=1'));
    for (const query of [
      `tx.hash='${key}'`,
      `tx.hash = '${key.toLowerCase()}'`,
      "tx.height=3 AND app.key='a'",
    ]) {
      expect((await client.txSearch({ query })).txs.map((tx) => tx.index)).toEqual([0]);
    }
    const none = await client.txSearch({ query: `tx.hash='${'AB'.repeat(32)}'` });
    expect(none).toEqual({ totalCount: 0, txs: [] });
    const all = await client.txSearchAll({
      query: 'tx.height=3',
      per_page: 2,
      order_by: 'desc',
      prove: true,
    });
    expect([all.totalCount, all.txs.map((tx) => tx.index)]).toEqual([3, [2, 1, 0]]);
  });

  test('broadcasts, counts what waits, and finds the transaction when it is committed', async () => {
    const tx = utf8('sync=1');
    const sent = await client.broadcastTxSync({ tx });
    expect([sent.code, toUpperHex(sent.hash)]).toEqual([0, txKey(tx)]);
    expect(await client.numUnconfirmedTxs()).toEqual({ total: 1, totalBytes: 6 });
    await expect(client.broadcastTxSync({ tx })).rejects.toThrow(/-32603.*tx already exists in cache/);
    expect(await client.broadcastTxSync({ tx: utf8('bad') })).toMatchObject({ code: 4, log: 'refused' });
    expect(await client.broadcastTxAsync({ tx: utf8('async=1') })).toMatchObject({ code: 0 });
    const { height } = await node.commit();
    expect((await client.tx({ hash: sha256(tx) })).height).toBe(Number(height));
    expect((await client.numUnconfirmedTxs()).total).toBe(0);
  });

  test('broadcasts and waits for the block', async () => {
    const stop = node.mempool.onTransactions(() => void node.commit());
    const done = await client.broadcastTxCommit({ tx: utf8('commit=1') });
    stop();
    expect(done).toMatchObject({ checkTx: { code: 0 }, deliverTx: { code: 0, gasUsed: 7n } });
    expect(done.height).toBe(Number(node.chain.range().height));
    const refused = await client.broadcastTxCommit({ tx: utf8('bad again') });
    expect([refused.checkTx.code, refused.height]).toEqual([4, 0]);
  });

  test('in batches', async () => {
    const batch = await Comet38Client.create(new HttpBatchClient(node.url, { batchSizeLimit: 10 }));
    const blocks = await Promise.all([1, 2, 3].map((height) => batch.block(height)));
    expect(blocks.map((block) => block.block.header.height)).toEqual([1, 2, 3]);
    batch.disconnect();
  });
});

describe('the wire', () => {
  test('scalars look as CometBFT writes them', async () => {
    const block = pick(await call('block', { height: '3' }), 'result.block');
    expect(pick(block, 'header')).toMatchObject({
      version: { block: '11' },
      height: '3',
      time: '2023-11-14T22:13:22.123Z',
      data_hash: expect.stringMatching(/^[0-9A-F]{64}$/),
    });
    expect(pick(block, 'last_commit.signatures.2')).toEqual({
      block_id_flag: 1,
      validator_address: '',
      timestamp: '0001-01-01T00:00:00Z',
      signature: null,
    });
    expect(pick(block, 'evidence')).toEqual({ evidence: [] });
    expect(pick(await call('block', { height: '1' }), 'result.block.last_commit')).toEqual({
      height: '0',
      round: 0,
      block_id: { hash: '', parts: { total: 0, hash: '' } },
      signatures: [],
    });
    const results = await call('block_results', { height: '1' });
    expect(pick(results, 'result')).toMatchObject({
      txs_results: null,
      finalize_block_events: null,
      validator_updates: null,
      consensus_param_updates: null,
    });
    const failed = pick(await call('block_results', { height: '3' }), 'result.txs_results.1');
    expect(failed).toMatchObject({ code: 5, data: null, gas_wanted: '0', codespace: 'test' });
    const query = pick(await call('abci_query', { path: '/x', data: '' }), 'result.response');
    expect(query).toMatchObject({ key: null, proofOps: null, index: '0' });
  });

  test('what is not there is null', async () => {
    const hash = Buffer.alloc(32).toString('base64');
    expect(pick(await call('block_by_hash', { hash }), 'result')).toEqual({
      block_id: { hash: '', parts: { total: 0, hash: '' } },
      block: null,
    });
    expect(pick(await call('header_by_hash', { hash: '00'.repeat(32) }), 'result')).toEqual({ header: null });
    const known = defined(node.chain.at(2n), 'block').blockId.hash;
    expect(pick(await call('header_by_hash', { hash: toUpperHex(known) }), 'result.header.height')).toBe('2');
  });

  test('ids come back as they were, notifications get no answer', async () => {
    for (const id of ['x', 'a "quoted" id', 7, 0, -3]) {
      expect(pick(await post({ jsonrpc: '2.0', id, method: 'health' }), 'id')).toBe(id);
    }
    expect(await post({ jsonrpc: '2.0', method: 'health' })).toBeUndefined();
    const batch = await post([
      { jsonrpc: '2.0', id: 1, method: 'health' },
      { jsonrpc: '2.0', method: 'health' },
      { jsonrpc: '2.0', id: 'b', method: 'nothing' },
    ]);
    expect(batch).toEqual([
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 'b', error: { code: -32601, message: 'Method not found' } },
    ]);
  });

  test('parameters by position, quoted and bare numbers, wrong ones', async () => {
    expect(pick(await call('block', ['4']), 'result.block.header.height')).toBe('4');
    expect(pick(await call('block', ['4', '5']), 'error')).toMatchObject({ code: -32602 });
    expect(pick(await call('block', { height: 4 }), 'error')).toEqual({
      code: -32602,
      message: 'Invalid params',
      data: 'error converting json params to arguments: height: invalid 64-bit integer encoding 4, expected string',
    });
    expect(pick(await call('block', 'x'), 'error.code')).toBe(-32602);
    expect(pick(await call('block', { height: '1000' }), 'error')).toEqual({
      code: -32603,
      message: 'Internal error',
      data: `height 1000 must be less than or equal to the current blockchain height ${node.chain.range().height}`,
    });
    expect(pick(await call('block', { height: '0' }), 'error.data')).toBe(
      'height must be greater than 0, but got 0',
    );
    expect(pick(await call('validators', { page: '9' }), 'error.data')).toBe(
      'page should be within [1, 1] range, given 9',
    );
    expect(pick(await call('tx_search', { query: 'x=1', order_by: 'up' }), 'error.data')).toMatch(
      /`asc` or `desc`/,
    );
    expect(pick(await call('subscribe', { query: "tm.event='Tx'" }), 'error.code')).toBe(-32601);
    expect(pick(await call('abci_query', { path: '/crash' }), 'error')).toMatchObject({
      code: -32603,
      data: 'the application crashed',
    });
    expect(node.logger.errors.splice(0).length).toBe(1);
  });
});

describe('URI calls', () => {
  test('strings in quotes, bytes in hexadecimal or quotes', async () => {
    const block = await get('/block?height=3');
    expect(block.body).toMatchObject({ id: -1, result: { block: { header: { height: '3' } } } });
    expect(block.headers.get('cache-control')).toBe('public, max-age=86400');
    expect((await get('/block')).headers.get('cache-control')).toBeNull();
    expect(pick(await get('/block?height="3"'), 'body.result.block.header.height')).toBe('3');
    expect(
      pick(await get(`/tx?hash=0x${txKey(utf8('a=1'))}&prove=true`), 'body.result.proof.proof.index'),
    ).toBe('0');
    expect(pick(await get('/tx_search?query="tx.height=3"&per_page=1'), 'body.result')).toMatchObject({
      total_count: '3',
      txs: [{ index: 0 }],
    });
    expect(pick(await get('/check_tx?tx="bad"'), 'body.result.code')).toBe(4);
    expect(pick(await get('/check_tx?tx=0x6f6b'), 'body.result.code')).toBe(0);
    expect(pick(await get('/abci_query?path="/p"&data=0x0102'), 'body.result.response.key')).toBe('AQI=');
  });

  test('errors name the parameter', async () => {
    const bare = await get('/tx_search?query=tx.height');
    expect([bare.status, pick(bare.body, 'error.code')]).toEqual([500, -32602]);
    expect(pick(bare.body, 'error.data')).toMatch(/query: .*double quotes/);
    expect(pick(await get('/block?height=0x10'), 'body.error.data')).toMatch(/height: got a hex string arg/);
    expect(pick(await get('/subscribe?query="x"'), 'body.error.code')).toBe(-32601);
    expect((await get('/nothing')).status).toBe(404);
  });

  test('the first page lists everything, with the host escaped', async () => {
    const page = await get('/');
    expect(page.headers.get('content-type')).toBe('text/html');
    for (const name of ['health', 'tx_search', 'broadcast_tx_commit', 'subscribe'])
      expect(page.body).toContain(name);
    expect(page.body).toContain('/block?height=_');
  });

  test('genesis in pieces', async () => {
    const piece = pick(await get('/genesis_chunked?chunk=0'), 'body.result');
    const text = Buffer.from(String(pick(piece, 'data')), 'base64').toString();
    expect(pick(JSON.parse(text), 'chain_id')).toBe(CHAIN_ID);
    expect(piece).toMatchObject({ chunk: '0', total: '1' });
    expect(pick(await get('/genesis_chunked?chunk=1'), 'body.error.data')).toBe(
      'there are 0 chunks, 1 is invalid',
    );
  });

  test('peers, parameters, evidence', async () => {
    expect(pick(await get('/net_info'), 'body.result')).toMatchObject({
      n_peers: '1',
      peers: [
        {
          is_outbound: true,
          remote_ip: '10.0.0.1',
          node_info: { moniker: 'peer' },
          peer_id: '12D3a',
          persistent: true,
          score: 13,
          claimed_height: '77',
          validator: 'AB'.repeat(20),
        },
      ],
      bans: [{ peer_id: '12D3b', reason: 'lied', seconds_left: 2, times: 2 }],
      address_book: { addresses: 9, met: 4 },
    });
    expect(pick(await get('/net_info'), 'body.result.peers.0.connection_status')).toEqual({
      Duration: '2000000000',
      SendMonitor: {
        Start: expect.stringMatching(/^20\d\d-.*Z$/),
        Bytes: '1000',
        Samples: '3',
        InstRate: '10',
        CurRate: '20',
        AvgRate: '500',
        PeakRate: '40',
        BytesRem: '0',
        Duration: '2000000000',
        Idle: '5000000',
        TimeRem: '0',
        Progress: 0,
        Active: true,
      },
      RecvMonitor: expect.objectContaining({ Bytes: '500', AvgRate: '250' }),
      Channels: [],
    });
    expect(
      pick(await get('/consensus_params?height=2'), 'body.result.consensus_params.block.max_bytes'),
    ).toBe('22020096');
    expect(pick(await get('/broadcast_evidence'), 'body.error.data')).toBe('no evidence was provided');
    const odd = encodeURIComponent('{"type":"odd","value":{}}');
    expect(pick(await get(`/broadcast_evidence?evidence=${odd}`), 'body.error.data')).toMatch(
      /evidence.type/,
    );
    expect(pick(await get('/consensus_state'), 'body.error.data')).toMatch(/catching up/);
    expect(pick(await get('/unconfirmed_txs?limit=1'), 'body.result')).toEqual({
      n_txs: '0',
      total: '0',
      total_bytes: '0',
      txs: [],
    });
  });
});

test('subscriptions of stock CosmJS get blocks, headers and transactions', async () => {
  const socket = new WebsocketClient(node.websocketUrl);
  const live = await Comet38Client.create(socket);
  const seen: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const note = (text: string): void => {
    seen.push(text);
    if (seen.length === 4) resolve();
  };
  const height = Number(node.chain.range().height) + 1;
  const subscriptions = [
    live.subscribeNewBlock().subscribe({ next: (block) => note(`block ${block.header.height}`) }),
    live.subscribeNewBlockHeader().subscribe({ next: (header) => note(`header ${header.height}`) }),
    live.subscribeTx().subscribe({ next: (tx) => note(`tx ${toUpperHex(tx.hash)}`) }),
    live.subscribeTx("app.key='w'").subscribe({ next: (tx) => note(`w ${tx.height}`) }),
  ];
  // Requests of one connection are answered in order: after this one, all subscriptions are there.
  await live.status();
  await node.commit([utf8('w=1')]);
  await promise;
  expect(seen.sort()).toEqual(
    [`block ${height}`, `header ${height}`, `tx ${txKey(utf8('w=1'))}`, `w ${height}`].sort(),
  );
  for (const subscription of subscriptions) subscription.unsubscribe();
  await vi.waitFor(() => expect(node.bus.clientCount()).toBe(0), PATIENCE);
  live.disconnect();
});
