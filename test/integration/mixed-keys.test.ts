/** Chains whose validators have secp256k1 keys, alone and among ed25519 ones: whole nodes, real sockets. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openApplication } from '../../cli/application.ts';
import { type LightProxy, startLightProxy } from '../../cli/light/proxy.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
import { fromHex, toBase64, toUpperHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { type GenesisDocument, parseGenesis } from '../../genesis/document.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { machine } from '../../node/environment.ts';
import { type Node, startNode } from '../../node/node.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';

const CHAIN_ID = 'mixed-keys';
/** The nodes start one after the other: rounds that fail meanwhile must not grow long. */
const QUICK = { timeoutCommitMs: 50, timeoutProposeMs: 600, timeoutProposeDeltaMs: 50 };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Key {
  readonly name: string;
  readonly keyType: PublicKey['type'];
}

const seedOf = ({ name }: Key): Uint8Array => sha256(utf8(name));
const publicKeyOf = (key: Key): Uint8Array => machine.makeSigner(seedOf(key), key.keyType).publicKey;

function genesisOf(keys: readonly Key[]): GenesisDocument {
  const text = encodeGenesis(
    buildGenesis({
      chainId: CHAIN_ID,
      genesisTime: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 },
      accounts: [],
      validators: keys.map((key) => ({ ...key, pubKey: publicKeyOf(key), power: 10n })),
    }),
  );
  return parseGenesis(text);
}

