/** Runs a devnet in the foreground: several nodes as processes, until a signal or until all have stopped. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { LedgerError } from '../../core/errors.ts';
import type { BlockMessage } from '../child-messages.ts';
import { lockHolder, lockOrRefuse, waitUnlocked } from '../process-lock.ts';
import type { Terminal } from '../terminal.ts';
import { BlockTracker } from './block-tracker.ts';
import { nodeLockPath } from '../home/node-lock.ts';
import { configureNodes } from './configure.ts';
import { removeIfEmpty } from './inventory.ts';
import { createDevnet } from './layout.ts';
import { NodeProcess, type NodeProcessListener, type NodeProcessOptions } from './node-process.ts';
import { type DevnetStart, planStart } from './place.ts';
import { choosePorts, withOtherPorts } from './ports.ts';
import { type DevnetRecord, writeRecord } from './record.ts';
import type { DevnetOptions, DevnetSettings } from './settings.ts';
import { type DevnetView, humanView, jsonView, type LeftNode, type NodesState } from './view.ts';
import { makeFolder, requireFolder } from '../home/folder.ts';
import { NodesAhead } from './spawn-node.ts';

/** Nodes of a devnet whose supervisor was killed stop by themselves; this long they may take. */
const LEFTOVER_TIMEOUT_MS = 15_000;
const READY_TIMEOUT_MS = 60_000;
const LOCK_FILE = 'devnet.lock';

/** What stops a devnet from outside. */
export interface StopSignal {
  /** Resolves when it shall stop. */
  readonly requested: Promise<void>;
  /** Resolves when it shall stop without waiting for its nodes. */
  readonly forced: Promise<void>;
}

/**
 * Starts or continues the devnet of a home and runs it until it is stopped.
 * @throws LedgerError with one sentence when it cannot start, or when all its nodes have stopped by
 * themselves
 */
export async function runDevnet(options: DevnetOptions, terminal: Terminal, stop: StopSignal): Promise<void> {
  const home = resolve(options.home);
  requireFolder(home);
  // What is refused has neither created nor deleted anything.
  const { settings } = planStart(options, home);
  if (options.mnemonic !== undefined) (await import('../wallet/hd.ts')).mnemonicsOf(options.mnemonic, 1);
  const isNew = !existsSync(home);
  if (isNew) await requireFreePorts(settings);
  makeFolder(home);
  try {
    const unlock = lockOrRefuse(join(home, LOCK_FILE), `the devnet in ${home}`);
    try {
      await runLocked({ options, terminal, stop, home });
    } finally {
      unlock();
    }
  } finally {
    if (isNew) removeIfEmpty(home);
  }
}

interface LockedRun {
  readonly options: DevnetOptions;
  readonly terminal: Terminal;
  readonly stop: StopSignal;
  readonly home: string;
}

/** Looks again, now that nobody else changes the home, and only then makes, deletes or starts anything. */
async function runLocked({ options, terminal, stop, home }: LockedRun): Promise<void> {
  const start = planStart(options, home);
  await waitForLeftovers(home, start);
  await requireFreePorts(start.settings);
  const ahead = new NodesAhead();
  try {
    const record = start.record ?? (await newDevnet({ home, start, options, ahead }));
    const view = options.json ? jsonView(terminal) : humanView(terminal, options.home, Date.now());
    const startNode: Supervision['startNode'] = (node, listener) =>
      new NodeProcess({ ...node, ahead: ahead.take(node.home) }, listener);
    await superviseDevnet({ home, record, settings: start.settings, view, stop, startNode });
  } finally {
    ahead.close();
  }
}

interface NewDevnet extends Pick<LockedRun, 'home' | 'options'> {
  readonly start: DevnetStart;
  readonly ahead: NodesAhead;
}

function newDevnet({ home, start, options, ahead }: NewDevnet): Promise<DevnetRecord> {
  const { settings, own } = start;
  const placed = (homes: readonly string[]): void => ahead.spawn(homes);
  return createDevnet({ home, settings, mnemonic: options.mnemonic, replaced: own, now: new Date(), placed });
}

async function requireFreePorts({ validators, rpcPort }: DevnetSettings): Promise<void> {
  await choosePorts({ nodes: validators, rpcPort });
}

/** A node as its supervisor sees it. */
export type SupervisedNode = Pick<
  NodeProcess,
  'moniker' | 'home' | 'pid' | 'alive' | 'ready' | 'stop' | 'kill'
>;

/** What a devnet whose homes are made is run with. */
export interface Supervision {
  readonly home: string;
  readonly record: DevnetRecord;
  readonly settings: DevnetSettings;
  readonly view: DevnetView;
  readonly stop: StopSignal;
  /** Starts a node of the record. */
  readonly startNode: (node: NodeProcessOptions, listener: NodeProcessListener) => SupervisedNode;
}

/**
 * Starts the nodes and runs them until they are stopped; the view hears `ready` before anything else.
 * @throws LedgerError as `runDevnet`
 */
