/**
 * One machine of a simulation: a disk, a clock, and now and then a process that runs the whole node on them.
 * A process that is killed never runs again; the next one starts from what the disk kept.
 */
import { openApplication } from '../../cli/application.ts';
import type { StateSnapshotSettings } from '../../cli/state-snapshots.ts';
import { equalBytes, utf8 } from '../../core/bytes.ts';
import type { Evidence } from '../../consensus/types/evidence.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { Module } from '../../framework/module.ts';
import type { Application } from '../../node/application.ts';
import { isDamage } from '../../node/checksum.ts';
import type { NodeConfig } from '../../node/config/config.ts';
import type { CommittedBlock } from '../../node/committed-block.ts';
import type { Core } from '../../node/node.ts';
import { openCore, startCore } from '../../node/node.ts';
import { FilePrivValidator } from '../../node/privval/file-priv-validator.ts';
import type { NodeEnvironment } from '../../node/environment.ts';
import type { Logger } from '../../node/logging/logger.ts';
import type { RpcPorts } from '../../node/rpc/ports.ts';
import { DEFAULT_STATE_SYNC, type StateSyncOptions } from '../../node/statesync/options.ts';
import { repairWal } from '../../node/wal/inspect.ts';
import { FILE_PATTERN } from '../../node/wal/wal.ts';
import type { Network } from '../../p2p/network.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { CHAIN_ID, GENESIS_SECONDS, PREFIX } from './chain.ts';
import { SimBackend, simDatabase, simIndex } from './disk/databases.ts';
import { type DiskOperation, type Ending, SimDisk, type SimFile, type Verdict } from './disk/disk.ts';
import { type DiskUser, SimWalFiles, simSignerFiles } from './disk/files.ts';
import { simSnapshotFiles, simWorkFiles } from './disk/folders.ts';
import type { Subject } from './facts.ts';
import type { SignatureScheme } from './keys.ts';
import { KillPoints } from './kill-points.ts';
import { type MachineObserver, observeConflicts, observedNetwork, observedSigner } from './observer.ts';
import { checkSignatures } from './signature-pool.ts';
import { slowApplication } from './slow-application.ts';
import { Owner, type Scheduler } from './scheduler.ts';
import { type LightLie, simulatedServers } from './servers.ts';
import type { SpoiltSigningState } from './stops.ts';
import { factsText } from './trace.ts';
import { lastButOne, trusting } from './trusting.ts';
import type { Wires } from './wires.ts';

/** What a machine is part of. */
export interface MachinePorts {
  readonly scheduler: Scheduler;
  readonly wires: Wires;
  readonly genesis: GenesisDocument;
  readonly config: NodeConfig;
  readonly scheme: SignatureScheme;
  readonly observer: MachineObserver;
  /** Every machine. */
  readonly machines: () => readonly SimMachine[];
  /** Blocks by height, as the first node committed them. */
  readonly chain: ReadonlyMap<bigint, CommittedBlock>;
  /** Of the state machine, besides the program's own. */
  readonly modules: readonly Module[];
  /** Absent: no snapshots are made or taken. */
  readonly snapshots?: StateSnapshotSettings | undefined;
}

/** What makes a machine different from others. */
export interface MachineOptions {
  readonly name: string;
  /** Secret of its consensus key. */
  readonly keySeed: Uint8Array;
  readonly isHonest: boolean;
  /** Begins with a state sync that trusts these machines. */
  readonly trusts?: readonly string[];
  /** The block that it begins to trust the chain with is a recent one, not the first. */
  readonly trustsRecent?: boolean;
  /** What it tells those who trust it. */
  readonly lightLie?: LightLie;
  /** It lies in some of its answers only. */
  readonly liesNowAndThen?: boolean;
  /** Its operator keeps so many blocks at least; absent: all. */
  readonly minRetainBlocks?: number;
  /** What its operator has changed in the configuration of all. */
  readonly config?: (config: NodeConfig) => NodeConfig;
  readonly environment?: (environment: NodeEnvironment, machine: SimMachine) => NodeEnvironment;
  readonly application?: (application: Application, machine: SimMachine) => Application;
  readonly network?: (network: Network, machine: SimMachine) => Network;
}

