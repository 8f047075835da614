/** The network of a node and how it finds peers, from the configuration; what it remembers in files. */
import { utf8, fromUtf8 } from '../core/bytes.ts';
import { messageOf } from '../core/errors.ts';
import { genesisHash } from '../genesis/encode.ts';
import { AddressBook, DEFAULT_ADDRESS_BOOK } from '../p2p/address-book.ts';
import { CHANNELS, PROTOCOLS } from '../p2p/channels.ts';
import { DEFAULT_DISCOVERY, Discovery } from '../p2p/discovery.ts';
import { peerIdOfKey } from '../p2p/identity.ts';
import { DEFAULT_LIMITS, type Logger, type Network, type NetworkLimits } from '../p2p/network.ts';
import type { Ban, BanStore } from '../p2p/scores.ts';
import { join } from 'node:path';
import { parseListenAddress, parsePeerAddress, toMultiaddr } from './config/address.ts';
import type { P2pConfig } from './config/p2p.ts';
import type { NodeEnvironment } from './environment.ts';
import type { MetricsSource } from './metrics/ports.ts';
import type { Closers, CoreOptions } from './node.ts';
import type { Stores } from './node-stores.ts';
import { type DurableFiles, replaceFile } from './privval/durable-file.ts';

const BANS_FILE = 'peer_bans.json';
const FILE_VERSION = 1;
/** Changes within this time are written together. */
const WRITE_DELAY_MS = 1_000;
/** Bursts are this many seconds of a rate. */
const BURST_SECONDS = 2;
/** Inbound peers beyond the limit that may show that they are validators. */
const PROBATION_PLACES = 4;

/** How the node finds its peers. */
export interface Peers {
  /** Undefined when the node keeps to its configured peers. */
  readonly discovery: Discovery | undefined;
  readonly book: AddressBook | undefined;
  /** Finds peers from now on; the network is started before. */
  start(closers: Closers): void;
}

/**
 * Opens the network; nothing is started. A file that cannot be read is said so in the log, and begun anew.
 */
export async function openNetwork(
  options: CoreOptions,
  environment: NodeEnvironment,
  stores: Stores,
): Promise<{ readonly network: Network; readonly peers: Peers }> {
  const { p2p, base } = options.config;
  const log = options.logging('p2p');
  const bansFile = new JsonFile(join(options.dataDir, BANS_FILE), environment, log);
  const network = await environment.openNetwork({
    privateKey: options.nodeKey,
    listen: [toMultiaddr(parseListenAddress(p2p.laddr))],
    chainId: options.genesis.chainId,
    moniker: base.moniker,
    softwareVersion: options.version,
    genesisHash: genesisHash(options.genesis),
    channels: CHANNELS,
    protocols: PROTOCOLS,
    latestHeight: () => stores.blocks.range().height,
    persistentPeers: p2p.persistentPeers.map(parsePeerAddress),
    unconditionalPeers: p2p.unconditionalPeerIds,
    ...(await externalAddress(options)),
    banStore: banStore(await bansFile.read('bans'), bansFile, environment),
    limits: networkLimits(p2p),
    log,
  });
  const found = p2p.pex ? await openDiscovery(options, environment, network) : undefined;
  const start = (closers: Closers): void => {
    closers.push(() => bansFile.flush());
    if (found === undefined) return;
    found.discovery.start();
    closers.push(async () => {
      found.discovery.stop();
      await found.file.flush();
    });
  };
  return { network, peers: { discovery: found?.discovery, book: found?.book, start } };
}

/** What the metrics read of the network. */
export function peerNumbers(network: Network, { book }: Peers): PeerNumbers {
  return {
    peers: () => network.peers().length,
    network: () => network.metrics,
    addresses: () => book?.size ?? 0,
    validatorPeers: () => network.peers().filter(({ id }) => network.isPreferred(id)).length,
  };
}

/** See `peerNumbers`. */
export type PeerNumbers = Pick<MetricsSource, 'peers' | 'network' | 'addresses' | 'validatorPeers'>;

interface OpenedDiscovery {
  readonly discovery: Discovery;
  readonly book: AddressBook;
  readonly file: JsonFile;
}

async function openDiscovery(
  { config: { p2p }, paths, logging }: CoreOptions,
  environment: NodeEnvironment,
  network: Network,
): Promise<OpenedDiscovery> {
  const { timers, random, discovery: limits = DEFAULT_DISCOVERY } = environment;
  const { addressBook = DEFAULT_ADDRESS_BOOK } = environment;
  const log = logging('pex');
  const file = new JsonFile(paths.addrBookFile, environment, log);
  const { nodeId } = network;
  const strict = p2p.addrBookStrict;
  const book = new AddressBook({ timers, random }, { nodeId, strict, limits: addressBook });
  const restored = book.restore(await file.read('addresses'));
  if (restored > 0) log.info({ addresses: restored, tried: book.triedSize }, 'address book read');
  const saveBook = (): void => file.save(() => ({ version: FILE_VERSION, addresses: book.save() }));
  const discovery = new Discovery(
    { network, book, timers, random, log, saveBook },
    {
      seedMode: p2p.seedMode,
      seeds: p2p.seeds.map(parsePeerAddress).filter((seed) => !seed.endsWith(`/${nodeId}`)),
      outboundPeersMax: p2p.maxNumOutboundPeers,
      privatePeerIds: p2p.privatePeerIds,
      persistentPeers: p2p.persistentPeers.map(parsePeerAddress),
      limits,
    },
  );
  return { discovery, book, file };
}

