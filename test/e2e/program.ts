/** Starts `openledgerd` as a user does, as a process of its own, and waits for what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BlockMessage, type ChildMessage, isChildMessage } from '../../cli/child-messages.ts';
import type { DevnetAccount, DevnetNode } from '../../cli/devnet/record.ts';
import { killToTheEnd, stopAndListChildren } from './processes.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The program's entry. */
export const mainFile: string = join(root, 'cli', 'main.ts');

/** What npm scripts start. */
export const launcherFile: string = join(root, 'bin', 'run.mjs');

/** The launcher, told to start the program. */
export const launcher: readonly string[] = [launcherFile, 'cli'];

/** For a program: as the launcher does it, what was compiled once is not compiled again. */
export const env: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compile'),
};

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The first line of `devnet --json`. */
export interface ReadyEvent {
  readonly event: 'ready';
  readonly chain_id: string;
  readonly prefix: string;
  readonly denom: string;
  readonly nodes: readonly DevnetNode[];
  readonly accounts: readonly DevnetAccount[];
}

/** A new empty directory; the caller removes it. */
export function temporaryHome(): string {
  return mkdtempSync(join(tmpdir(), 'openledgerd-e2e-'));
}

/** Runs a command to its end. */
export function runProgram(
  args: readonly string[],
  options: { readonly input?: string; readonly nodeFlags?: readonly string[] } = {},
): Promise<Ended> {
  const { input = '', nodeFlags = [] } = options;
  const child = spawn(process.execPath, [...nodeFlags, mainFile, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env,
  });
  child.stdin.end(input);
  return ended(child);
}

function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Whoever waits for a height. */
class Heights {
  readonly listeners: Set<(block: BlockMessage) => void> = new Set();
  #height = 0;
  #waiting: {
    readonly height: number;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #over: Error | undefined;

  get height(): number {
    return this.#height;
  }

  reached(block: BlockMessage): void {
    this.#height = Math.max(this.#height, block.height);
    for (const listener of this.listeners) listener(block);
    for (const each of this.#waiting) if (each.height <= this.#height) each.resolve();
    this.#waiting = this.#waiting.filter((each) => each.height > this.#height);
  }

  over(error: Error): void {
    this.#over = error;
    for (const each of this.#waiting) each.reject(error);
    this.#waiting = [];
  }

  wait(height: number): Promise<void> {
    if (height <= this.#height) return Promise.resolve();
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => this.#waiting.push({ height, resolve, reject }));
  }
}

/** A devnet that runs. */
export class RunningDevnet {
  readonly ready: ReadyEvent;
  /** Resolves when the supervisor has ended, for whatever reason. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #heights: Heights;

  private constructor(
    child: ChildProcess,
    parts: { ready: ReadyEvent; ended: Promise<Ended>; heights: Heights },
  ) {
    this.#child = child;
    this.ready = parts.ready;
    this.ended = parts.ended;
    this.#heights = parts.heights;
  }

  /**
   * Starts one and waits until it is ready.
   * @throws Error with what it wrote to standard error, when it does not become ready
   */
  static async start(
    args: readonly string[],
    program: readonly string[] = [mainFile],
    furtherEnv: Readonly<Record<string, string>> = {},
  ): Promise<RunningDevnet> {
    const child = spawn(process.execPath, [...program, 'devnet', '--json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, ...furtherEnv },
    });
    const end = ended(child);
    const heights = new Heights();
    const ready = await new Promise<ReadyEvent>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const event: ReadyEvent | BlockMessage = JSON.parse(line);
        if (event.event === 'ready') resolve(event);
        else if (event.event === 'block') heights.reached(event);
      });
      void end.then(({ code, stderr }) => {
        const error = new Error(`the devnet ended with code ${code}: ${stderr}`);
        heights.over(error);
        reject(error);
      });
    });
    return new RunningDevnet(child, { ready, ended: end, heights });
  }

  /** The last height that it told of. */
  get height(): number {
    return this.#heights.height;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when that height is committed. */
  waitForHeight(height: number): Promise<void> {
    return this.#heights.wait(height);
  }

  /** Resolves when so many more blocks are committed. */
  async moreBlocks(count: number): Promise<number> {
    await this.waitForHeight(this.height + count);
    return this.height;
  }

  /** Calls back with each block until the returned function is called. */
  onBlock(listener: (block: BlockMessage) => void): () => void {
    this.#heights.listeners.add(listener);
    return () => this.#heights.listeners.delete(listener);
  }

  /** Stops it as Ctrl-C does. */
  async stop(): Promise<Ended> {
    this.#child.kill('SIGINT');
    return this.ended;
  }

  /** Kills all its nodes and itself, at once. */
  async killAll(): Promise<void> {
    const nodesEnd = killToTheEnd(this.ready.nodes.map(({ pid }) => pid));
    this.#child.kill('SIGKILL');
    await Promise.all([nodesEnd, this.ended]);
  }
}

/**
 * Starts a devnet and kills it with all its nodes after some time, wherever they are then: making their
 * homes, starting, replaying, or at work.
 */
export async function killDevnetAfter(args: readonly string[], delayMs: number): Promise<void> {
  const child = spawn(process.execPath, [mainFile, 'devnet', '--json', ...args], { stdio: 'ignore', env });
  const end = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await Promise.race([delay(delayMs), end]);
  const nodes = child.exitCode === null ? await stopAndListChildren(child.pid ?? 0) : [];
  child.kill('SIGKILL');
  await killToTheEnd(nodes);
  await end;
}

/** A node that was started by hand. */
export class RunningNode {
  readonly rpc: string;
  readonly p2p: string;
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #heights: Heights;

  private constructor(
    child: ChildProcess,
    parts: { rpc: string; p2p: string; ended: Promise<Ended>; heights: Heights },
  ) {
    this.#child = child;
    this.rpc = parts.rpc;
    this.p2p = parts.p2p;
    this.ended = parts.ended;
    this.#heights = parts.heights;
  }

  /** Runs `start` of a program on a home and waits until it is ready. */
  static async start(home: string, program: string = mainFile): Promise<RunningNode> {
    const child = spawn(process.execPath, [program, 'start', '--home', home], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
    });
    const end = ended(child);
    const heights = new Heights();
    const ready = await new Promise<Extract<ChildMessage, { event: 'ready' }>>((resolve, reject) => {
      child.on('message', (message) => {
        if (!isChildMessage(message)) return;
        if (message.event === 'ready') resolve(message);
        else if (message.event === 'block') heights.reached(message);
      });
      void end.then(({ code, stdout, stderr }) => {
        const error = new Error(`the node ended with code ${code}: ${stderr}${stdout.slice(-2000)}`);
        heights.over(error);
        reject(error);
      });
    });
    return new RunningNode(child, { rpc: ready.rpc, p2p: ready.p2p, ended: end, heights });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get height(): number {
    return this.#heights.height;
  }

  /** Resolves when this node has committed that height. */
  waitForHeight(height: number): Promise<void> {
    return this.#heights.wait(height);
  }

  async stop(): Promise<Ended> {
    this.#child.kill('SIGTERM');
    return this.ended;
  }
}
