/**
 * Clients that flood the RPC of all nodes while other faults run: POSTs of every kind, and websockets that
 * subscribe as much as they can, some of which read slowly or not at all. The limits of each node are looked
 * at all the time; in the end every node is asked for what any node has said to be committed.
 */
import type { Companion } from '../companion.ts';
import type { SimMachine } from '../machine.ts';
import type { Simulation } from '../simulation.ts';
import { Answers, values } from './answers.ts';
import { type Asked, someRequest, someSubscription, txRequest } from './requests.ts';
import { type ConnectedClient, SimRpc } from './server.ts';

/** How much of it there is. */
export interface RpcFloodOptions {
  readonly accounts: number;
  readonly everyMs: number;
  /** POSTs at a time. */
  readonly burst: number;
  /** Websockets that are open at once. */
  readonly websockets: number;
}

interface Pending {
  readonly server: SimRpc;
  readonly asked: Asked;
  sinceMs: number;
}

const WAY_MS_MAX = 15;
const LOOKS_EVERY_MS = 100;
const ANSWERED_WITHIN_MS = 8_000;
const AUDITED_MAX = 12;
const AUDITS_EVERY_MS = 200;

/** See the file comment. */
export class RpcFlood implements Companion {
  readonly #simulation: Simulation;
  readonly #options: RpcFloodOptions;
  readonly #answers: Answers;
  readonly #servers: Map<SimMachine, SimRpc> = new Map();
  readonly #sequences: Map<number, number> = new Map();
  readonly #pending: Set<Pending> = new Set();
  readonly #clients: Set<{ readonly server: SimRpc; readonly client: ConnectedClient }> = new Set();
  /** `<machine> <hash>` of what a node has confirmed since the heal; undefined before. */
  #confirmed: Set<string> | undefined;

  constructor(simulation: Simulation, options: RpcFloodOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.#answers = new Answers((invariant, sentence) => simulation.fail(invariant, sentence));
  }

