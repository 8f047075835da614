/** One node of a devnet as a process: its messages, its log file, its end. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { LedgerError } from '../../core/errors.ts';
import {
  type BlockMessage,
  type FailedMessage,
  isChildMessage,
  type ReadyMessage,
} from '../child-messages.ts';
import { nodeLogFile, spawnNode } from './spawn-node.ts';

/** What a node is started with. */
export interface NodeProcessOptions {
  readonly moniker: string;
  readonly home: string;
  /** Its process, if it has been started ahead and told to go on. */
  readonly ahead?: ChildProcess | undefined;
}

/** Who is told what the node does. */
export interface NodeProcessListener {
  block(moniker: string, block: BlockMessage): void;
  /** Once, however it ended. */
  exited(moniker: string, how: string): void;
}

/** A node that does not stop in this time after SIGTERM is killed. */
const STOP_TIMEOUT_MS = 10_000;

/** A running `openledgerd start`. */
export class NodeProcess {
  readonly moniker: string;
  readonly home: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #ready: Promise<ReadyMessage>;
  #alive = true;
  #failure: FailedMessage | undefined;

  constructor(options: NodeProcessOptions, listener: NodeProcessListener) {
    this.moniker = options.moniker;
    this.home = options.home;
    this.logFile = nodeLogFile(options.home);
    this.#child = options.ahead ?? spawnNode(options.home);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#alive = false;
        listener.exited(this.moniker, signal === null ? `exit code ${code}` : `signal ${signal}`);
        resolve();
      });
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#child.on('message', (message) => {
        if (!isChildMessage(message)) return;
        if (message.event === 'ready') resolve(message);
        else if (message.event === 'block') listener.block(this.moniker, message);
        else this.#failure = message;
      });
      this.#child.once('error', (cause) => reject(this.#error(cause.message)));
      void this.#exited.then(() => reject(this.#error(lastLine(this.logFile))));
    });
    this.#ready.catch(() => undefined); // whoever awaits `ready` hears of it
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Resolves when its RPC answers. @throws LedgerError `devnet.node` with the node's own sentence */
  ready(): Promise<ReadyMessage> {
    return this.#ready;
  }

  /** Asks it to stop, and kills it when it does not. */
  async stop(): Promise<void> {
    if (!this.#alive) return;
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#exited;
    clearTimeout(killer);
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #error(reason: string): LedgerError {
    const sentence = this.#failure?.message ?? reason;
    return new LedgerError('devnet.node', `${this.moniker} did not start: ${sentence}`, {
      system: this.#failure?.code,
    });
  }
}

/** What a node wrote last before it ended without a word to its supervisor. */
function lastLine(file: string): string {
  const line = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  return `it stopped; the last line of its log ${file} is: ${line.replace(/^openledgerd: /, '')}`;
}
