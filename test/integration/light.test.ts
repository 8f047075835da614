/** The light client and the verifying proxy over the RPC of a real node, and a liar between the two. */
import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LightProxy, type LightProxySettings, startLightProxy } from '../../cli/light/proxy.ts';
import { commitSignBytes } from '../../consensus/types/commit.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../consensus/types/params.ts';
import { EMPTY_BYTES, fromHex, toBase64, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { JsonField } from '../../light/json/field.ts';
import { commitJson, headerJson } from '../../light/json/print.ts';
import { readSignedHeader } from '../../light/json/read.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { type Node, startNode } from '../../node/node.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';
import { TestApplication } from './engine/test-application.ts';

const CHAIN_ID = 'light-integration';
const SEED = sha256(utf8('light integration'));
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

type Result = Record<string, unknown>;

async function call(url: string, method: string, params: object = {}): Promise<Result> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(url, { method: 'POST', body });
  const { result, error } = (await response.json()) as { result?: Result; error?: { data: string } };
  if (result === undefined) throw new Error(error?.data);
  return result;
}

async function startValidator(): Promise<Node> {
  const home = mkdtempSync(join(tmpdir(), 'light-node-'));
  const { publicKey } = ed25519Signer(SEED);
  const genesis: GenesisDocument = {
    genesisTime: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 },
    chainId: CHAIN_ID,
    initialHeight: 1n,
    consensusParams: DEFAULT_CONSENSUS_PARAMS,
    validators: [
      {
        address: sha256(publicKey).slice(0, 20),
        keyType: 'ed25519',
        pubKey: publicKey,
        power: 10n,
        name: 'one',
      },
    ],
    appHash: EMPTY_BYTES,
    appState: {},
  };
  const paths = {
    genesisFile: '',
    addrBookFile: join(home, 'addrbook.json'),
    nodeKeyFile: '',
    privValidatorKeyFile: join(home, 'key.json'),
    privValidatorStateFile: join(home, 'state.json'),
  };
  await FilePrivValidator.create(SEED, {
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    makeSigner: ed25519Signer,
  });
  const { rpc, p2p, consensus, ...others } = defaultNodeConfig();
  return startNode({
    config: {
      ...others,
      rpc: { ...rpc, laddr: 'tcp://127.0.0.1:0' },
      p2p: { ...p2p, laddr: 'tcp://127.0.0.1:0' },
      consensus: { ...consensus, timeoutCommitMs: 100 },
    },
    dataDir: join(home, 'data'),
    paths,
    genesis,
    genesisText: encodeGenesis(genesis),
    nodeKey: sha256(SEED),
    application: new TestApplication({ height: 0n, hash: EMPTY_BYTES }),
    version: '0.0.0',
    logging: () => silent,
    onFatal: (error) => {
      throw error;
    },
  });
}

/** Passes requests on and changes the answers to one method. */
class Liar {
  change: { readonly method: string; readonly edit: (text: string) => string } | undefined;
  readonly #server: Server;