  start(): void {
    const { everyMs, burst } = this.#options;
    this.#every(everyMs, () => {
      for (let i = 0; i < burst; i++) this.#postSomething();
    });
    this.#every(everyMs * 2, () => this.#useWebsockets());
    this.#every(LOOKS_EVERY_MS, () => this.#look());
    this.#every(AUDITS_EVERY_MS, () => this.#audit());
  }

  healed(): void {
    this.#confirmed = new Set();
  }

  /** Every node has confirmed what any node said before. */
  isContent(): boolean {
    return this.#unconfirmed().length === 0 && this.#confirmed !== undefined;
  }

  complaint(): string {
    const [first] = this.#unconfirmed();
    return `${first?.machine.name} does not find transaction ${first?.hash}, which was said to be committed`;
  }

  ended(): void {
    const { trace, scheduler, chain } = this.#simulation;
    this.#answers.requireKept(chain);
    const counts = [...this.#answers.counts].map(([name, times]) => `${times} ${name}`).join(', ');
    trace.line(scheduler.nowMs, 'rpc', `${this.#answers.committed.size} said to be committed; ${counts}`);
  }

  #every(everyMs: number, callback: () => void): void {
    const { scheduler } = this.#simulation;
    const again = (): void => {
      callback();
      scheduler.after(everyMs, again);
    };
    scheduler.after(everyMs, again);
  }

  /** The RPC of some node that is up. */
  #someServer(): SimRpc | undefined {
    const up = this.#simulation.honest.filter(({ state }) => state === 'up');
    const machine = this.#simulation.scheduler.random.pick(up);
    return machine && this.#serverOf(machine);
  }

  #serverOf(machine: SimMachine): SimRpc | undefined {
    const known = this.#servers.get(machine);
    if (known?.isUp === true) return known;
    const { core } = machine;
    if (core === undefined) return undefined;
    const onError = (text: string): void => this.#simulation.fail('answers', `${machine.name}: ${text}`);
    const server = new SimRpc({ machine, core, onError });
    this.#servers.set(machine, server);
    return server;
  }

  #something(): Asked {
    const { scheduler, height } = this.#simulation;
    return someRequest({
      random: scheduler.random,
      height,
      accounts: this.#options.accounts,
      sequenceOf: (account) => this.#sequences.get(account) ?? 0,
      hashes: [...this.#answers.committed.keys()].slice(-AUDITED_MAX),
    });
  }

  #postSomething(): void {
    const server = this.#someServer();
    if (server !== undefined) this.#post(server, this.#something(), () => undefined);
  }

  /** There and back on the wire, unless the node ends meanwhile. */
  #post(server: SimRpc, asked: Asked, answered: () => void): void {
    const { scheduler } = this.#simulation;
    const pending: Pending = { server, asked, sinceMs: scheduler.nowMs };
    this.#pending.add(pending);
    const back = (text: string): void => {
      if (!this.#pending.delete(pending) || !server.isUp) return;
      scheduler.after(scheduler.random.below(WAY_MS_MAX), () => {
        const result = this.#answers.judge(server.machine.name, asked, text);
        this.#noteSender(asked, result);
        if (result !== undefined) answered();
      });
    };
    scheduler.after(
      scheduler.random.below(WAY_MS_MAX),
      () => void server.post(asked.body).then(back),
      server.owner,
    );
  }

  #noteSender({ sender, method }: Asked, result: ReturnType<typeof values>): void {
    if (sender === undefined) return;
    const { account, sequence } = sender;
    const code = (method === 'broadcast_tx_commit' ? values(result?.['check_tx']) : result)?.['code'];
    if (code === 0) this.#sequences.set(account, Math.max(sequence + 1, this.#sequences.get(account) ?? 0));
    // A node that was killed has forgotten what it held: then the account begins again further down.
    else if (this.#simulation.scheduler.random.percent(10))
      this.#sequences.set(account, Math.max(0, sequence - 2));
  }

  #useWebsockets(): void {
    const { random } = this.#simulation.scheduler;
    for (const entry of this.#clients) if (!entry.server.isUp) this.#clients.delete(entry);
    if (this.#clients.size < this.#options.websockets) this.#connect();
    const entry = random.pick([...this.#clients]);
    if (entry === undefined) return;
    const { socket } = entry.client;
    if (random.percent(4)) {
      socket.hangUp();
      return;
    }
    const asked = random.percent(60) ? someSubscription({ random }) : this.#something();
    // What it says of the machine's clock would make the length of the text a matter of chance.
    if (asked.method !== 'net_info') socket.say(asked.body);
  }

  #connect(): void {
    const server = this.#someServer();
    if (server === undefined) return;
    const { random } = this.#simulation.scheduler;
    const client = server.connect({
      bytesPerMs: random.pick([0, 1, 20, 1_000, 1_000]) ?? 1_000,
      onText: (text) => this.#heard(server, text),
      onClose: () => this.#clients.delete(entry),
    });
    const entry = { server, client };
    this.#clients.add(entry);
  }

  /** An answer or an event, which one cannot tell: they have the id of the request. */
  #heard({ machine }: SimRpc, text: string): void {
    const result = this.#answers.judge(machine.name, { body: 'on a websocket', method: 'websocket' }, text);
    if (result !== undefined) this.#answers.learnEvent(machine.name, result);
  }

  #look(): void {
    const { scheduler } = this.#simulation;
    for (const server of this.#servers.values()) if (server.isUp) this.#requireLimits(server);
    for (const pending of this.#pending) {
      if (!pending.server.isUp) this.#pending.delete(pending);
      else if (pending.server.owner.state === 'paused') pending.sinceMs = scheduler.nowMs;
      else if (scheduler.nowMs - pending.sinceMs > ANSWERED_WITHIN_MS) {
        this.#pending.delete(pending);
        this.#simulation.fail(
          'answers',
          `${pending.server.machine.name} does not answer ${pending.asked.body}`,
        );
      }
    }
  }

  #requireLimits({ machine, core, config, clients }: SimRpc): void {
    const { subscriptionClientsMax, subscriptionsPerClientMax, websocket } = config;
    const { mempool } = machine.ports.config;
    const atMost = (what: string, count: number, max: number): void => {
      if (count > max)
        this.#simulation.fail('limits', `${machine.name} has ${count} ${what}, ${max} at most`);
    };
    atMost('clients with subscriptions', core.bus.clientCount(), subscriptionClientsMax);
    atMost('transactions', core.mempool.size, mempool.size);
    atMost('bytes of transactions', core.mempool.sizeBytes, mempool.maxTxsBytes);
    let subscribed = 0;
    for (const { name, socket } of clients) {
      const own = core.bus.subscriptionCount(name);
      if (own > 0) subscribed++;
      atMost(`subscriptions of ${name}`, own, subscriptionsPerClientMax);
      // What is being answered when it clogs still is; each subscription may be told that it ends.
      const more = websocket.requestsMax + 2 * subscriptionsPerClientMax;
      const max = websocket.bufferedBytesMax + more * socket.longestSent;
      atMost(`bytes on the way to ${name}`, socket.bufferedAmount, max);
    }
    atMost('subscribers that have left', core.bus.clientCount() - subscribed, 0);
  }

  #unconfirmed(): readonly { readonly machine: SimMachine; readonly hash: string }[] {
    const confirmed = this.#confirmed;
    const hashes = [...this.#answers.committed.keys()].slice(0, AUDITED_MAX);
    return this.#simulation.honest.flatMap((machine) =>
      hashes
        .filter((hash) => confirmed?.has(`${machine.name} ${hash}`) !== true)
        .map((hash) => ({ machine, hash })),
    );
  }

  #audit(): void {
    const confirmed = this.#confirmed;
    const next = this.#simulation.scheduler.random.pick(this.#unconfirmed());
    if (confirmed === undefined || next === undefined) return;
    for (const { machine, hash } of this.#unconfirmed().filter((one) => one.machine === next.machine)) {
      const server = this.#serverOf(machine);
      if (server !== undefined)
        this.#post(server, txRequest(hash), () => confirmed.add(`${machine.name} ${hash}`));
    }
  }
}
