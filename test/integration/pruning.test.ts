/** A validator with `min-retain-blocks`: what it keeps, and what its RPC says of what it has forgotten. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openApplication } from '../../cli/application.ts';
import { utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { parseGenesis } from '../../genesis/document.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { machine } from '../../node/environment.ts';
import { type Node, startNode } from '../../node/node.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';

const CHAIN_ID = 'pruning';
const KEEP = 5;
const EVIDENCE_BLOCKS = 8n;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Running extends Node {
  readonly until: (height: bigint) => Promise<void>;
}

async function start(home: string, minRetainBlocks: number): Promise<Running> {
  const seed = sha256(utf8('validator'));
  const { publicKey } = machine.makeSigner(seed, 'ed25519');
  const made = buildGenesis({
    chainId: CHAIN_ID,
    genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
    accounts: [],
    validators: [{ name: 'v', keyType: 'ed25519', pubKey: publicKey, power: 10n }],
  });
  const evidence = {
    maxAgeNumBlocks: EVIDENCE_BLOCKS,
    maxAgeDuration: { seconds: 0n, nanos: 1 },
    maxBytes: 10_000n,
  };
  const text = encodeGenesis({ ...made, consensusParams: { ...made.consensusParams, evidence } });
  const paths = {
    genesisFile: '',
    addrBookFile: join(home, 'addrbook.json'),
    nodeKeyFile: '',
    privValidatorKeyFile: join(home, 'key.json'),
    privValidatorStateFile: join(home, 'state.json'),
  };
  const isNew = !existsSync(paths.privValidatorKeyFile);
  const create = FilePrivValidator.create.bind(FilePrivValidator);
  if (isNew)
    await create(seed, {
      keyPath: paths.privValidatorKeyFile,
      statePath: paths.privValidatorStateFile,
      makeSigner: machine.makeSigner,
      keyType: 'ed25519',
    });
  const { application, close } = await openApplication({
    dataDir: join(home, 'data'),
    chainId: CHAIN_ID,
    prefix: 'open',
    minimumGasPrices: '',
    txBytesMax: 1_000_000,
    minRetainBlocks,
    verifierWorkers: 1,
    version: '0.0.0',
    log: silent,
  });
  closers.push(close);
  const config = defaultNodeConfig();
  let height = 0n;
  const waiting: { readonly height: bigint; readonly resolve: () => void }[] = [];
  const node = await startNode({
    config: {
      ...config,
      rpc: { ...config.rpc, laddr: 'tcp://127.0.0.1:0' },
      p2p: { ...config.p2p, laddr: 'tcp://127.0.0.1:0' },
      consensus: { ...config.consensus, timeoutCommitMs: 20 },
    },
    dataDir: join(home, 'data'),
    paths,
    genesis: parseGenesis(text),
    genesisText: text,
    nodeKey: sha256(utf8('p2p')),
    application,
    version: '0.0.0',
    logging: () => silent,
    onBlock: (committed) => {
      height = committed.height;
      for (const waiter of waiting) if (waiter.height <= height) waiter.resolve();
    },
    onFatal: (error) => {
      throw error;
    },
  });
  closers.push(() => node.stop());
  const until = (wanted: bigint): Promise<void> =>
    new Promise((resolve) => {
      if (height >= wanted) resolve();
      else waiting.push({ height: wanted, resolve });
    });
  return { ...node, until };
}

interface Answer {
  readonly result?: {
    readonly sync_info?: { readonly earliest_block_height: string; readonly latest_block_height: string };
    readonly last_height?: string;
    readonly block_metas?: readonly { readonly header: { readonly height: string } }[];
    readonly blocks?: readonly { readonly block: { readonly header: { readonly height: string } } }[];
    readonly total_count?: string;
  };
  readonly error?: { readonly data: string };
}

async function call(node: Node, method: string, params: object = {}): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  return (await (await fetch(node.rpc, { method: 'POST', body })).json()) as Answer;
}

async function range(node: Node): Promise<{ readonly earliest: bigint; readonly latest: bigint }> {
  const info = (await call(node, 'status')).result?.sync_info;
  return {
    earliest: BigInt(info?.earliest_block_height ?? -1),
    latest: BigInt(info?.latest_block_height ?? -1),
  };
}

test('a validator forgets what neither its operator nor evidence needs, and says so', async () => {
  const home = mkdtempSync(join(tmpdir(), 'pruning-'));
  const node = await start(home, KEEP);
  await node.until(20n);
  const { earliest, latest } = await range(node);
  // Evidence needs more than the operator asked for.
  expect(earliest).toBeGreaterThanOrEqual(20n - EVIDENCE_BLOCKS);
  expect(latest - earliest).toBeLessThanOrEqual(EVIDENCE_BLOCKS + 2n);

  for (const method of ['block', 'block_results', 'header', 'commit', 'validators', 'consensus_params']) {
    const { error } = await call(node, method, { height: '3' });
    expect(error?.data, method).toMatch(/^height 3 is not available, lowest height is \d+$/);
    expect((await call(node, method, { height: String(latest) })).error, method).toBeUndefined();
  }
  const { result } = await call(node, 'blockchain', { minHeight: '1', maxHeight: '0' });
  expect(Number(result?.block_metas?.at(-1)?.header.height)).toBeGreaterThanOrEqual(Number(earliest));
  const found = (await call(node, 'block_search', { query: 'block.height > 0', per_page: '100' })).result;
  expect(found?.blocks?.length).toBe(Number(found?.total_count));
  expect(Number(found?.total_count)).toBeLessThan(20);
}, 60_000);

test('who begins to prune forgets what was kept before; who keeps all forgets nothing', async () => {
  const home = mkdtempSync(join(tmpdir(), 'pruning-later-'));
  const all = await start(home, 0);
  await all.until(20n);
  expect((await range(all)).earliest).toBe(1n);
  for (const close of closers.splice(0).reverse()) await close();
  const pruning = await start(home, KEEP);
  const from = (await range(pruning)).latest;
  await pruning.until(from + 2n);
  expect((await range(pruning)).earliest).toBeGreaterThanOrEqual(from - EVIDENCE_BLOCKS);
}, 60_000);
