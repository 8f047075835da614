/**
 * A chain that nobody voted on in real time: blocks are made and executed one after another, and signed by
 * all validators at once. Its data directory is that of a full node at the last height. No validator of it
 * runs later, so the chain stands still: a node that syncs it has an end to reach.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApplication } from '../../cli/application.ts';
import { LOOPBACK, type NodePorts } from '../../cli/devnet/ports.ts';
import { createHome } from '../../cli/home/create.ts';
import { checkGenesis } from '../../cli/home/genesis-file.ts';
import { cutBlock } from '../../consensus/types/block.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { makeBlock } from '../../consensus/types/block-rules.ts';
import { type Commit, commitSignBytes, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { toHex } from '../../core/bytes.ts';
import type { Header } from '../../consensus/types/header.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { homePaths } from '../../node/config/home.ts';
import { defaultAppConfig, defaultNodeConfig } from '../../node/config/toml.ts';
import { type Ed25519Signer, ed25519Signer } from '../../node/crypto/ed25519.ts';
import { openLevelDatabase } from '../../node/database.ts';
import { machine } from '../../node/environment.ts';
import { genesisOf } from '../../node/node-settings.ts';
import { blockSink, openStores, type Stores } from '../../node/node-stores.ts';
import { type ChainState, contextOf } from '../../node/state/chain-state.ts';
import { BlockExecutor } from '../../node/state/executor.ts';
import { handshake } from '../../node/state/handshake.ts';
import { makeSenders, type Sender, signedSend } from '../e2e/senders.ts';

const CHAIN_ID = 'made-1';
const PREFIX = 'open';
const DENOM = 'uopen';
const FUNDS = 1_000_000_000_000n;
const MEMO_CHARACTERS_MAX = 1_000_000;
const VALIDATOR_POWER = 100n;

/** What a chain is made of. */
export interface MadeChainOptions {
  /** A folder of its own; homes of nodes are made in it. */
  readonly folder: string;
  readonly blocks: number;
  readonly validators: number;
  /** Transfers in each block, each of another sender, and the bytes of the memo that makes them large. */
  readonly txs: number;
  readonly memoBytes: number;
}

/** A chain on disk. */
export interface MadeChain {
  readonly blocks: number;
  /** Of all encoded blocks together. */
  readonly bytes: number;
  /** Makes a full node's home, with the chain's data or without any, and its peers in it. */
  home(options: HomeOptions): Promise<{ readonly home: string; readonly peer: string }>;
}

