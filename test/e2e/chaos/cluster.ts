/**
 * A network of real processes whose every wire is a proxy: node i reaches node j through a port of its own,
 * so that any set of nodes can be cut off from the others.
 */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configureNodes } from '../../../cli/devnet/configure.ts';
import { createDevnet } from '../../../cli/devnet/layout.ts';
import { withOtherPorts } from '../../../cli/devnet/ports.ts';
import type { DevnetRecord } from '../../../cli/devnet/record.ts';
import { createHome } from '../../../cli/home/create.ts';
import { openHome } from '../../../cli/home/open.ts';
import type { NodeConfig } from '../../../node/config/config.ts';
import { homePaths } from '../../../node/config/home.ts';
import { defaultAppConfig, writeAppConfig, writeNodeConfig } from '../../../node/config/toml.ts';
import { type LoadChain, makeSenders, type Sender } from '../senders.ts';
import { Ledger } from './ledger.ts';
import { ChaosNode } from './node.ts';
import { steadyPorts } from './ports.ts';
import { type Cut, Wire } from './proxy.ts';

const CHAIN_ID = 'chaos-1';
const PREFIX = 'open';
const DENOM = 'uopen';
const LOOPBACK = '127.0.0.1';
/** So many that a machine with much else to do finds one that it was offered a moment ago. */
const SNAPSHOTS_KEPT = 20;
/** Validators whose RPC the light client of a state sync asks. */
const RPC_SERVERS = 3;
const TRUSTED_BLOCKS_BEHIND = 10;
const DISCOVERY_MS = 2_000;

/** What a network is made of. */
export interface ClusterOptions {
  /** Empty. */
  readonly home: string;
  readonly validators: number;
  readonly blockTimeMs: number;
  readonly senders: number;
  /** Blocks between two snapshots of the validators. */
  readonly snapshotInterval: number;
}

/** How a new full node gets the state. */
export type JoinKind = 'block sync' | 'state sync';

interface OneWire {
  readonly from: number;
  readonly to: number;
  readonly wire: Wire;
  state: Cut | undefined;
}

/** A cut that lasts: wires between one of these nodes and one of the others. */
interface ActiveCut {
  readonly side: ReadonlySet<number>;
  readonly how: Cut;
}

/** See the file comment. */
export class Cluster {
  readonly chain: LoadChain = { chainId: CHAIN_ID, denom: DENOM };
  readonly nodes: ChaosNode[] = [];
  readonly senders: readonly Sender[];
  readonly ledger: Ledger = new Ledger();
  /** What must not happen, each as a sentence. */
  readonly faults: string[] = [];
  readonly #options: ClusterOptions;
  readonly #record: DevnetRecord;
  #isStarting = false;
  readonly #wires: OneWire[] = [];
  readonly #cuts: Set<ActiveCut> = new Set();
  readonly #waiting: Set<() => void> = new Set();

  private constructor(
    options: ClusterOptions,
    made: { readonly senders: readonly Sender[]; readonly record: DevnetRecord },
  ) {
    this.#options = options;
    this.senders = made.senders;
    this.#record = made.record;
  }

  /** Makes the homes of the validators; nothing runs yet. */
  static async create(options: ClusterOptions): Promise<Cluster> {
    const { home, validators, blockTimeMs } = options;
    const senders = makeSenders(options.senders, PREFIX);
    const settings = {
      chainId: CHAIN_ID,
      prefix: PREFIX,
      denom: DENOM,
      validators,
      accounts: 1,
      blockTimeMs,
      rpcPort: 0,
    };
    const extraAccounts = senders.map(({ address }) => address);
    const record = await createDevnet({ home, settings, extraAccounts, now: new Date() });
    for (const { home: own } of record.nodes) {
      const { app } = openHome(own);
      const settings = {
        snapshotInterval: options.snapshotInterval,
        snapshotKeepRecent: SNAPSHOTS_KEPT,
      };
      writeFileSync(homePaths(own).appConfigFile, writeAppConfig({ ...app, ...settings }));
    }
    return new Cluster(options, { senders, record });
  }

