/** The RPC of a simulated node: its methods and connections as in production, without HTTP and sockets. */
import { rpcPorts } from '../../../node/node-rpc.ts';
import { rpcConfigOf } from '../../../node/node-settings.ts';
import type { Core } from '../../../node/node.ts';
import type { RpcConfig } from '../../../node/rpc/config.ts';
import { Dispatcher } from '../../../node/rpc/dispatcher.ts';
import type { RpcPorts } from '../../../node/rpc/ports.ts';
import { rpcMethods } from '../../../node/rpc/server.ts';
import { answerPost } from '../../../node/rpc/transport/post.ts';
import { WebsocketConnection } from '../../../node/rpc/transport/websocket.ts';
import type { SimMachine } from '../machine.ts';
import type { Owner } from '../scheduler.ts';
import { SimSocket } from './socket.ts';

/** Few, so that clients reach them. */
const BUFFERED_BYTES_MAX = 30_000;
const REQUESTS_MAX = 6;
const WEBSOCKET = {
  readWaitMs: 6_000,
  pingPeriodMs: 1_000,
  writeWaitMs: 2_000,
  requestsMax: REQUESTS_MAX,
  bufferedBytesMax: BUFFERED_BYTES_MAX,
};
const GENESIS_TEXT = '{"app_state":{}}';

/** What a server is made over. */
export interface ServerOptions {
  readonly machine: SimMachine;
  readonly core: Core;
  /** A method has failed in a way that nobody foresaw. */
  readonly onError: (text: string) => void;
}

/** A websocket client, seen from the node. */
export interface ConnectedClient {
  readonly name: string;
  readonly socket: SimSocket;
}

/** See the file comment. */
export class SimRpc {
  readonly core: Core;
  readonly machine: SimMachine;
  /** The process that it is part of. */
  readonly owner: Owner;
  readonly config: RpcConfig;
  readonly clients: Set<ConnectedClient> = new Set();
  readonly #ports: RpcPorts;
  readonly #dispatcher: Dispatcher;
  #connections = 0;

  constructor({ machine, core, onError }: ServerOptions) {
    const { ports, owner, usedApplication: application } = machine;
    if (application === undefined) throw new RangeError(`${machine.name} has no application`);
    const { config, genesis } = ports;
    this.machine = machine;
    this.core = core;
    this.owner = owner;
    this.config = { ...rpcConfigOf(config.rpc), websocket: WEBSOCKET };
    const silent = (): void => undefined;
    const error = (facts: Readonly<Record<string, unknown>>, message: string): void => {
      if (owner.state !== 'dead') onError(`${message}: ${String(facts['method'])} ${textOf(facts['error'])}`);
    };
    const logger = { debug: silent, info: silent, warn: silent, error };
    const options = { config, genesis, application, genesisText: GENESIS_TEXT, logging: () => logger };
    const timers = ports.scheduler.timersOf(owner);
    this.#ports = machine.rpcPorts(rpcPorts(options, core, timers));
    this.#dispatcher = new Dispatcher({
      methods: rpcMethods(this.#ports, this.config, () => `tcp://${machine.name}`),
      logger,
    });
  }

  /** True while the process is the one that it was made for. */
  get isUp(): boolean {
    return this.machine.core === this.core && this.owner.state !== 'dead';
  }

  /** Answers the body of a POST. */
  async post(body: string): Promise<string> {
    const parts = { dispatcher: this.#dispatcher, config: this.config };
    return (await answerPost(parts, { remote: 'client', body })).text;
  }

  /** A client opens a websocket. */
  connect(client: {
    readonly bytesPerMs: number;
    readonly onText: (text: string) => void;
    readonly onClose: () => void;
  }): ConnectedClient {
    const { scheduler } = this.machine.ports;
    const name = `client#${this.#connections++}`;
    const timers = scheduler.timersOf(this.owner);
    const onClose = (): void => {
      this.clients.delete(connected);
      client.onClose();
    };
    const socket = new SimSocket({ timers, bytesPerMs: client.bytesPerMs, onText: client.onText, onClose });
    const connected = { name, socket };
    const connection = new WebsocketConnection(socket, name, {
      dispatcher: this.#dispatcher,
      events: this.core.bus,
      config: this.config,
      logger: this.#ports.logger,
      nowMs: () => scheduler.nowMs,
    });
    this.clients.add(connected);
    const check = (): void => {
      if (socket.readyState !== socket.OPEN) return;
      connection.check();
      timers.after(WEBSOCKET.pingPeriodMs, check);
    };
    timers.after(WEBSOCKET.pingPeriodMs, check);
    return connected;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ') : '';
}