const HOME = '/home';
const KEY_PATH = `${HOME}/config/priv_validator_key.json`;
/** The file that keeps a validator from signing twice. */
export const SIGNING_STATE_PATH: string = `${HOME}/data/priv_validator_state.json`;
/** Often enough to be in the middle of one now and then. */
const SNAPSHOT_VERSIONS = 3;
/** The folder of the write-ahead log. */
export const WAL_PATH: string = `${HOME}/data/cs.wal`;
/** The genesis is older than any clock is wrong. */
const GENESIS_AGE_MS = 3_600_000;
const NEVER_SIGNED = utf8('{"height":"0","round":0,"step":0}');
const FIRST_HEIGHT = 1n;
/** While a node waits, the others make blocks: the waits are short. */
const STATE_SYNC: StateSyncOptions = {
  ...DEFAULT_STATE_SYNC,
  peersWaitMs: 2_000,
  distrustMs: 500,
  tickMs: 100,
  headersAttempts: 3,
  headersWaitMs: 400,
  setAsideMs: 2_000,
  heightRequestTimeoutMs: 500,
};
const LOG = { debug: () => undefined, info: () => undefined };

/** See the file comment. */
export class SimMachine implements Subject {
  readonly name: string;
  readonly isHonest: boolean;
  readonly options: MachineOptions;
  readonly disk: SimDisk;
  readonly ports: MachinePorts;
  /** How far its clock is off. */
  clockOffsetMs = 0;
  /** The longest wait for the disk. */
  diskDelayMaxMs = 1;
  applicationDelayMaxMs = 0;
  isDiskFull = false;
  /** End the process at operations of the disk. */
  readonly killPoints: KillPoints = new KillPoints();
  /** Its signing state was taken away or is old: with that it must not start. */
  mustRefuse: SpoiltSigningState | undefined;
  /** The file in which a bit has turned, and what it was. */
  turned: { readonly path: string; readonly before: SimFile } | undefined;
  /** Databases with a record in which a bit has turned. */
  readonly damaged: Set<string> = new Set();
  /** Its operator has deleted all that it had but its signing state, and it has not started again since. */
  isEmptied = false;
  /** This process was told that the disk is full: it may stop for that, and name it. */
  wasToldFull = false;
  /** The block that a state sync begins with; the operator has asked several about it. */
  trustedHeight: bigint = FIRST_HEIGHT;
  state: 'down' | 'starting' | 'up' | 'refused' = 'down';
  starts = 0;
  owner: Owner;
  core: Core | undefined;
  /** The application of the last process. */
  usedApplication: Application | undefined;
  /** Puts something between the core and its RPC: planted bugs. */
  rpcPorts: (ports: RpcPorts) => RpcPorts = (ports) => ports;
  /** Changes a core before it starts: planted bugs. */
  onCore: (core: Core) => void = () => undefined;

  #goodState: SimFile | undefined;

  constructor(ports: MachinePorts, options: MachineOptions) {
    this.ports = ports;
    this.options = options;
    this.name = options.name;
    this.isHonest = options.isHonest;
    this.disk = new SimDisk(ports.scheduler.random);
    this.owner = new Owner(options.name);
    this.owner.state = 'dead';
    this.disk.judge = (operation) => this.#judge(operation);
  }

  now(): bigint {
    const ms = GENESIS_AGE_MS + this.ports.scheduler.nowMs + this.clockOffsetMs;
    return GENESIS_SECONDS * 1_000_000_000n + BigInt(Math.round(ms * 1_000)) * 1_000n;
  }

  validatorsAt(height: bigint): ValidatorSet | undefined {
    return this.#readable(() => this.core?.stores.state.validators(height));
  }

  standsAt(): { readonly height: bigint; readonly round: number } | undefined {
    return this.core?.engine.consensus()?.view();
  }

