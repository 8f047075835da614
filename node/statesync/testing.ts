/** Test doubles of state sync: a chain with states, an application with snapshots, nodes that serve it. */
import { DEFAULT_CONSENSUS_PARAMS, consensusParamsHash } from '../../consensus/types/params.ts';
import { concatBytes, equalBytes, utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { testChain, TestProvider } from '../../light/testing/chain.ts';
import {
  type RequestApplySnapshotChunk,
  type RequestOfferSnapshot,
  type ResponseApplySnapshotChunk,
  ResponseApplySnapshotChunk_Result as ApplyResult,
  type ResponseOfferSnapshot,
  ResponseListSnapshots,
  ResponseOfferSnapshot_Result as OfferResult,
  type Snapshot,
} from '../../proto/gen/tendermint/abci/types.ts';
import { CHANNELS, PROTOCOLS, SNAPSHOT_CHUNK_PROTOCOL, SNAPSHOTS_PROTOCOL } from '../../p2p/channels.ts';
import { DEFAULT_LIMITS, type Network, type RequestHandler } from '../../p2p/network.ts';
import { memoryWorld } from '../../p2p/testing.ts';
import { decodeChunkRequest, encodeChunk } from './messages.ts';
import { DEFAULT_STATE_SYNC, type StateSyncOptions } from './options.ts';
import { serveStateSync } from './server.ts';
import { StateSyncer } from './syncer.ts';
import type { TrustedState } from './trusted.ts';
import { WorkFolder } from './work-folder.ts';
import type { BlockSource, SnapshotSource, SnapshotTarget, TrustedChain } from './ports.ts';
import type { WorkFiles } from './work-files.ts';

export const CHUNKS = 12;

/** The chunks of the state of a height; of another state with a name. */
export const chunksOf = (height: bigint, name = 'state'): readonly Uint8Array[] =>
  Array.from({ length: CHUNKS }, (_, i) => utf8(`${name} ${height} chunk ${i}`));

export const appHashOf = (chunks: readonly Uint8Array[]): Uint8Array => sha256(concatBytes(...chunks));

/** As our application makes them: the metadata are the hashes of the chunks. */
export function snapshotOf(height: bigint, chunks: readonly Uint8Array[]): Snapshot {
  const metadata = concatBytes(...chunks.map(sha256));
  return { height, format: 1, chunks: chunks.length, hash: sha256(metadata), metadata };
}

/** A chain of so many blocks in which the state of each height is that of `chunksOf`. */
export function trustedChain(length: number): TrustedChain & { readonly provider: TestProvider } {
  const consensusHash = consensusParamsHash(DEFAULT_CONSENSUS_PARAMS);
  const header = ({ height }: { readonly height: bigint }): object => ({
    consensusHash,
    appHash: appHashOf(chunksOf(height - 1n)),
  });
  const provider = new TestProvider('trusted', testChain({ length, header }));
  return {
    provider,
    servers: [provider.name],
    lightBlock: (height) => provider.lightBlock(height),
    consensusParams: () => Promise.resolve(DEFAULT_CONSENSUS_PARAMS),
  };
}

/** Snapshots of some heights. */
export class TestSource implements SnapshotSource {
  readonly served: number[] = [];
  readonly #states = new Map<bigint, readonly Uint8Array[]>();

  constructor(...states: readonly (readonly [height: bigint, name?: string])[]) {
    this.keepOnly(...states);
  }

  /** Has these from now on. */
  keepOnly(...states: readonly (readonly [height: bigint, name?: string])[]): void {
    this.#states.clear();
    for (const [height, name] of states) this.#states.set(height, chunksOf(height, name));
  }

  listSnapshots(): ReturnType<SnapshotSource['listSnapshots']> {
    const heights = [...this.#states].sort(([a], [b]) => (a < b ? 1 : -1));
    return Promise.resolve({ snapshots: heights.map(([height, chunks]) => snapshotOf(height, chunks)) });
  }

  loadSnapshotChunk({
    height,
    chunk,
  }: Parameters<SnapshotSource['loadSnapshotChunk']>[0]): ReturnType<SnapshotSource['loadSnapshotChunk']> {
    this.served.push(chunk);
    return Promise.resolve({ chunk: this.#states.get(height)?.[chunk] ?? new Uint8Array(0) });
  }
}

/** Peers that have blocks, but for those that they have pruned; a block is its height. */
export class TestBlocks implements BlockSource {
  readonly pruned: Set<bigint> = new Set();
  readonly asked: bigint[] = [];

  block({ header }: Parameters<BlockSource['block']>[0]): Promise<Uint8Array | undefined> {
    this.asked.push(header.height);
    return Promise.resolve(this.pruned.has(header.height) ? undefined : utf8(`block ${header.height}`));
  }
}

/** Restores as our application does; it can be made to crash before a chunk. */
export class TestTarget implements SnapshotTarget {
  #restoring: RequestOfferSnapshot | undefined;
  #chunks: Uint8Array[] = [];
  state: { readonly height: bigint; readonly appHash: Uint8Array } = {
    height: 0n,
    appHash: new Uint8Array(0),
  };
  crashBefore: number | undefined;
  /** Heights of the snapshots that it was offered. */
  readonly offered: bigint[] = [];

  offerSnapshot(request: RequestOfferSnapshot): Promise<ResponseOfferSnapshot> {
    const { snapshot } = request;
    if (snapshot === undefined) return Promise.resolve({ result: OfferResult.ABORT });
    this.offered.push(snapshot.height);
    if (snapshot.format !== 1) return Promise.resolve({ result: OfferResult.REJECT_FORMAT });
    if (snapshot.metadata.length !== 32 * snapshot.chunks)
      return Promise.resolve({ result: OfferResult.REJECT_SENDER });
    this.#restoring = request;
    this.#chunks = [];
    return Promise.resolve({ result: OfferResult.ACCEPT });
  }

  async applySnapshotChunk(request: RequestApplySnapshotChunk): Promise<ResponseApplySnapshotChunk> {
    const { index, chunk, sender } = request;
    if (this.crashBefore === index) throw new LedgerError('test.crash', 'the process is gone');
    const { snapshot, appHash } = this.#restoring ?? {};
    if (snapshot === undefined || appHash === undefined || index !== this.#chunks.length)
      return { result: ApplyResult.ABORT, refetchChunks: [], rejectSenders: [] };
    const expected = snapshot.metadata.subarray(32 * index, 32 * (index + 1));
    if (!equalBytes(sha256(chunk), expected))
      return { result: ApplyResult.RETRY, refetchChunks: [index], rejectSenders: [sender] };
    this.#chunks.push(chunk);
    const isLast = this.#chunks.length === snapshot.chunks;
    if (isLast && !equalBytes(appHashOf(this.#chunks), appHash))
      return { result: ApplyResult.REJECT_SNAPSHOT, refetchChunks: [], rejectSenders: [] };
    if (isLast) this.state = { height: snapshot.height, appHash: Uint8Array.from(appHash) };
    return { result: ApplyResult.ACCEPT, refetchChunks: [], rejectSenders: [] };
  }

  lastState(): ReturnType<SnapshotTarget['lastState']> {
    return Promise.resolve(this.state);
  }
}

/** A folder in memory. */
export class MemoryFiles implements WorkFiles {
  readonly files: Map<string, Uint8Array> = new Map();

  list(): Promise<readonly string[]> {
    return Promise.resolve([...this.files.keys()]);
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.files.get(name));
  }

  write(name: string, bytes: Uint8Array): Promise<void> {
    this.files.set(name, bytes);
    return Promise.resolve();
  }

  remove(name: string): Promise<void> {
    this.files.delete(name);
    return Promise.resolve();
  }

  removeAll(): Promise<void> {
    this.files.clear();
    return Promise.resolve();
  }
}

export const JOIN_OPTIONS: StateSyncOptions = {
  ...DEFAULT_STATE_SYNC,
  discoveryTimeMs: 500,
  setAsideMs: 600_000,
};
const NO_HEADERS = { header: () => undefined, commit: () => undefined, validators: () => undefined };

/** Answers to requests for chunks. */
export const missing: RequestHandler = (_peer, bytes) =>
  encodeChunk(decodeChunkRequest(bytes), new Uint8Array(0));
export const wrong: RequestHandler = (_peer, bytes) => encodeChunk(decodeChunkRequest(bytes), utf8('not it'));
export const mute: RequestHandler = () => new Promise(() => undefined);

/** A line of the log. */
export interface LogEntry {
  readonly fields: object;
  readonly message: string;
}

export interface Joiner {
  readonly network: Network;
  readonly target: TestTarget;
  readonly log: readonly LogEntry[];
  readonly lines: readonly string[];
  /** How it ended. */
  readonly ended: Promise<TrustedState | LedgerError>;
  readonly isOver: () => boolean;
}

/** Nodes in memory that serve state sync, or join by it; one folder for those that join one after another. */
export class JoinWorld {
  readonly world: ReturnType<typeof memoryWorld> = memoryWorld();
  readonly files: MemoryFiles = new MemoryFiles();
  readonly blocks: TestBlocks = new TestBlocks();

  async newNetwork(): Promise<Network> {
    const limits = { ...DEFAULT_LIMITS, banMs: 600_000 };
    const network = await this.world.create({ channels: CHANNELS, protocols: PROTOCOLS, limits });
    await network.start();
    return network;
  }

  /** A peer that serves snapshots. */
  async honest(source: SnapshotSource): Promise<Network> {
    const network = await this.newNetwork();
    serveStateSync({ network, snapshots: source, headers: NO_HEADERS });
    return network;
  }

  /** A peer that offers these and answers requests for chunks as it likes. */
  async liar(snapshots: readonly Snapshot[], chunk: RequestHandler): Promise<Network> {
    const network = await this.newNetwork();
    network.serve(SNAPSHOTS_PROTOCOL.name, () => ResponseListSnapshots.encode({ snapshots }));
    network.serve(SNAPSHOT_CHUNK_PROTOCOL.name, chunk);
    return network;
  }

  /** A node that joins, with these peers. */
  async joinBy(
    peers: readonly Network[],
    parts: { readonly target?: TestTarget; readonly chain?: TrustedChain } = {},
  ): Promise<Joiner> {
    const { target = new TestTarget(), chain = trustedChain(30) } = parts;
    const network = await this.newNetwork();
    for (const peer of peers) network.addPersistentPeer(peer.listenAddresses()[0] ?? '');
    const entries: LogEntry[] = [];
    const lines: string[] = [];
    const keep = (fields: object, message: string): void => {
      entries.push({ fields, message });
      lines.push(message);
    };
    const log = { debug: keep, info: keep, warn: keep, error: keep };
    const folder = await WorkFolder.over(this.files);
    const { timers } = this.world;
    const ports = { network, application: target, chain, blocks: this.blocks, folder, timers, log };
    let over = false;
    const ended = new StateSyncer(ports, JOIN_OPTIONS)
      .run()
      .catch((error: unknown) => {
        if (error instanceof LedgerError) return error;
        throw error;
      })
      .finally(() => {
        over = true;
      });
    return { network, target, log: entries, lines, ended, isOver: () => over };
  }

  async endOf(joiner: Joiner): Promise<TrustedState | LedgerError> {
    await this.world.until('it is over', joiner.isOver);
    return joiner.ended;
  }
}