interface HomeOptions {
  readonly moniker: string;
  readonly ports: NodePorts;
  readonly peers: readonly string[];
  readonly hasData: boolean;
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

/** Makes it. Nothing is synced to the disk meanwhile, but all of it is when this resolves. */
export async function makeChain(options: MadeChainOptions): Promise<MadeChain> {
  const { folder, blocks, validators } = options;
  const signers = new Map(
    Array.from({ length: validators }, () => ed25519Signer(Uint8Array.from(randomBytes(32)))).map(
      (signer) => [toHex(signer.publicKey), signer] as const,
    ),
  );
  const senders = makeSenders(options.txs, PREFIX);
  const genesis = genesisText(options, [...signers.values()], senders);
  const dataDir = join(folder, 'made');
  const bytes = await execute({ options, signers, senders, genesis, dataDir });
  return {
    blocks,
    bytes,
    home: async ({ moniker, ports, peers, hasData }) => {
      const home = join(folder, moniker);
      const node = defaultNodeConfig();
      const { paths, peerId } = await createHome({
        home,
        node: {
          ...node,
          base: { ...node.base, moniker, logLevel: 'warn' },
          rpc: { ...node.rpc, laddr: `tcp://${LOOPBACK}:${ports.rpc}` },
          p2p: { ...node.p2p, laddr: `tcp://${LOOPBACK}:${ports.p2p}`, persistentPeers: peers },
        },
        app: { ...defaultAppConfig(), minimumGasPrices: `0.001${DENOM}` },
      });
      writeFileSync(paths.genesisFile, genesis);
      if (hasData) cpSync(dataDir, homePaths(home).dataDir, { recursive: true });
      return { home, peer: `/ip4/${LOOPBACK}/tcp/${ports.p2p}/p2p/${peerId}` };
    },
  };
}

function genesisText(
  { blocks }: MadeChainOptions,
  signers: readonly Ed25519Signer[],
  senders: readonly Sender[],
): string {
  const text = encodeGenesis(
    buildGenesis({
      chainId: CHAIN_ID,
      // A block a second, up to now: the time of a block must not lie ahead.
      genesisTime: { seconds: BigInt(Math.floor(Date.now() / 1000) - blocks - 60), nanos: 0 },
      accounts: senders.map(({ address }) => ({ address, coins: [{ denom: DENOM, amount: FUNDS }] })),
      validators: signers.map(({ publicKey }, i) => ({
        pubKey: publicKey,
        power: VALIDATOR_POWER,
        name: `validator${i}`,
      })),
    }),
  );
  return text.replace(/"max_memo_characters":\s*"\d+"/, `"max_memo_characters": "${MEMO_CHARACTERS_MAX}"`);
}

interface Making {
  readonly options: MadeChainOptions;
  /** By public key, hexadecimal. */
  readonly signers: ReadonlyMap<string, Ed25519Signer>;
  readonly senders: readonly Sender[];
  readonly genesis: string;
  readonly dataDir: string;
}

/** Makes all blocks. Returns their bytes. */
async function execute(making: Making): Promise<number> {
  const { options, dataDir } = making;
  const closers: (() => Promise<void> | void)[] = [];
  const { document, prefix } = checkGenesis(making.genesis);
  const environment = { ...machine, openDatabase: openUnsynced };
  const stores = await openStores({ dataDir, logging: () => silent }, environment, closers);
  const { application, close } = await openApplication({
    dataDir,
    chainId: CHAIN_ID,
    prefix,
    minimumGasPrices: '',
    txBytesMax: MEMO_CHARACTERS_MAX,
    verifierWorkers: 1,
    version: 'bench',
    log: silent,
  });
  const genesis = genesisOf(document);
  const state = await handshake(
    { application, store: stores.state, blocks: stores.blocks, log: ignore },
    genesis,
  );
  const executor = new BlockExecutor(
    {
      application,
      store: stores.state,
      mempool: { reap: () => [], update: async () => undefined, lock: async () => ignore },
      evidence: {
        pending: () => ({ evidence: [], bytes: 0n }),
        check: () => 'good',
        update: async () => undefined,
      },
      verify: () => true, // our own signatures
      prune: async () => undefined,
    },
    state,
  );
  let bytes = 0;
  let lastCommit = EMPTY_COMMIT;
  for (let i = 0; i < options.blocks; i++) {
    const made = await oneBlock({ making, executor, stores, lastCommit, index: i });
    bytes += made.bytes;
    lastCommit = made.commit;
  }
  for (const closer of closers.reverse()) await closer();
  await close();
  return bytes;
}

interface OneBlock {
  readonly making: Making;
  readonly executor: BlockExecutor;
  readonly stores: Stores;
  readonly lastCommit: Commit;
  readonly index: number;
}

async function oneBlock(one: OneBlock): Promise<{ readonly bytes: number; readonly commit: Commit }> {
  const { making, executor, stores, lastCommit, index } = one;
  const { state } = executor;
  const proposer = state.validators.validators[index % state.validators.validators.length];
  const block = makeBlock(contextOf(state), {
    txs: transactions(making, index),
    evidence: [],
    lastCommit,
    proposerAddress: proposer?.address ?? new Uint8Array(0),
  });
  const { bytes, parts, blockId } = cutBlock(block);
  const commit = signed(making, state, { header: block.header, blockId });
  const decided = { block, blockId, parts, blockSize: bytes.length, seenCommit: commit };
  const stored = blockSink(stores.blocks, 1n).saveBlock(decided);
  await executor.apply({ block, blockId, stored });
  return { bytes: bytes.length, commit };
}

/** One transfer of each sender. */
function transactions({ options, senders }: Making, index: number): readonly Uint8Array[] {
  const memo = 'm'.repeat(options.memoBytes);
  return senders.map((from, i) =>
    signedSend(
      { chainId: CHAIN_ID, denom: DENOM },
      {
        from,
        to: senders[(i + 1) % senders.length]?.address ?? from.address,
        accountNumber: BigInt(i),
        sequence: BigInt(index),
        memo,
      },
    ),
  );
}

/** The commit in which everybody signs. */
function signed(
  { signers }: Making,
  { validators }: ChainState,
  block: { readonly header: Header; readonly blockId: BlockId },
): Commit {
  const { header, blockId } = block;
  const { height, time } = header;
  const timestamp = { seconds: time.seconds + 1n, nanos: 0 };
  const unsigned: Commit = {
    height,
    round: 0,
    blockId,
    signatures: validators.validators.map(({ address }) => ({
      blockIdFlag: 'commit',
      validatorAddress: address,
      timestamp,
      signature: new Uint8Array(64),
    })),
  };
  return {
    ...unsigned,
    signatures: unsigned.signatures.map((entry, i) => {
      const signer = signers.get(toHex(validators.validators[i]?.publicKey.bytes ?? new Uint8Array(0)));
      const message = commitSignBytes(CHAIN_ID, unsigned, i);
      if (signer === undefined || message === undefined) throw new Error(`no signer for entry ${i}`);
      return { ...entry, signature: signer.sign(message) };
    }),
  };
}

/** LevelDB without waiting for the disk: a chain that is made can be made again. */
const openUnsynced: typeof openLevelDatabase = async (directory) => {
  const database = await openLevelDatabase(directory);
  return {
    ...database,
    batch: () => {
      const batch = database.batch();
      return { ...batch, write: () => batch.write() };
    },
  };
};