export async function superviseDevnet(run: Supervision): Promise<void> {
  const devnet = new RunningDevnet(run);
  void run.stop.forced.then(() => devnet.kill());
  try {
    await devnet.start();
    await Promise.race([run.stop.requested, devnet.allExited]);
    if (devnet.running === 0) {
      throw new LedgerError('devnet.ended', `all nodes have stopped; their logs are ${run.home}/*/node.log`);
    }
    run.view.stopping();
  } finally {
    await devnet.stop();
  }
  run.view.stopped(devnet.startedByHand());
}

/** The processes of a devnet. */
class RunningDevnet {
  readonly #run: Supervision;
  readonly #tracker: BlockTracker;
  #nodes: readonly SupervisedNode[] = [];
  #stopping = false;
  #announced = false;
  /** Blocks of before the announcement, which comes within READY_TIMEOUT_MS or never. */
  readonly #early: BlockMessage[] = [];
  /** Nodes of this attempt that ended before the announcement, though they had been ready. */
  readonly #endedEarly = new Map<string, string>();
  #tellAllExited: () => void = () => undefined;
  readonly allExited: Promise<void> = new Promise((resolve) => {
    this.#tellAllExited = resolve;
  });

  constructor(run: Supervision) {
    this.#run = run;
    this.#tracker = new BlockTracker({ schedule }, (block) => this.#tellBlock(block));
  }

  get running(): number {
    return this.#nodes.filter((node) => node.alive).length;
  }

  /** Nodes that ended and that somebody has started again: the locks of their homes say so. */
  startedByHand(): readonly LeftNode[] {
    return this.#nodes.flatMap((node) => {
      const pid = node.alive ? undefined : lockHolder(nodeLockPath(node.home));
      return pid === undefined ? [] : [{ moniker: node.moniker, pid }];
    });
  }

  #state(): NodesState {
    const byHand = this.startedByHand().map(({ moniker }) => moniker);
    const ended = this.#nodes.filter((node) => !node.alive).map(({ moniker }) => moniker);
    return { all: this.#nodes.length, down: ended.filter((moniker) => !byHand.includes(moniker)), byHand };
  }

  async start(): Promise<void> {
    const anyPort = this.#run.settings.rpcPort === 0;
    const undo = (): Promise<void> => this.#stopAll();
    await withOtherPorts({ start: () => this.#startOnce(), undo, anyPort });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#stopAll();
  }

  kill(): void {
    for (const node of this.#nodes) if (node.alive) node.kill();
  }

  async #startOnce(): Promise<void> {
    const { home, record, settings, stop, view } = this.#run;
    const ports = await choosePorts({ nodes: record.nodes.length, rpcPort: settings.rpcPort });
    configureNodes({ record, ports, blockTimeMs: settings.blockTimeMs });
    this.#endedEarly.clear();
    this.#nodes = record.nodes.map((node) => this.#run.startNode(node, this.#listener));
    for (const node of this.#nodes) this.#tracker.join(node.moniker);
    const addresses = await Promise.race([
      Promise.all(this.#nodes.map((node) => node.ready())),
      stop.requested.then(() => undefined),
      failAfter(
        READY_TIMEOUT_MS,
        `the nodes were not ready within ${READY_TIMEOUT_MS / 1000} s; see their logs`,
      ),
    ]);
    if (addresses === undefined) return; // stopped before it was ready
    const started: DevnetRecord = {
      ...record,
      block_time_ms: settings.blockTimeMs,
      rpc_port: settings.rpcPort,
      nodes: record.nodes.map((node, i) => ({
        ...node,
        pid: this.#nodes[i]?.pid ?? 0,
        rpc: addresses[i]?.rpc ?? node.rpc,
        p2p: addresses[i]?.p2p ?? node.p2p,
      })),
    };
    writeRecord(home, started);
    view.ready(started);
    this.#announced = true;
    for (const block of this.#early.splice(0)) this.#tellBlock(block);
    for (const [moniker, how] of this.#endedEarly) this.#tellExit(moniker, how);
  }

  /** A majority makes blocks while the others still start: those wait until the devnet is announced. */
  #tellBlock(block: BlockMessage): void {
    if (this.#announced) this.#run.view.block(block, this.#state());
    else this.#early.push(block);
  }

  get #listener(): NodeProcessListener {
    return {
      block: (moniker, block) => this.#tracker.report(moniker, block),
      exited: (moniker, how) => {
        this.#tracker.leave(moniker);
        if (this.#stopping) return;
        if (this.#announced) this.#tellExit(moniker, how);
        else this.#endedEarly.set(moniker, how);
      },
    };
  }

  #tellExit(moniker: string, how: string): void {
    const home = this.#nodes.find((node) => node.moniker === moniker)?.home ?? '';
    this.#run.view.exited(moniker, how, home);
    if (this.running === 0) this.#tellAllExited();
  }

  async #stopAll(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
  }
}

async function waitForLeftovers(home: string, { own }: DevnetStart): Promise<void> {
  for (const name of own) {
    const lock = nodeLockPath(join(home, name));
    if (await waitUnlocked(lock, LEFTOVER_TIMEOUT_MS)) continue;
    const pid = lockHolder(lock);
    throw new LedgerError(
      'devnet.leftover',
      `${name} of this devnet still runs (process ${pid}); stop it first, with: kill ${pid}`,
    );
  }
}

function failAfter(delayMs: number, message: string): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new LedgerError('devnet.timeout', message)), delayMs).unref();
  });
}

function schedule(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}
