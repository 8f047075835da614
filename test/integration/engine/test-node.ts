/**
 * A node without network, mempool and RPC: engine, log, signer, stores on a real disk, a test application.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TimeoutConfig } from '../../../consensus/config.ts';
import { Consensus } from '../../../consensus/consensus.ts';
import type { ValidatorChange } from '../../../consensus/proposer.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../../consensus/types/params.ts';
import { timeFromNanos } from '../../../consensus/types/time.ts';
import type { Vote } from '../../../consensus/types/vote.ts';
import { EMPTY_BYTES, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { BlockStore } from '../../../node/blockstore/block-store.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import { ed25519Signer, verifyEd25519 } from '../../../node/crypto/ed25519.ts';
import { Engine } from '../../../node/engine/engine.ts';
import type {
  ConsensusMessage,
  ConsensusPublisher,
  ConsensusSigner,
  EngineLogger,
} from '../../../node/engine/ports.ts';
import { EvidencePool } from '../../../node/evidence/evidence-pool.ts';
import { EvidenceStore } from '../../../node/evidence/evidence-store.ts';
import { quiet } from '../../../node/evidence/testing.ts';
import { evidenceChain } from '../../../node/node-stores.ts';
import { type DurableFiles, machineFiles } from '../../../node/privval/durable-file.ts';
import { FilePrivValidator } from '../../../node/privval/file-priv-validator.ts';
import { SigningGuard } from '../../../node/signing-state.ts';
import type { Genesis } from '../../../node/state/chain-state.ts';
import { BlockExecutor } from '../../../node/state/executor.ts';
import { handshake } from '../../../node/state/handshake.ts';
import { StateStore } from '../../../node/state/state-store.ts';
import type { WalFiles } from '../../../node/wal/files.ts';
import { Wal } from '../../../node/wal/wal.ts';
import type { Misbehavior } from '../../../proto/gen/tendermint/abci/types.ts';
import { type ApplicationDisk, TestApplication } from './test-application.ts';

export const CHAIN_ID = 'engine-test';

const QUICK: TimeoutConfig = {
  proposeMs: 400,
  proposeDeltaMs: 200,
  prevoteMs: 100,
  prevoteDeltaMs: 100,
  precommitMs: 100,
  precommitDeltaMs: 100,
  commitMs: 5,
  skipCommitWhenComplete: false,
};

/** The seed of the key of validator `index`. */
export const seedOf = (index: number): Uint8Array => sha256(utf8(`validator ${index}`));

/** A genesis with that many validators of power 10. */
export function testGenesis(validators: number): Genesis {
  const changes: ValidatorChange[] = Array.from({ length: validators }, (_, index) => ({
    publicKey: { type: 'ed25519', bytes: ed25519Signer(seedOf(index)).publicKey },
    votingPower: 10n,
  }));
  return {
    chainId: CHAIN_ID,
    genesisTime: timeFromNanos(BigInt(Date.now()) * 1_000_000n),
    initialHeight: 1n,
    consensusParams: DEFAULT_CONSENSUS_PARAMS,
    validators: changes,
    appHash: EMPTY_BYTES,
    appState: EMPTY_BYTES,
  };
}

/** What a node keeps when its process dies. */
export interface TestHome {
  readonly directory: string;
  readonly index: number;
  readonly application: ApplicationDisk;
}

export interface TestNodeOptions {
  readonly home: TestHome;
  readonly genesis: Genesis;
  readonly publisher: ConsensusPublisher;
  /** False: a full node without a key. */
  readonly validates?: boolean;
  readonly createEmptyBlocks?: boolean;
  readonly doubleSignCheckHeight?: number;
  readonly transactions?: () => readonly Uint8Array[];
  readonly walFiles?: (files: string) => WalFiles;
  readonly wrapSigner?: (signer: ConsensusSigner) => ConsensusSigner;
  readonly beforeStep?: (step: string) => void;
  readonly onConflict?: (first: Vote, second: Vote) => void;
  /** Told of each block first; the height is finished after that. */
  readonly onCommit?: (height: bigint) => Promise<void>;
  readonly timeouts?: TimeoutConfig;
  /** Where the signer keeps its state. */
  readonly signerFiles?: DurableFiles;
}