  /** Resolves when all RPCs answer. A port that somebody takes before its node does is replaced. */
  async start(): Promise<void> {
    this.#isStarting = true;
    await withOtherPorts({ start: () => this.#startOnce(), undo: () => this.stop(), anyPort: true });
    this.#isStarting = false;
  }

  async #startOnce(): Promise<void> {
    const { nodes } = this.#record;
    const ports = await steadyPorts(nodes.length);
    configureNodes({ record: this.#record, ports, blockTimeMs: this.#options.blockTimeMs });
    this.nodes.length = 0;
    this.#wires.length = 0;
    for (const [i, { moniker, home, p2p }] of nodes.entries()) {
      const peerId = p2p.split('/p2p/')[1] ?? '';
      this.#add({ moniker, home, peerId, ports: ports[i] ?? { rpc: 0, p2p: 0 } });
    }
    for (const i of nodes.keys()) await this.#wire(i, [...nodes.keys().filter((other) => other !== i)]);
    await Promise.all(this.nodes.map((node) => node.start().ready));
  }

  /**
   * Makes and starts a full node that knows all others; it has nothing but the genesis. For state sync also
   * the RPC of some validators, and the hash of a block that those who run them agree on.
   */
  async join(kind: JoinKind): Promise<ChaosNode> {
    const [ports] = await steadyPorts(1, { besides: this.nodes.map((node) => node.ports) });
    const index = this.nodes.length;
    const moniker = `node${index}`;
    const home = join(this.#options.home, moniker);
    const first = openHome(this.nodes[0]?.home ?? '');
    const laddr = (port: number): string => `tcp://${LOOPBACK}:${port}`;
    const config: NodeConfig = {
      ...first.node,
      base: { ...first.node.base, moniker },
      rpc: { ...first.node.rpc, laddr: laddr(ports?.rpc ?? 0) },
      p2p: { ...first.node.p2p, laddr: laddr(ports?.p2p ?? 0), persistentPeers: [] },
      stateSync: kind === 'state sync' ? this.#stateSync(first.node.stateSync) : first.node.stateSync,
    };
    const { paths, peerId } = await createHome({ home, node: config, app: defaultAppConfig() });
    copyFileSync(first.paths.genesisFile, paths.genesisFile);
    this.#add({ moniker, home, peerId, ports: ports ?? { rpc: 0, p2p: 0 } });
    await this.#wire(
      index,
      Array.from({ length: index }, (_, i) => i),
    );
    const node = this.nodes[index];
    if (node === undefined) throw new Error('the joined node is not there');
    node.isJoining = true;
    node.start().ready.catch(() => undefined);
    return node;
  }

  #stateSync(defaults: NodeConfig['stateSync']): NodeConfig['stateSync'] {
    const trustHeight = Math.max(1, this.height - TRUSTED_BLOCKS_BEHIND);
    return {
      ...defaults,
      enable: true,
      rpcServers: this.nodes.slice(0, RPC_SERVERS).map(({ rpc }) => rpc),
      trustHeight,
      trustHash: this.ledger.hashAt(trustHeight) ?? '',
      discoveryTimeMs: DISCOVERY_MS,
    };
  }

  /** Cuts these nodes off from the others until the returned function is called. */
  cut(side: readonly number[], how: Cut): () => void {
    const cut = { side: new Set(side), how };
    this.#cuts.add(cut);
    this.#applyCuts();
    return () => {
      this.#cuts.delete(cut);
      this.#applyCuts();
    };
  }

  /** The highest height that some node has. */
  get height(): number {
    return Math.max(...this.nodes.map(({ height }) => height));
  }

  /** The nodes that are part of the network; those that join are not, yet. */
  get members(): readonly ChaosNode[] {
    return this.nodes.filter(({ isJoining }) => !isJoining);
  }

  /** URLs of the nodes that run. */
  rpcs(): readonly string[] {
    return this.members.filter(({ state }) => state === 'running').map(({ rpc }) => rpc);
  }

  /** Milliseconds until all these nodes have that height; undefined when they do not in time. */
  reach(
    height: number,
    limits: { readonly withinMs: number; readonly nodes?: readonly ChaosNode[] },
  ): Promise<number | undefined> {
    const { withinMs, nodes = this.members } = limits;
    return this.#until(() => nodes.every((node) => node.height >= height), withinMs);
  }

  /** Milliseconds until a new node is as high as all others; it is a member then. Undefined: not in time. */
  async reachTip(node: ChaosNode, withinMs: number): Promise<number | undefined> {
    const from = this.height;
    const ms = await this.#until(() => node.height >= from && node.height >= this.height, withinMs);
    if (ms !== undefined) node.isJoining = false;
    return ms;
  }

  async #until(holds: () => boolean, withinMs: number): Promise<number | undefined> {
    const beganMs = performance.now();
    return new Promise((resolve) => {
      const settle = (result: number | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(result);
      };
      const check = (): void => {
        if (holds()) settle(performance.now() - beganMs);
      };
      const timer = setTimeout(() => settle(undefined), withinMs);
      this.#waiting.add(check);
      check();
    });
  }

  /** Ends all processes and wires. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.terminate()));
    await Promise.all(this.#wires.map(({ wire }) => wire.close()));
  }

  #add(options: ConstructorParameters<typeof ChaosNode>[0]): void {
    const node = new ChaosNode(options, {
      block: ({ moniker }, block) => {
        this.ledger.note(moniker, block);
        for (const check of this.#waiting) check();
      },
      died: ({ moniker }, how) => {
        // Whoever starts them all hears it from the start.
        if (!this.#isStarting) this.faults.push(`${moniker} ended by itself: ${how}`);
      },
    });
    this.nodes.push(node);
  }

  async #wire(from: number, to: readonly number[]): Promise<void> {
    const persistentPeers: string[] = [];
    for (const target of to) {
      const node = this.nodes[target];
      if (node === undefined) continue;
      const wire = await Wire.to(node.ports.p2p);
      this.#wires.push({ from, to: target, wire, state: undefined });
      persistentPeers.push(`/ip4/${LOOPBACK}/tcp/${wire.port}/p2p/${node.peerId}`);
    }
    const { home, node } = openHome(this.nodes[from]?.home ?? '');
    writeFileSync(
      homePaths(home).configFile,
      writeNodeConfig({ ...node, p2p: { ...node.p2p, persistentPeers } }),
    );
  }

  #applyCuts(): void {
    for (const each of this.#wires) {
      const hows = [...this.#cuts]
        .filter(({ side }) => side.has(each.from) !== side.has(each.to))
        .map(({ how }) => how);
      const wanted = hows.includes('reset') ? 'reset' : hows[0];
      if (wanted === each.state) continue;
      each.state = wanted;
      if (wanted === undefined) each.wire.heal();
      else each.wire.cut(wanted);
    }
  }
}