  constructor(target: string) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const { method } = JSON.parse(body) as { method: string };
        void fetch(target, { method: 'POST', body })
          .then((answer) => answer.text())
          .then((text) => response.end(this.change?.method === method ? this.change.edit(text) : text));
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let node: Node;
let liar: Liar;
let settings: LightProxySettings;
let proxy: LightProxy;
let txHeight: string;
const TX = utf8('light=verified');

beforeAll(async () => {
  node = await startValidator();
  const committed = await call(node.rpc, 'broadcast_tx_commit', { tx: toBase64(TX) });
  txHeight = String(committed['height']);
  // One more block: of the last one the node has the commit that it saw, not the one that the chain has.
  await call(node.rpc, 'broadcast_tx_commit', { tx: toBase64(utf8('light=later')) });
  const first = (await call(node.rpc, 'commit', { height: '1' })) as {
    signed_header: { commit: { block_id: { hash: string } } };
  };
  liar = new Liar(node.rpc);
  settings = {
    chainId: CHAIN_ID,
    primary: await liar.start(),
    witnesses: [node.rpc],
    trust: { height: 1n, hash: fromHex(first.signed_header.commit.block_id.hash) },
    trustingPeriodMs: 3_600_000,
    trustLevel: { numerator: 1n, denominator: 3n },
    sequential: false,
    passUnverified: false,
    listen: { host: '127.0.0.1', port: 0 },
    directory: mkdtempSync(join(tmpdir(), 'light-store-')),
    confirm: () => Promise.resolve(false),
    logger: silent,
  };
  proxy = await startLightProxy(settings);
}, 30_000);

afterAll(async () => {
  await proxy?.stop();
  liar?.stop();
  await node?.stop();
});

describe('the proxy answers what the node answers', () => {
  const at = (): { height: string } => ({ height: txHeight });
  it.each([
    ['block', at],
    ['header', at],
    ['commit', at],
    ['validators', at],
    ['block_results', at],
    ['consensus_params', at],
    ['blockchain', () => ({ minHeight: '1', maxHeight: txHeight })],
    ['tx', () => ({ hash: toBase64(sha256(TX)), prove: true })],
    ['tx', () => ({ hash: toBase64(sha256(TX)), prove: false })],
    ['tx_search', () => ({ query: `tx.height=${txHeight}`, prove: false })],
    ['block_search', () => ({ query: `block.height=${txHeight}` })],
  ])('%s', async (method, params) => {
    const { last_height: _mine, ...mine } = await call(proxy.url, method, params());
    const { last_height: _theirs, ...theirs } = await call(node.rpc, method, params());
    expect(mine).toEqual(theirs); // but for how far the chain has come between the two calls
  });
});

describe('what the liar changes is refused', () => {
  it.each([
    ['block', () => ({ height: txHeight }), /"txs":\["./, '"txs":["x'],
    ['block_results', () => ({ height: txHeight }), /"code":0/, '"code":1'],
    ['tx', () => ({ hash: toBase64(sha256(TX)), prove: true }), /"code":0/, '"code":1'],
    ['status', () => ({}), new RegExp(CHAIN_ID), 'other'],
  ] as const)('%s', async (method, params, from, to) => {
    liar.change = { method, edit: (text) => text.replace(from, to) };
    try {
      await expect(call(proxy.url, method, params())).rejects.toThrow(/refused|should be|wrong data hash/);
    } finally {
      liar.change = undefined;
    }
  });
});

it('a commit with a forged signature is nothing to begin with, whatever the hash', async () => {
  liar.change = {
    method: 'commit',
    edit: (text) => text.replace(/"signature":"..../g, '"signature":"AAAA'),
  };
  try {
    const directory = mkdtempSync(join(tmpdir(), 'light-store-'));
    await expect(startLightProxy({ ...settings, directory })).rejects.toThrow('wrong signature in commit');
  } finally {
    liar.change = undefined;
  }
});

it('another trusted hash is refused, with what the node has', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'light-store-'));
  const trust = { height: 1n, hash: new Uint8Array(32) };
  await expect(startLightProxy({ ...settings, directory, trust })).rejects.toThrow('not the trusted 0000');
});

/** The first block with evidence in it, as text. */
async function convicted(): Promise<string> {
  const deadline = Date.now() + 20_000;
  for (let height = Number(txHeight); Date.now() < deadline; ) {
    const block = await call(node.rpc, 'block', { height: String(height) }).catch(() => undefined);
    const text = JSON.stringify(block ?? {});
    if (text.includes('LightClientAttackEvidence')) return text;
    if (block === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    else height++;
  }
  throw new Error('the evidence is in no block');
}

/** The block of that height with other data, signed by the validator a second time. */
async function forgedCommit(height: string): Promise<string> {
  const answer = await call(node.rpc, 'commit', { height });
  const signed = readSignedHeader(new JsonField(answer, 'commit').at('signed_header'));
  const header = { ...signed.header, dataHash: sha256(utf8('forged')) };
  const blockId = { ...signed.commit.blockId, hash: headerHash(header) };
  const unsigned = { ...signed.commit, blockId };
  const signatures = unsigned.signatures.map((entry, i) => {
    const message = commitSignBytes(CHAIN_ID, unsigned, i) ?? EMPTY_BYTES;
    return { ...entry, signature: ed25519Signer(SEED).sign(message) };
  });
  const commit = commitJson({ ...unsigned, signatures });
  const result = { signed_header: { header: headerJson(header), commit }, canonical: true };
  return JSON.stringify(result);
}

it('a liar with enough signatures is convicted: the node takes the evidence and puts it into a block', async () => {
  const forged = await forgedCommit(txHeight);
  liar.change = {
    method: 'commit',
    edit: (text) => {
      const answer = new JsonField(JSON.parse(text), 'answer');
      const height = answer.at('result').at('signed_header').at('header').at('height').string();
      const id = answer.at('id').int32();
      return height === txHeight ? `{"jsonrpc":"2.0","id":${id},"result":${forged}}` : text;
    },
  };
  try {
    const lines: string[] = [];
    const logger = { ...silent, error: (_: unknown, line: string) => void lines.push(line) };
    const directory = mkdtempSync(join(tmpdir(), 'light-store-'));
    const attacked = await startLightProxy({ ...settings, directory, logger });
    try {
      await expect(call(attacked.url, 'header', { height: txHeight })).rejects.toThrow(
        'one of them is an attack',
      );
      expect(lines).toContain('attack: evidence was sent');
    } finally {
      await attacked.stop();
    }
  } finally {
    liar.change = undefined;
  }
  expect(await convicted()).toContain(`"CommonHeight":"${txHeight}"`);
}, 30_000);

it('what was verified is still there after a restart, without a trusted block being given', async () => {
  const before = proxy.client.trustedHeights;
  await proxy.stop();
  proxy = await startLightProxy({ ...settings, trust: undefined });
  expect(proxy.client.trustedHeights).toEqual(expect.arrayContaining([...before]));
  expect(before.length).toBeGreaterThan(1);
});
