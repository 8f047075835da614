/** The proxy against a node that lies in every answer it can. */
import { describe, expect, it } from 'vitest';
import { EMPTY_BYTES, equalBytes, toBase64, toHex, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { merkleProofs } from '../../core/merkle.ts';
import { type Block, dataHash } from '../../consensus/types/block.ts';
import { commitHash, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { evidenceListHash } from '../../consensus/types/evidence.ts';
import { headerHash } from '../../consensus/types/header.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { consensusParamsHash, DEFAULT_CONSENSUS_PARAMS } from '../../consensus/types/params.ts';
import { resultsHash } from '../../consensus/types/results.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import type { Json } from '../json/json.ts';
import { blockIdJson, blockJson, headerJson, txProofJson } from '../json/print.ts';
import { JsonRpc } from '../json-rpc.ts';
import { providerError } from '../provider.ts';
import { CHAIN_ID, TestClock, testChain, timeAt } from '../testing/chain.ts';
import { type Handler, RpcFailure, testRpc } from '../testing/rpc.ts';
import * as blocks from './blocks.ts';
import type { ProxyPorts } from './ports.ts';
import * as state from './state.ts';
import * as transactions from './transactions.ts';

const TXS = [utf8('one'), utf8('two'), utf8('three')];
const RESULTS = TXS.map((_, i) => ({
  code: i,
  data: utf8(`data ${i}`),
  gasWanted: 100n,
  gasUsed: BigInt(50 + i),
}));

const store = new MemoryMultiStore({ stores: ['bank', 'other'] });
store.layer('bank').set(utf8('k'), utf8('value'));
store.layer('bank').set(utf8('void'), EMPTY_BYTES);
const committed = store.commit();

/** Block 5 has the transactions, the state is that of after it. */
const chain = testChain({
  length: 8,
  header: ({ height }) => ({
    dataHash: dataHash(height === 5n ? TXS : []),
    lastCommitHash: commitHash(EMPTY_COMMIT),
    evidenceHash: evidenceListHash([]),
    consensusHash: consensusParamsHash(DEFAULT_CONSENSUS_PARAMS),
    ...(height === 6n ? { appHash: committed.hash, lastResultsHash: resultsHash(RESULTS) } : {}),
  }),
});
const at = (height: number): LightBlock => defined(chain[height - 1], 'block');

const blockAnswer = (height: number): Json => {
  const { header, commit } = at(height);
  const block: Block = { header, txs: height === 5 ? TXS : [], evidence: [], lastCommit: EMPTY_COMMIT };
  return { block_id: blockIdJson(commit.blockId), block: blockJson(block) };
};

const resultJson = (index: number): Json => {
  const { code, data, gasWanted, gasUsed } = defined(RESULTS[index], 'result');
  return {
    code,
    data: toBase64(data),
    log: '',
    gas_wanted: `${gasWanted}`,
    gas_used: `${gasUsed}`,
    events: [],
  };
};

const txAnswer = (index: number): Json => {
  const tx = defined(TXS[index], 'tx');
  const { root, proofs } = merkleProofs(TXS.map(sha256));
  return {
    hash: toHex(sha256(tx)).toUpperCase(),
    height: '5',
    index,
    tx_result: resultJson(index),
    tx: toBase64(tx),
    proof: txProofJson({ root, tx, proof: defined(proofs[index], 'proof') }),
  };
};

const PARAMS = DEFAULT_CONSENSUS_PARAMS.block;

const heightOfHash = (hash: Uint8Array): number =>
  Number(chain.find(({ header }) => equalBytes(headerHash(header), hash))?.header.height ?? 0);

const handlers: Readonly<Record<string, Handler>> = {
  block: ({ height }) => blockAnswer(Number(height)),
  block_by_hash: ({ hash }) => blockAnswer(heightOfHash(Buffer.from(String(hash), 'base64'))),
  header_by_hash: ({ hash }) => ({
    header: headerJson(at(heightOfHash(Buffer.from(String(hash), 'hex'))).header),
  }),
  block_results: () => ({
    height: '5',
    txs_results: RESULTS.map((_, i) => resultJson(i)),
    app_hash: toBase64(committed.hash),
  }),
  blockchain: ({ maxHeight }) => ({
    last_height: '8',
    block_metas: [0, 1, 2].map((down) => {
      const { header, commit } = at(Number(maxHeight) - down);
      return {
        block_id: blockIdJson(commit.blockId),
        block_size: '300',
        header: headerJson(header),
        num_txs: '0',
      };
    }),
  }),
  consensus_params: () => ({
    block_height: '5',
    consensus_params: { block: { max_bytes: `${PARAMS.maxBytes}`, max_gas: `${PARAMS.maxGas}` } },
  }),
  tx: () => txAnswer(1),
  tx_search: () => ({ txs: [0, 1, 2].map(txAnswer), total_count: '3' }),
  block_search: () => ({ blocks: [blockAnswer(5)], total_count: '1' }),
  abci_query: ({ data }) => {
    const key = Buffer.from(String(data), 'hex');
    const { value, proofOps } = store.query({ store: 'bank', key, version: committed.version, prove: true });
    const ops = proofOps.map((op) => ({ type: op.type, key: toBase64(op.key), data: toBase64(op.data) }));
    const shown = value === undefined || value.length === 0 ? null : toBase64(value);
    return {
      response: { code: 0, log: '', key: toBase64(key), value: shown, proofOps: { ops }, height: '5' },
    };
  },
  status: () => ({
    node_info: { network: CHAIN_ID },
    sync_info: { latest_block_height: '900', catching_up: false },
  }),
  broadcast_tx_sync: () => ({ code: 0, hash: toHex(sha256(defined(TXS[0], 'tx'))) }),
};

interface Bench {
  readonly ports: ProxyPorts;
  readonly clock: TestClock;
}

function bench(rpc: Readonly<Record<string, Handler>> = handlers, options: Partial<ProxyPorts> = {}): Bench {
  const node = new JsonRpc({
    url: 'http://node',
    timeoutMs: 1000,
    responseBytesMax: 1 << 20,
    fetch: testRpc(chain, rpc).fetch,
  });
  const clock = new TestClock(timeAt(20n));
  const ports: ProxyPorts = {
    client: {
      chainId: CHAIN_ID,
      latest: () => Promise.resolve(at(8)),
      lightBlock: (height) => {
        const block = chain[Number(height) - 1];
        if (block !== undefined) return Promise.resolve(block);
        return Promise.reject(
          providerError('light.height_too_high', 'not yet', { provider: 'node', height }),
        );
      },
    },
    rpc: () => node,
    clock,
    passUnverified: false,
    ...options,
  };
  return { ports, clock };
}

const hashOf = (height: number): Uint8Array => headerHash(at(height).header);
const TX1 = sha256(defined(TXS[1], 'tx'));

/** Every method that checks something; the handler that answers it; how the answer can lie. */
const METHODS: readonly {
  readonly name: string;
  readonly call: (ports: ProxyPorts) => Promise<Json>;
  readonly lies: readonly (readonly [string, (text: string) => string])[];
}[] = [
  {
    name: 'block',
    call: (ports) => blocks.block(ports, 5n),
    lies: [
      ['a transaction', (t) => t.replace(toBase64(utf8('one')), toBase64(utf8('0ne')))],
      ['no transactions', (t) => t.replace(/"txs":\[.*?\]/, '"txs":[]')],
      ['the time', (t) => t.replace(/"time":"2023/, '"time":"2022')],
      ['another block', () => JSON.stringify(blockAnswer(4))],
    ],
  },
  {
    name: 'block_by_hash',
    call: (ports) => blocks.blockByHash(ports, hashOf(5)),
    lies: [['another block', () => JSON.stringify(blockAnswer(4))]],
  },
  {
    name: 'header_by_hash',
    call: (ports) => blocks.headerByHash(ports, hashOf(5)),
    lies: [['another header', () => JSON.stringify({ header: headerJson(at(4).header) })]],
  },
  {
    name: 'block_results',
    call: (ports) => blocks.blockResults(ports, 5n),
    lies: [
      ['a code', (t) => t.replace('"code":1', '"code":0')],
      ['the data', (t) => t.replace(toBase64(utf8('data 0')), toBase64(utf8('data 9')))],
      ['the gas', (t) => t.replace('"gas_used":"50"', '"gas_used":"51"')],
      ['one result less', (t) => t.replace(/,\{"code":2.*?\]\}/, '')],
      ['the app hash', (t) => t.replace(/"app_hash":"./, '"app_hash":"_')],
      ['another height', (t) => t.replace('"height":"5"', '"height":"4"')],
    ],
  },
  {
    name: 'blockchain',
    call: (ports) => blocks.blockchain(ports, 3n, 6n),
    lies: [
      ['a header', (t) => t.replace(/("height":"5".*?"data_hash":")../, '$100')],
      [
        'a header left out',
        (t) => t.replace(/\{"block_id":(?:(?!"block_id").)*"height":"5".*?"num_txs":"0"\},/, ''),
      ],
    ],
  },
  {
    name: 'consensus_params',
    call: (ports) => blocks.consensusParams(ports, 5n),
    lies: [['the gas', (t) => t.replace('"max_gas":"', '"max_gas":"7')]],
  },
  {
    name: 'tx',
    call: (ports) => transactions.tx(ports, TX1, true),
    lies: [
      ['another transaction', () => JSON.stringify(txAnswer(0))],
      ['its bytes', (t) => t.replace(`"tx":"${toBase64(utf8('two'))}"`, `"tx":"${toBase64(utf8('tow'))}"`)],
      ['its place', (t) => t.replace('"index":1,', '"index":2,')],
      ['its code', (t) => t.replace('"code":1', '"code":0')],
      ['its height', (t) => t.replace('"height":"5"', '"height":"4"')],
      ['no proof', (t) => t.replace('"proof"', '"prof"')],
    ],
  },
  {
    name: 'tx_search',
    call: (ports) => transactions.txSearch(ports, { query: 'x', prove: false }),
    lies: [['the result of one', (t) => t.replace('"gas_used":"52"', '"gas_used":"1"')]],
  },
  {
    name: 'block_search',
    call: (ports) => blocks.blockSearch(ports, { query: 'x' }),
    lies: [['a transaction', (t) => t.replace(toBase64(utf8('one')), toBase64(utf8('0ne')))]],
  },
  {
    name: 'abci_query',
    call: (ports) => state.abciQuery(ports, { path: '/store/bank/key', data: utf8('k'), height: 5n }),
    lies: [
      ['the value', (t) => t.replace(toBase64(utf8('value')), toBase64(utf8('worth')))],
      ['that nothing is there', (t) => t.replace(`"${toBase64(utf8('value'))}"`, 'null')],
      ['another key', (t) => t.replace('"key":"aw=="', '"key":"bA=="')],
      ['another height', (t) => t.replace('"height":"5"', '"height":"4"')],
      ['no proof', (t) => t.replace(/"ops":\[.*?\]/, '"ops":[]')],
      ['an error', (t) => t.replace('"code":0', '"code":9')],
    ],
  },
  {
    name: 'status',
    call: (ports) => state.status(ports),
    lies: [['another chain', (t) => t.replace(CHAIN_ID, 'other')]],
  },
  {
    name: 'broadcast_tx_sync',
    call: (ports) => transactions.broadcast(ports, 'broadcast_tx_sync', defined(TXS[0], 'tx')),
    lies: [['another hash', (t) => t.replace(/"hash":".."*/, '"hash":"00')]],
  },
];

describe.each(METHODS)('$name', ({ name, call, lies }) => {
  it('is answered', async () => {
    await expect(call(bench().ports)).resolves.toBeDefined();
  });

  it.each(lies)('is refused when the node lies about %s', async (_, change) => {
    const lying: Handler = (params) => {
      const honest = JSON.stringify(handlers[name]?.(params));
      const text = change(honest);
      expect(text).not.toBe(honest);
      return JSON.parse(text) as Json;
    };
    await expect(call(bench({ ...handlers, [name]: lying }).ports)).rejects.toEqual(
      expect.objectContaining({ code: expect.stringMatching(/^(light\.(lie|proof|query)|decode)$/) }),
    );
  });

  it('passes the error of the node on', async () => {
    const failing: Handler = () => {
      throw new RpcFailure('it broke');
    };
    await expect(call(bench({ ...handlers, [name]: failing }).ports)).rejects.toThrow('it broke');
  });
});

it('what is answered as block id is what was signed, not what the node says', async () => {
  const lying: Handler = () => ({
    ...(blockAnswer(5) as object),
    block_id: { hash: '', parts: { total: 9, hash: '' } },
  });
  const answer = await blocks.block(bench({ ...handlers, block: lying }).ports, 5n);
  expect(answer).toEqual(blockAnswer(5));
});

it('absence and an empty value are told apart by the proof, and both are taken', async () => {
  for (const key of ['nothing', 'void']) {
    const query = { path: '/store/bank/key', data: utf8(key), height: 5n };
    await expect(state.abciQuery(bench().ports, query)).resolves.toBeDefined();
  }
});

it('status tells the verified height, not the one that the node claims', async () => {
  expect(await state.status(bench().ports)).toMatchObject({
    sync_info: { latest_block_height: '8', catching_up: false },
  });
});

it('what nothing can prove is refused, unless it is wanted', async () => {
  const query = { path: '/cosmos.bank.v1beta1.Query/Balance', data: EMPTY_BYTES, height: 0n };
  const genesis: Handler = () => ({ genesis: {} });
  const rpc = { ...handlers, genesis };
  for (const ask of [
    (ports: ProxyPorts) => state.abciQuery(ports, query),
    (ports: ProxyPorts) => state.passedIfWanted(ports, 'genesis'),
  ]) {
    await expect(ask(bench(rpc).ports)).rejects.toThrow('cannot be verified and is refused');
    await expect(ask(bench(rpc, { passUnverified: true }).ports)).resolves.toBeDefined();
  }
});

it('the header after a block is waited for, ten seconds and no longer', async () => {
  const { ports, clock } = bench({
    ...handlers,
    block_results: () => ({ height: '8', txs_results: null }),
  });
  await expect(blocks.blockResults(ports, 8n)).rejects.toEqual(
    expect.objectContaining({ code: 'light.height_too_high' }),
  );
  expect(clock.slept.length).toBeLessThan(20);
});

it('pages of validators are those of the light client', async () => {
  const { ports } = bench();
  expect(await blocks.validators(ports, 5n, { page: 2, perPage: 3 })).toMatchObject({
    count: '1',
    total: '4',
  });
  await expect(blocks.validators(ports, 5n, { page: 3, perPage: 3 })).rejects.toThrow('within [1, 2] range');
});