function networkLimits(p2p: P2pConfig): NetworkLimits {
  return {
    ...DEFAULT_LIMITS,
    inboundPeersMax: p2p.maxNumInboundPeers,
    outboundPeersMax: p2p.maxNumOutboundPeers,
    inboundProbationMax: p2p.maxNumInboundPeers > 0 && !p2p.seedMode ? PROBATION_PLACES : 0,
    handshakeTimeoutMs: p2p.handshakeTimeoutMs,
    dialTimeoutMs: p2p.dialTimeoutMs,
    redialMaxMs: p2p.persistentPeersMaxDialPeriodMs || DEFAULT_LIMITS.redialMaxMs,
    peersPerHostMax: p2p.allowDuplicateIp ? Number.POSITIVE_INFINITY : 1,
    unlimitedHosts: ['127.0.0.1', '::1'],
    receive: {
      ...DEFAULT_LIMITS.receive,
      bytesPerSecondMax: p2p.recvRate,
      bytesBurstMax: p2p.recvRate * BURST_SECONDS,
    },
    send: {
      ...DEFAULT_LIMITS.send,
      bytesPerSecondMax: p2p.sendRate,
      bytesBurstMax: p2p.sendRate * BURST_SECONDS,
    },
    answers: {
      ...DEFAULT_LIMITS.answers,
      bytesPerSecondMax: p2p.answerRate,
      bytesBurstMax: p2p.answerRate * BURST_SECONDS,
    },
  };
}

async function externalAddress({
  config: { p2p },
  nodeKey,
}: CoreOptions): Promise<{ readonly externalAddress?: string }> {
  if (p2p.externalAddress === '') return {};
  const nodeId = await peerIdOfKey(nodeKey);
  return { externalAddress: `${toMultiaddr(parseListenAddress(p2p.externalAddress))}/p2p/${nodeId}` };
}

/** Bans as they are in the file: until a moment of the calendar, so that they end while the node is off. */
function banStore(saved: readonly unknown[], file: JsonFile, { clock }: NodeEnvironment): BanStore {
  const nowMs = (): number => Number(clock.now() / 1_000_000n);
  return {
    load: () => saved.flatMap((item) => readBan(item, nowMs())),
    save: (bans) =>
      file.save(() => ({
        version: FILE_VERSION,
        bans: bans.map(({ peerId, reason, remainingMs, times }) => {
          const until = new Date(nowMs() + remainingMs).toISOString();
          return { peer_id: peerId, reason, until, times };
        }),
      })),
  };
}

function readBan(item: unknown, nowMs: number): readonly Ban[] {
  if (!isRecord(item)) return [];
  const { peer_id: peerId, reason, until, times } = item;
  if (typeof peerId !== 'string' || typeof reason !== 'string' || typeof until !== 'string') return [];
  const remainingMs = Date.parse(until) - nowMs;
  if (!(remainingMs > 0)) return [];
  return [{ peerId, reason, remainingMs, times: typeof times === 'number' ? times : 1 }];
}

/** A file of facts that can be lost: replaced atomically, and what is wrong with it stops nothing. */
class JsonFile {
  readonly #path: string;
  readonly #files: DurableFiles | undefined;
  readonly #timers: NodeEnvironment['timers'];
  readonly #log: Logger;
  #make: (() => unknown) | undefined;
  #cancel: () => void = () => undefined;

  constructor(path: string, { peerFiles, timers }: NodeEnvironment, log: Logger) {
    this.#path = path;
    this.#files = peerFiles;
    this.#timers = timers;
    this.#log = log;
  }

  /** The list of that name in the file; empty without one. */
  async read(name: string): Promise<readonly unknown[]> {
    try {
      const bytes = await this.#files?.read(this.#path);
      if (bytes === undefined) return [];
      const value: unknown = JSON.parse(fromUtf8(bytes));
      const list = isRecord(value) && value['version'] === FILE_VERSION ? value[name] : undefined;
      if (Array.isArray(list)) return list;
      this.#log.warn({ file: this.#path }, `not a list of ${name}: begun anew`);
    } catch (error) {
      this.#log.warn({ file: this.#path }, `cannot be read, begun anew: ${messageOf(error)}`);
    }
    return [];
  }

  /** Writes soon what `make` gives then. */
  save(make: () => unknown): void {
    if (this.#make === undefined) this.#cancel = this.#timers.after(WRITE_DELAY_MS, () => void this.flush());
    this.#make = make;
  }

  /** Writes at once what waits. */
  async flush(): Promise<void> {
    const make = this.#make;
    this.#make = undefined;
    this.#cancel();
    if (make === undefined || this.#files === undefined) return;
    try {
      await replaceFile(this.#files, this.#path, utf8(`${JSON.stringify(make(), undefined, 2)}\n`));
    } catch (error) {
      this.#log.warn({ file: this.#path }, `cannot be written: ${messageOf(error)}`);
    }
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