  pendingEvidence(): readonly Evidence[] {
    return this.core?.evidence.all() ?? [];
  }

  conflictingVotes(): readonly Vote[] {
    return this.core?.stores.evidence.pairs().map(({ first }) => first) ?? [];
  }

  /** The last height that it stored and executed; 0 when it is not up. */
  get height(): bigint {
    return this.core?.engine.lastHeight() ?? 0n;
  }

  /** It began with a state of others. */
  get isRestored(): boolean {
    return (this.core?.stores.blocks.range().base ?? 0n) > 1n;
  }

  /** Writes the key of a new validator, durably and at once. */
  async init(): Promise<void> {
    const idle: DiskUser = { wait: () => Promise.resolve(), isDead: () => false };
    const files = simSignerFiles(this.disk, idle);
    const { makeSigner } = this.ports.scheme;
    await FilePrivValidator.create(this.options.keySeed, {
      keyPath: KEY_PATH,
      statePath: SIGNING_STATE_PATH,
      makeSigner,
      files,
    });
  }

  /** Starts the process; what comes of it is told to the observer. */
  start(): void {
    if (this.state === 'starting' || this.state === 'up') return;
    const owner = new Owner(this.name);
    this.owner = owner;
    this.wasToldFull = false;
    this.state = 'starting';
    this.starts++;
    this.ports.observer.line(this, 'starts');
    this.#boot(owner).then(
      (core) => {
        if (owner.state === 'dead') return;
        this.core = core;
        this.state = 'up';
        this.disk.garbled.clear(); // it has read its log, and found nothing to repair
        const { lastBlockHeight, appHash } = core.executor.state;
        this.ports.observer.started(this, lastBlockHeight, appHash);
      },
      (error: unknown) => this.#stopped(owner, 'refused to start', error),
    );
  }

  /** Ends the process from one moment to the next. */
  kill(how: Ending): void {
    if (this.state === 'down') return;
    this.ports.observer.line(this, how);
    this.#end(how);
  }

  /** Takes the file that guards the signer away, or puts an old one in its place, while the node is down. */
  spoilSigningState(how: 'lost' | 'stale'): boolean {
    const file = this.disk.files.get(SIGNING_STATE_PATH);
    if (this.core === undefined || file === undefined || !this.#isInSomeCommit(this.core)) return false;
    this.kill('process killed');
    if (how === 'lost') this.disk.files.delete(SIGNING_STATE_PATH);
    else this.disk.files.set(SIGNING_STATE_PATH, { bytes: NEVER_SIGNED, synced: NEVER_SIGNED });
    this.ports.observer.line(this, `finds its signing state ${how}`);
    this.mustRefuse = how;
    this.#goodState = file;
    this.start();
    return true;
  }

  /** The operator has found the right file again. */
  restoreSigningState(): void {
    if (this.#goodState !== undefined) this.disk.files.set(SIGNING_STATE_PATH, this.#goodState);
    this.mustRefuse = undefined;
    this.start();
  }

  /** One bit of what was durable turns while the node is down. */
  flipBit(): void {
    const { random } = this.ports.scheduler;
    const isGuarded = (path: string): boolean =>
      path === SIGNING_STATE_PATH || path.startsWith(`${WAL_PATH}/`);
    const found = random.pick([...this.disk.files].filter(([path]) => isGuarded(path)));
    // A node whose disk is full would name that first.
    if (this.core === undefined || this.turned !== undefined || this.isDiskFull) return;
    if (found === undefined || found[1].bytes.length === 0) return;
    this.kill('process killed');
    const [path, before] = found;
    const bytes = Uint8Array.from(before.bytes);
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    this.disk.files.set(path, { bytes, synced: bytes });
    this.turned = { path, before };
    this.ports.observer.line(this, `finds byte ${at} of ${path} changed`);
    this.start();
  }

  /** The operator puts a copy in the place of the file that is damaged. */
  restoreTurned(): void {
    if (this.turned !== undefined) this.disk.files.set(this.turned.path, this.turned.before);
    this.turned = undefined;
    this.start();
  }

  /** The node can know that it has signed: its signature is in the last commit that it saw. */
  #isInSomeCommit({ engine, stores, signer }: Core): boolean {
    if (engine.consensus() === undefined) return false; // the blocks that it has synced are not durable yet
    const commit = this.#readable(() => stores.blocks.seenCommit(stores.blocks.range().height));
    return commit?.signatures.some((one) => equalBytes(one.validatorAddress, signer.address)) === true;
  }

  #readable<T>(read: () => T | undefined): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!isDamage(error)) throw error;
      return undefined;
    }
  }

  /** What an operator does when the node says that its log has to be repaired; room on the disk comes first. */
  repairLog(): void {
    if (this.state === 'starting' || this.state === 'up') return; // it was repaired before
    this.ports.observer.line(this, 'has its log repaired');
    this.turned = undefined;
    this.isDiskFull = false;
    const { disk } = this;
    const user: DiskUser = { wait: () => Promise.resolve(), isDead: () => false };
    const { judge } = disk;
    disk.judge = () => 'go on'; // kill points are the node's
    repairWal(new SimWalFiles({ disk, user, directory: WAL_PATH, pattern: FILE_PATTERN }));
    disk.judge = judge;
    disk.garbled.clear();
    this.start();
  }

  pause(): void {
    if (this.owner.state !== 'running') return;
    this.ports.observer.line(this, 'pauses');
    this.owner.state = 'paused';
  }

  resume(): void {
    if (this.owner.state !== 'paused') return;
    this.ports.observer.line(this, 'goes on');
    this.ports.scheduler.resume(this.owner);
  }

  #judge({ kind, path }: DiskOperation): Verdict {
    const point = this.killPoints.take(this.disk.operations);
    if (point !== undefined) {
      this.ports.observer.line(this, `reaches its kill point ${point.at}: ${kind} ${path}`);
      this.kill(point.how);
      point.onReached();
      return 'dead';
    }
    if (!this.isDiskFull) return 'go on';
    this.wasToldFull = true;
    return 'full';
  }

  #end(how: Ending): void {
    this.state = 'down';
    this.owner.state = 'dead';
    this.core = undefined;
    this.ports.wires.hub.kill(this.name);
    this.disk.end(how);
  }

  #stopped(owner: Owner, what: 'refused to start' | 'stopped', error: unknown): void {
    if (owner.state === 'dead') return;
    this.#end('process killed');
    this.state = 'refused';
    this.ports.observer.stopped(this, what, error);
  }

  async #boot(owner: Owner): Promise<Core> {
    const { genesis } = this.ports;
    const config = this.#config();
    const logging = (module: string): Logger => this.#logger(module, owner);
    const user = this.#diskUser(owner);
    const { application } = await openApplication(
      {
        dataDir: `${HOME}/data`,
        chainId: CHAIN_ID,
        prefix: PREFIX,
        minimumGasPrices: '',
        txBytesMax: config.mempool.maxTxBytes,
        keepVersions: 2,
        minRetainBlocks: this.options.minRetainBlocks ?? 0,
        furtherModules: this.ports.modules,
        verifierWorkers: 0,
        version: 'simulation',
        log: logging('app'),
        ...(this.ports.snapshots === undefined ? {} : { snapshots: this.ports.snapshots }),
      },
      {
        openBackend: async (path) => new SimBackend({ disk: this.disk, user, path }),
        openPool: () => checkSignatures,
        snapshotVersions: SNAPSHOT_VERSIONS,
        snapshotFiles: simSnapshotFiles(this.disk, user),
        pause: () => new Promise<void>((resolve) => this.ports.scheduler.after(0, resolve, owner)),
      },
    );
    const core = await openCore(
      {
        config,
        dataDir: `${HOME}/data`,
        paths: {
          genesisFile: '',
          addrBookFile: 'addrbook.json',
          nodeKeyFile: '',
          privValidatorKeyFile: KEY_PATH,
          privValidatorStateFile: SIGNING_STATE_PATH,
        },
        genesis,
        nodeKey: new Uint8Array(32),
        application: this.#use(owner, application),
        version: 'simulation',
        logging,
        onBlock: (committed) => this.ports.observer.committed(this, committed),
        onFatal: (error) => this.#stopped(owner, 'stopped', error),
      },
      this.#environment(owner, user),
      [],
    );
    observeConflicts(core.evidence, this);
    this.onCore(core);
    core.engine.onEvent((event) => {
      if (event.kind !== 'step') return;
      const { height, round, step } = event.view;
      this.ports.observer.line(this, `${height}/${round} ${step}`);
    });
    await core.network.start();
    startCore(core, []);
    core.peers.start([]);
    return core;
  }

  /** What the operator has written: whom to trust, and since which block. */
  #config(): NodeConfig {
    const { config, chain } = this.ports;
    const { trusts, trustsRecent, config: change = (same) => same } = this.options;
    this.trustedHeight = trustsRecent === true ? lastButOne(chain) : FIRST_HEIGHT;
    return trusting(change(config), { trusts, block: chain.get(this.trustedHeight) });
  }

  #use(owner: Owner, application: Application): Application {
    const used = this.options.application?.(application, this) ?? application;
    const { scheduler } = this.ports;
    const slow = slowApplication(used, { scheduler, owner, delayMaxMs: () => this.applicationDelayMaxMs });
    this.usedApplication = slow;
    return slow;
  }

  #diskUser(owner: Owner): DiskUser {
    const { scheduler } = this.ports;
    return {
      isDead: () => owner.state === 'dead',
      wait: () => {
        const delayMs = (this.diskDelayMaxMs * scheduler.random.below(1_000)) / 1_000;
        if (scheduler.random.percent(60)) return Promise.resolve();
        return new Promise((resolve) => scheduler.after(delayMs, resolve, owner));
      },
    };
  }

  #environment(owner: Owner, user: DiskUser): NodeEnvironment {
    const { scheduler, wires, scheme } = this.ports;
    const { disk } = this;
    const timers = scheduler.timersOf(owner);
    const environment: NodeEnvironment = {
      clock: {
        now: () => this.now(),
        schedule: (delayMs, callback) => timers.after(delayMs, callback),
        yieldToOthers: () => new Promise((resolve) => timers.after(0, resolve)),
      },
      timers,
      openDatabase: async (path) => simDatabase({ disk, user, path }),
      openIndex: async (path) => simIndex({ disk, user, path }),
      walFiles: (directory) => new SimWalFiles({ disk, user, directory, pattern: FILE_PATTERN }),
      walSizes: { fileBytesMax: 6_000, totalBytesMax: 60_000 },
      randomBytes: (length) => Uint8Array.from({ length }, () => scheduler.random.below(256)),
      signerFiles: simSignerFiles(disk, user),
      workFiles: (directory) => simWorkFiles(disk, user, directory),
      stateSync: STATE_SYNC,
      openServer: simulatedServers({
        owner,
        machines: this.ports.machines,
        trustedHeight: this.trustedHeight,
      }),
      random: () => scheduler.random.below(1_000_000) / 1_000_000,
      makeSigner: scheme.makeSigner,
      wrapSigner: (signer) => observedSigner(signer, this),
      verify: scheme.verify,
      openNetwork: async (options) => {
        const network = observedNetwork(wires.connect(this.name, options, owner), this);
        return this.options.network?.(network, this) ?? network;
      },
    };
    return this.options.environment?.(environment, this) ?? environment;
  }

  #logger(module: string, owner: Owner): Logger {
    const told = (facts: Readonly<Record<string, unknown>>, message: string): void => {
      if (owner.state === 'dead') return;
      this.ports.observer.line(this, `${module}: ${message} ${factsText(facts)}`);
    };
    return { ...LOG, ...(module === 'statesync' ? { info: told } : {}), warn: told, error: told };
  }
}
