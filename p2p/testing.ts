/** Worlds for tests: networks of one kind, real or in memory, and how to wait in them. */
import { base58 } from '@scure/base';
import { concatBytes, utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { uvarintLength, writeUvarint } from '../core/varint.ts';
import { createLibp2pNetwork } from './libp2p.ts';
import { MemoryHub } from './memory.ts';
import { DEFAULT_LIMITS, type Logger, type Network, type NetworkOptions, silentLogger } from './network.ts';
import { VirtualTimers } from './timers.ts';

/** Somewhere networks can live. */
export interface World {
  /** Makes a network that is not started. */
  create(options?: Partial<NetworkOptions>): Promise<Network>;
  /** Waits until the condition holds; throws when it does not within the limit. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Stops every network. */
  close(): Promise<void>;
}

/** Options of a node of a test chain. */
export function testOptions(overrides: Partial<NetworkOptions>): NetworkOptions {
  return {
    chainId: 'test-chain',
    moniker: 'tester',
    softwareVersion: '0.1.0',
    genesisHash: new Uint8Array(0),
    channels: [],
    protocols: [],
    latestHeight: () => 0n,
    persistentPeers: [],
    limits: DEFAULT_LIMITS,
    log: silentLogger,
    ...overrides,
  };
}

/** A logger that keeps its lines. */
export function recordingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (_fields: unknown, message: string): void => void lines.push(message);
  return { lines, debug: keep, info: keep, warn: keep, error: keep };
}

const WAIT_MS = 20_000;
/** Virtual time is cheap. */
const VIRTUAL_WAIT_MS = 120_000;
const POLL_MS = 5;

/** Networks in memory on virtual time. */
export function memoryWorld(): World & { readonly hub: MemoryHub; readonly timers: VirtualTimers } {
  const timers = new VirtualTimers();
  const hub = new MemoryHub({ timers, random: () => 0.5, latencyMs: () => 1 });
  const networks: Network[] = [];
  return {
    hub,
    timers,
    create: (options = {}) => {
      const network = hub.createNetwork(`node${networks.length}`, testOptions(options));
      networks.push(network);
      return Promise.resolve(network);
    },
    until: async (what, condition) => {
      if (!(await timers.advanceUntil(condition, VIRTUAL_WAIT_MS)))
        throw new Error(`not within ${VIRTUAL_WAIT_MS} ms: ${what}`);
    },
    close: async () => {
      for (const network of networks) await network.stop();
    },
  };
}

/** A private key that is the same in every run. */
export function testKey(index: number): Uint8Array {
  return new Uint8Array(32).fill(index + 1);
}

/** Networks on libp2p over loopback. */
export function libp2pWorld(): World {
  const networks: Network[] = [];
  return {
    create: async (options = {}) => {
      const network = await createLibp2pNetwork({
        ...testOptions(options),
        privateKey: testKey(networks.length),
        listen: ['/ip4/127.0.0.1/tcp/0'],
      });
      networks.push(network);
      return network;
    },
    until,
    close: async () => {
      for (const network of networks) await network.stop();
    },
  };
}

/** Waits on a condition in real time. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** A well-formed peer id whose key nobody holds. */
export function strangerId(seed: number): string {
  const key = sha256(utf8(`stranger ${seed}`));
  return base58.encode(Uint8Array.of(...ED25519_ID_PREFIX, ...key));
}

/** An identity multihash of a protobuf of an ed25519 key. */
const ED25519_ID_PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

const NESTING = 300;

/** A message in a message, and so on; as deep as there is room for. */
function nested(bytesMax: number): Uint8Array {
  let bytes: Uint8Array = new Uint8Array(0);
  for (let i = 0; i < NESTING; i++) {
    const head = new Uint8Array(1 + uvarintLength(bytes.length));
    head[0] = 0x0a;
    writeUvarint(head, 1, bytes.length);
    if (head.length + bytes.length > bytesMax) break;
    bytes = concatBytes(head, bytes);
  }
  return bytes;
}

/**
 * Bytes that are no message, of each kind that decoders may stumble over; the nested one is that of some
 * types.
 */
export const BAD_BYTES: readonly (readonly [what: string, make: (bytesMax: number) => Uint8Array])[] = [
  ['a zero', () => Uint8Array.of(0)],
  ['undecodable bytes', () => Uint8Array.of(0xff, 0xff, 0xff)],
  ['a message that is cut short', () => Uint8Array.of(0x0a, 0x09, 0x08, 0x01)],
  ['a length beyond all bounds', () => Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
  ['a deeply nested message', nested],
  ['as much of one byte as may be', (bytesMax) => new Uint8Array(bytesMax).fill(0x0a)],
];