interface Running extends Node {
  /** Resolves when a block of at least that height can be read over RPC. */
  atLeast(height: bigint): Promise<void>;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(key: Key, genesis: GenesisDocument, peers: readonly string[]): Promise<Running> {
  const home = mkdtempSync(join(tmpdir(), `mixed-${key.name}-`));
  const paths = {
    genesisFile: '',
    addrBookFile: join(home, 'addrbook.json'),
    nodeKeyFile: '',
    privValidatorKeyFile: join(home, 'key.json'),
    privValidatorStateFile: join(home, 'state.json'),
  };
  await FilePrivValidator.create(seedOf(key), {
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    makeSigner: machine.makeSigner,
    keyType: key.keyType,
  });
  const { application, close } = await openApplication({
    dataDir: join(home, 'data'),
    chainId: CHAIN_ID,
    prefix: 'open',
    minimumGasPrices: '',
    txBytesMax: 1_000_000,
    keepVersions: 100,
    snapshots: { interval: 0, keepRecent: 2 },
    verifierWorkers: 1,
    version: '0.0.0',
    log: silent,
  });
  closers.push(close);
  const { rpc, p2p, consensus, ...others } = defaultNodeConfig();
  let height = 0n;
  const waiting: { readonly height: bigint; readonly resolve: () => void }[] = [];
  const node = await startNode({
    config: {
      ...others,
      rpc: { ...rpc, laddr: 'tcp://127.0.0.1:0' },
      p2p: { ...p2p, laddr: 'tcp://127.0.0.1:0', persistentPeers: peers },
      consensus: { ...consensus, ...QUICK },
    },
    dataDir: join(home, 'data'),
    paths,
    genesis,
    genesisText: encodeGenesis(genesis),
    nodeKey: sha256(utf8(`p2p ${key.name}`)),
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
  const atLeast = (wanted: bigint): Promise<void> =>
    new Promise((resolve) => {
      if (height >= wanted) resolve();
      else waiting.push({ height: wanted, resolve });
    });
  return { ...node, atLeast };
}

async function call<T>(url: string, method: string, params: object = {}): Promise<T> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(url, { method: 'POST', body });
  const { result, error } = (await response.json()) as { result?: T; error?: unknown };
  if (result === undefined) throw new Error(JSON.stringify(error));
  return result;
}

interface CommitAnswer {
  readonly signed_header: {
    readonly commit: {
      readonly block_id: { readonly hash: string };
      readonly signatures: readonly { readonly validator_address: string; readonly signature: string }[];
    };
  };
}
interface ValidatorsAnswer {
  readonly validators: readonly {
    readonly address: string;
    readonly pub_key: { readonly type: string; readonly value: string };
  }[];
}
interface NetInfoAnswer {
  readonly peers: readonly { readonly validator: string | null }[];
}

/** A light client that begins at height 1. */
async function lightOf([node, witness]: readonly [Node, Node], sequential: boolean): Promise<LightProxy> {
  const first = await call<CommitAnswer>(node.rpc, 'commit', { height: '1' });
  const proxy = await startLightProxy({
    chainId: CHAIN_ID,
    primary: node.rpc,
    witnesses: [witness.rpc],
    trust: { height: 1n, hash: fromHex(first.signed_header.commit.block_id.hash) },
    trustingPeriodMs: 3_600_000,
    trustLevel: { numerator: 1n, denominator: 3n },
    sequential,
    passUnverified: false,
    listen: { host: '127.0.0.1', port: 0 },
    directory: mkdtempSync(join(tmpdir(), 'mixed-light-')),
    confirm: () => Promise.resolve(false),
    logger: silent,
  });
  closers.push(() => proxy.stop());
  return proxy;
}

const TYPES = { ed25519: 'tendermint/PubKeyEd25519', secp256k1: 'tendermint/PubKeySecp256k1' } as const;

test('a set of both kinds of keys decides, is shown as in CometBFT, and convinces a light client', async () => {
  const keys: readonly Key[] = [
    { name: 'v0', keyType: 'ed25519' },
    { name: 'v1', keyType: 'secp256k1' },
    { name: 'v2', keyType: 'secp256k1' },
    { name: 'v3', keyType: 'ed25519' },
  ];
  const genesis = genesisOf(keys);
  const nodes: Running[] = [];
  for (const key of keys)
    nodes.push(
      await start(
        key,
        genesis,
        nodes.flatMap(({ p2p }) => p2p),
      ),
    );
  const [node, witness] = nodes;
  if (node === undefined || witness === undefined) throw new Error('two nodes');
  await Promise.all(nodes.map((each) => each.atLeast(8n)));

  const { validators } = await call<ValidatorsAnswer>(node.rpc, 'validators', { height: '5' });
  expect(validators.map(({ pub_key: key }) => key)).toEqual(
    genesis.validators
      .toSorted((a, b) => (toUpperHex(a.address) < toUpperHex(b.address) ? -1 : 1))
      .map(({ keyType, pubKey }) => ({ type: TYPES[keyType], value: toBase64(pubKey) })),
  );
  for (const [i, { keyType }] of keys.entries()) {
    const status = await call<{ validator_info: object }>(nodes[i]?.rpc ?? '', 'status');
    expect(status.validator_info).toMatchObject({
      address: toUpperHex(genesis.validators[i]?.address ?? new Uint8Array(0)),
      pub_key: { type: TYPES[keyType] },
      voting_power: '10',
    });
  }
  // More than two thirds of four equal powers are three: no block is decided by keys of one kind.
  const { signed_header: header } = await call<CommitAnswer>(node.rpc, 'commit', { height: '5' });
  const signed = header.commit.signatures.filter(({ signature }) => signature !== null);
  expect(signed.length).toBeGreaterThanOrEqual(3);

  const peers = (await call<NetInfoAnswer>(node.rpc, 'net_info')).peers;
  const others = genesis.validators.slice(1).map(({ address }) => toUpperHex(address));
  expect(peers.map(({ validator }) => validator).toSorted()).toEqual(others.toSorted());

  for (const sequential of [false, true]) {
    const proxy = await lightOf([node, witness], sequential);
    const verified = await call<CommitAnswer>(proxy.url, 'commit', { height: '7' });
    expect(verified.signed_header).toEqual(
      (await call<CommitAnswer>(node.rpc, 'commit', { height: '7' })).signed_header,
    );
  }
}, 60_000);

test('a chain of one secp256k1 validator makes blocks', async () => {
  const key: Key = { name: 'alone', keyType: 'secp256k1' };
  const genesis = genesisOf([key]);
  expect(genesis.consensusParams.validator?.pubKeyTypes).toEqual(['secp256k1']);
  const node = await start(key, genesis, []);
  await node.atLeast(3n);
  const params = await call<{ consensus_params: object }>(node.rpc, 'consensus_params', { height: '3' });
  expect(params.consensus_params).toMatchObject({ validator: { pub_key_types: ['secp256k1'] } });
}, 60_000);