export interface TestNode {
  readonly engine: Engine;
  readonly application: TestApplication;
  readonly blocks: BlockStore;
  readonly state: StateStore;
  readonly committed: CommittedBlock[];
  readonly fatal: Promise<unknown>;
  /** What FinalizeBlock was told of misbehaviour. */
  readonly misbehavior: readonly Misbehavior[];
  /** Resolves when a block of that height is committed, rejects when the node stops by itself. */
  reached(height: bigint): Promise<void>;
  stop(): Promise<void>;
}

export const silentLogger: EngineLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

async function openSigner(home: TestHome, files: DurableFiles = machineFiles): Promise<FilePrivValidator> {
  const options = {
    keyPath: join(home.directory, 'priv_validator_key.json'),
    statePath: join(home.directory, 'priv_validator_state.json'),
    makeSigner: ed25519Signer,
    files,
  };
  try {
    return await FilePrivValidator.create(seedOf(home.index), options);
  } catch {
    return FilePrivValidator.open(options);
  }
}

/** Builds a node on its home and brings its stores together; call `engine.start()` and `joinConsensus()`. */
export async function openTestNode(options: TestNodeOptions): Promise<TestNode> {
  const { home, genesis } = options;
  const step = options.beforeStep ?? ((): void => {});
  mkdirSync(home.directory, { recursive: true });
  const opened = options.validates === false ? undefined : await openSigner(home, options.signerFiles);
  const signer = opened === undefined ? undefined : (options.wrapSigner?.(opened) ?? opened);
  const application = new TestApplication(home.application);
  const blocks = await BlockStore.open(join(home.directory, 'blockstore.db'));
  const store = await StateStore.open(join(home.directory, 'state.db'));
  const evidenceStore = await EvidenceStore.open(join(home.directory, 'evidence.db'));
  const closeStores = async (): Promise<void> => {
    await evidenceStore.close();
    await blocks.close();
    await store.close();
  };
  const walDirectory = join(home.directory, 'cs.wal');
  const files = options.walFiles?.(walDirectory);
  const opening = (async () => {
    const opened = Wal.open({ directory: walDirectory, ...(files === undefined ? {} : { files }) });
    return [opened, await handshake({ application, store, blocks, log: () => {} }, genesis)] as const;
  })();
  const [log, state] = await opening.catch(async (error: unknown) => {
    await closeStores();
    throw error;
  });
  const verify = (key: { bytes: Uint8Array }, message: Uint8Array, signature: Uint8Array): boolean =>
    verifyEd25519(key.bytes, message, signature);
  const mempool = {
    reap: () => options.transactions?.() ?? [],
    update: async () => step('mempool.update'),
    lock: async () => () => {},
  };
  const evidence = await EvidencePool.open(
    { store: evidenceStore, chain: evidenceChain({ blocks, state: store }), verify, log: quiet },
    state,
  );
  const executor = new BlockExecutor(
    { application, mempool, evidence, store, verify, prune: async () => {} },
    state,
  );
  const committed: CommittedBlock[] = [];
  const waiters: { height: bigint; resolve: () => void; reject: (error: unknown) => void }[] = [];
  let failed: (error: unknown) => void = () => {};
  const fatal = new Promise<unknown>((resolve) => {
    failed = resolve;
  });
  const engine = new Engine(
    {
      core: new Consensus({ address: signer?.address, timeouts: options.timeouts ?? QUICK }),
      executor,
      blocks: {
        range: () => blocks.range(),
        seenCommit: (height) => blocks.seenCommit(height),
        saveBlock: async (decided) => {
          step('blocks.save');
          await blocks.save({
            meta: {
              blockId: decided.blockId,
              blockSize: BigInt(decided.blockSize),
              header: decided.block.header,
              numTxs: BigInt(decided.block.txs.length),
            },
            parts: decided.parts,
            lastCommit:
              decided.block.header.height === genesis.initialHeight ? undefined : decided.block.lastCommit,
            seenCommit: decided.seenCommit,
          });
          step('blocks.saved');
        },
      },
      log,
      signer,
      guard:
        opened === undefined
          ? undefined
          : new SigningGuard({
              signer: opened,
              blocks,
              doubleSignCheckHeight: options.doubleSignCheckHeight ?? 0,
            }),
      publisher: options.publisher,
      transactions: { hasTransactions: false, onTransactions: () => () => {} },
      evidence: {
        conflictingVotes: (first, second) => {
          options.onConflict?.(first, second);
          evidence.conflictingVotes(first, second);
        },
        conflictsSaved: () => evidence.conflictsSaved(),
      },
      listeners: [
        {
          onCommit: async (block) => {
            await options.onCommit?.(block.height);
            committed.push(block);
            for (const waiter of waiters) if (waiter.height <= block.height) waiter.resolve();
          },
        },
      ],
      verify,
      clock: {
        now: () => BigInt(Date.now()) * 1_000_000n,
        schedule: (delayMs, callback) => {
          const timer = setTimeout(callback, delayMs);
          return () => clearTimeout(timer);
        },
      },
      logger: silentLogger,
      onFatal: (error) => {
        failed(error);
        for (const waiter of waiters) waiter.reject(error);
      },
    },
    { createEmptyBlocks: options.createEmptyBlocks ?? true, createEmptyBlocksIntervalMs: 0 },
  );
  return {
    engine,
    application,
    blocks,
    state: store,
    committed,
    misbehavior: application.misbehavior,
    fatal,
    reached: (height) =>
      engine.lastHeight() >= height
        ? Promise.resolve()
        : new Promise((resolve, reject) => waiters.push({ height, resolve, reject })),
    stop: async () => {
      try {
        await engine.stop();
        await evidence.flush();
        await log.close();
      } finally {
        await closeStores();
      }
    },
  };
}

