/** Whole nodes on real sockets and disks, with the test application. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DEFAULT_CONSENSUS_PARAMS } from '../../consensus/types/params.ts';
import { EMPTY_BYTES, equalBytes, toBase64, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import type { CommittedBlock } from '../../node/committed-block.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import { defaultNodeConfig } from '../../node/config/toml.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { type Node, startNode } from '../../node/node.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';
import { type ApplicationDisk, TestApplication } from './engine/test-application.ts';

const seedOf = (name: string): Uint8Array => sha256(utf8(name));

interface Home {
  readonly name: string;
  readonly directory: string;
  readonly disk: ApplicationDisk;
}

const newHome = (name: string): Home => ({
  name,
  directory: mkdtempSync(join(tmpdir(), `node-${name}-`)),
  disk: { height: 0n, hash: EMPTY_BYTES },
});

function genesisFor(validators: readonly string[]): GenesisDocument {
  return {
    genesisTime: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 },
    chainId: 'node-test',
    initialHeight: 1n,
    consensusParams: DEFAULT_CONSENSUS_PARAMS,
    validators: validators.map((name) => {
      const { publicKey } = ed25519Signer(seedOf(name));
      return {
        address: sha256(publicKey).slice(0, 20),
        keyType: 'ed25519',
        pubKey: publicKey,
        power: 10n,
        name,
      };
    }),
    appHash: EMPTY_BYTES,
    appState: {},
  };
}

function configOf(peers: readonly string[]): NodeConfig {
  const defaults = defaultNodeConfig();
  const { rpc, p2p, consensus } = defaults;
  return {
    ...defaults,
    rpc: { ...rpc, laddr: 'tcp://127.0.0.1:0' },
    p2p: { ...p2p, laddr: 'tcp://127.0.0.1:0', persistentPeers: peers },
    consensus: { ...consensus, timeoutCommitMs: 50 },
  };
}

/** What a node has told of its blocks: each can be read over RPC. */
class Heard {
  height = 0n;
  readonly txs: Uint8Array[] = [];
  #waiting: (() => void)[] = [];

  hear({ height, block }: CommittedBlock): void {
    this.height = height;
    this.txs.push(...block.txs);
    for (const look of [...this.#waiting]) look();
  }

  /** Resolves when it holds, at once or with the block that makes it so. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#waiting = this.#waiting.filter((other) => other !== look);
        resolve();
      };
      this.#waiting.push(look);
      look();
    });
  }
}

interface Started extends Node {
  readonly heard: Heard;
}

async function start(home: Home, genesis: GenesisDocument, peers: readonly string[] = []): Promise<Started> {
  const heard = new Heard();
  const paths = {
    genesisFile: '',
    addrBookFile: join(home.directory, 'addrbook.json'),
    nodeKeyFile: '',
    privValidatorKeyFile: join(home.directory, 'key.json'),
    privValidatorStateFile: join(home.directory, 'state.json'),
  };
  await FilePrivValidator.create(seedOf(home.name), {
    keyPath: paths.privValidatorKeyFile,
    statePath: paths.privValidatorStateFile,
    makeSigner: ed25519Signer,
  }).catch(() => undefined);
  const node = await startNode({
    config: configOf(peers),
    dataDir: join(home.directory, 'data'),
    paths,
    genesis,
    genesisText: encodeGenesis(genesis),
    nodeKey: seedOf(`p2p ${home.name}`),
    application: new TestApplication(home.disk),
    version: '0.0.0',
    logging: () => ({ debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }),
    onBlock: (committed) => heard.hear(committed),
    onFatal: (error) => {
      throw error;
    },
  });
  return { ...node, heard };
}

async function call(node: Node, method: string, params: object = {}): Promise<Record<string, unknown>> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const response = await fetch(node.rpc, { method: 'POST', body });
  const { result, error } = (await response.json()) as { result?: Record<string, unknown>; error?: unknown };
  if (result === undefined) throw new Error(JSON.stringify(error));
  return result;
}

const heightOf = async (node: Node): Promise<bigint> => {
  const { sync_info: info } = (await call(node, 'status')) as { sync_info: { latest_block_height: string } };
  return BigInt(info.latest_block_height);
};

const atLeast = async (node: Started, height: bigint): Promise<void> => {
  await node.heard.until(() => node.heard.height >= height);
  expect(await heightOf(node)).toBeGreaterThanOrEqual(height);
};

test('a validator and a full node: a transaction sent to one is found on both, and both go on after a restart', async () => {
  const genesis = genesisFor(['alice']);
  const alice = newHome('alice');
  const bob = newHome('bob');
  let validator = await start(alice, genesis);
  const full = await start(bob, genesis, [...validator.p2p]);
  const tx = utf8(`transaction ${Date.now()}`);
  const sent = await call(full, 'broadcast_tx_sync', { tx: toBase64(tx) });
  expect(sent['code']).toBe(0);
  const query = { query: `tx.hash='${sent['hash']}'` };
  for (const node of [validator, full]) {
    await node.heard.until(() => node.heard.txs.some((other) => equalBytes(other, tx)));
    const { txs } = (await call(node, 'tx_search', query)) as { txs: { tx: string }[] };
    expect(txs.map((found) => found.tx)).toEqual([toBase64(tx)]);
  }
  const height = await heightOf(validator);
  await validator.stop();
  validator = await start(alice, genesis);
  await atLeast(validator, height + 2n);
  await validator.stop();
  await full.stop();
});

test('four validators over libp2p agree; a home of another chain is refused with a sentence', async () => {
  const names = ['v0', 'v1', 'v2', 'v3'];
  const genesis = genesisFor(names);
  const homes = names.map(newHome);
  const nodes: Started[] = [];
  for (const home of homes)
    nodes.push(
      await start(
        home,
        genesis,
        nodes.flatMap(({ p2p }) => p2p),
      ),
    );
  await Promise.all(nodes.map((node) => atLeast(node, 6n)));
  const hashes = await Promise.all(
    nodes.map(async (node) => {
      const { block_id: id } = (await call(node, 'block', { height: '5' })) as { block_id: { hash: string } };
      return id.hash;
    }),
  );
  expect(new Set(hashes).size).toBe(1);
  await Promise.all(nodes.map((node) => node.stop()));
  const [home] = homes;
  if (home === undefined) throw new Error('a home');
  const other = { ...genesis, chainId: 'other-chain' };
  await expect(start(home, other)).rejects.toThrow('belongs to chain "node-test"');
  // The failed start has closed everything: the right one works.
  const again = await start(home, genesis);
  await again.stop();
});
