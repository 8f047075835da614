/** One node of the network as a process that can be killed, paused and started again. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { BlockMessage } from '../../../cli/child-messages.ts';
import { NodeProcess } from '../../../cli/devnet/node-process.ts';
import type { NodePorts } from '../../../cli/devnet/ports.ts';
import { call } from '../rpc.ts';

/** What it is started with. */
export interface ChaosNodeOptions {
  readonly moniker: string;
  readonly home: string;
  readonly peerId: string;
  readonly ports: NodePorts;
}

/** Who is told what it does. */
export interface ChaosNodeListener {
  block(node: ChaosNode, block: BlockMessage): void;
  /** It ended although nobody ended it. */
  died(node: ChaosNode, how: string): void;
}

type State = 'down' | 'running' | 'paused';

const LOG_LINES = 6;
const LOG_LINE_CHARACTERS = 300;
const ANSWER_MS_MAX = 2_000;

/** See the file comment. */
export class ChaosNode {
  readonly moniker: string;
  readonly home: string;
  readonly peerId: string;
  readonly ports: NodePorts;
  readonly rpc: string;
  state: State = 'down';
  /** The last block that it told of. */
  height = 0;
  /** It is new and has not been at the tip of the chain yet. */
  isJoining = false;
  readonly #listener: ChaosNodeListener;
  #process: NodeProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #isMeantToEnd = false;

  constructor(options: ChaosNodeOptions, listener: ChaosNodeListener) {
    this.moniker = options.moniker;
    this.home = options.home;
    this.peerId = options.peerId;
    this.ports = options.ports;
    this.rpc = `http://127.0.0.1:${options.ports.rpc}`;
    this.#listener = listener;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** Starts the process; `ready` of what is returned resolves when its RPC answers. */
  start(): { readonly ready: Promise<unknown> } {
    this.#isMeantToEnd = false;
    this.state = 'running';
    let tellGone: () => void = () => undefined;
    this.#gone = new Promise((resolve) => {
      tellGone = resolve;
    });
    this.#process = new NodeProcess(
      { moniker: this.moniker, home: this.home },
      {
        block: (_moniker, block) => {
          this.height = Math.max(this.height, block.height);
          this.#listener.block(this, block);
        },
        exited: (_moniker, how) => {
          this.state = 'down';
          if (!this.#isMeantToEnd) this.#listener.died(this, how);
          tellGone();
        },
      },
    );
    return { ready: this.#process.ready() };
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    this.#isMeantToEnd = true;
    this.#process?.kill();
    await this.#gone;
  }

  /** SIGTERM, also when it is paused. */
  async terminate(): Promise<void> {
    this.#isMeantToEnd = true;
    this.resume();
    await this.#process?.stop();
  }

  /** SIGSTOP. */
  pause(): void {
    if (this.state !== 'running') return;
    this.state = 'paused';
    process.kill(this.pid, 'SIGSTOP');
  }

  /** SIGCONT. */
  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'running';
    process.kill(this.pid, 'SIGCONT');
  }

  /** Where it stands, with the end of its log: for a failure's report. */
  async describe(): Promise<string> {
    const answer = this.state === 'running' ? await this.#answer() : 'not asked';
    const lines = readFileSync(`${this.home}/node.log`, 'utf8').trimEnd().split('\n').slice(-LOG_LINES);
    const log = lines.map((line) => `      ${line.slice(0, LOG_LINE_CHARACTERS)}`);
    return [`   ${this.moniker}: ${this.state}, height ${this.height}, ${answer}`, ...log].join('\n');
  }

  async #answer(): Promise<string> {
    const facts = async (): Promise<string> => {
      const { sync_info } = await call<{
        sync_info: { latest_block_height: string; catching_up: boolean };
      }>(this.rpc, 'status');
      const { n_peers } = await call<{ n_peers: string }>(this.rpc, 'net_info');
      const { round_state } = await call<{ round_state: { 'height/round/step'?: string } }>(
        this.rpc,
        'consensus_state',
      ).catch(() => ({ round_state: { 'height/round/step': undefined } }));
      const step = round_state['height/round/step'] ?? 'not in consensus';
      return `RPC height ${sync_info.latest_block_height}, catching up ${sync_info.catching_up}, ${n_peers} peers, ${step}`;
    };
    const late = delay(ANSWER_MS_MAX, 'RPC does not answer', { ref: false });
    return Promise.race([facts().catch((error: unknown) => `RPC: ${String(error)}`), late]);
  }
}