/**
 * Hands every published message to all other engines: a network without loss, order kept. It repeats nothing:
 * a node that is two heights behind has missed messages, and `keepTogether` stands in for block sync.
 */
export class Broadcast {
  readonly #engines = new Map<number, Engine>();
  readonly misbehaved: string[] = [];
  readonly sent: { readonly from: number; readonly message: ConsensusMessage }[] = [];

  join(index: number, engine: Engine): void {
    this.#engines.set(index, engine);
  }

  leave(index: number): void {
    this.#engines.delete(index);
  }

  publisher(from: number): ConsensusPublisher {
    return {
      publish: (message) => {
        this.sent.push({ from, message });
        for (const [index, engine] of this.#engines) {
          if (index !== from) queueMicrotask(() => engine.receive(message, `node-${from}`));
        }
      },
      misbehaved: (peer, reason) => this.misbehaved.push(`${peer}: ${reason}`),
    };
  }
}

/** Gives nodes that fall behind the blocks of the others; returns how to end it. */
export function keepTogether(nodes: readonly TestNode[]): () => void {
  const busy = new Set<TestNode>();
  const timer = setInterval(() => {
    for (const node of nodes) {
      const height = node.engine.nextHeight();
      const source = nodes.find((other) => other.engine.lastHeight() > height);
      const blockBytes = source?.blocks.blockBytes(height);
      const commit = source?.blocks.commit(height);
      if (blockBytes === undefined || commit === undefined || busy.has(node)) continue;
      busy.add(node);
      const applied = node.engine.applySynced({ height, blockBytes, commit });
      void applied.catch(() => undefined).finally(() => busy.delete(node));
    }
  }, 50);
  return () => clearInterval(timer);
}
