/**
 * What has to hold while nodes look for each other among liars: address books keep to their limits and to
 * what is true of those that were met, so do the answers of honest nodes and the numbers of their peers,
 * nobody honest is banned, and in the end the honest are one network.
 */
import type { PeerAddress } from '../../../p2p/address.ts';
import { parseAddress } from '../../../p2p/address.ts';
import type { AddressBookLimits, SavedAddress } from '../../../p2p/address-book.ts';
import type { Core } from '../../../node/node.ts';
import type { Companion } from '../companion.ts';
import type { SimMachine } from '../machine.ts';
import type { Simulation } from '../simulation.ts';
import { type AddressLie, startLiar } from './liars.ts';
import type { World } from './world.ts';

/** Who takes part, and what is allowed. */
export interface WatchOptions {
  readonly world: World;
  readonly liars: readonly { readonly id: string; readonly lie: AddressLie; readonly dials: boolean }[];
  /** Ids of those that send everybody away. */
  readonly seeds: readonly string[];
  readonly book: AddressBookLimits;
  readonly outboundMax: number;
  readonly inboundMax: number;
}

const LOOKS_EVERY_MS = 500;

/** See the file comment. */
export class DiscoveryWatch implements Companion {
  readonly #simulation: Simulation;
  readonly #options: WatchOptions;

  constructor(simulation: Simulation, options: WatchOptions) {
    this.#simulation = simulation;
    this.#options = options;
  }

  start(): void {
    const { scheduler, honest } = this.#simulation;
    const { world, liars } = this.#options;
    const ids = { honest: honest.map(({ name }) => name), liars: liars.map(({ id }) => id) };
    const told = (by: string, addresses: readonly PeerAddress[]): void => {
      for (const address of addresses) this.#requireTrue(`${by} tells`, address);
    };
    for (const liar of liars) startLiar(this.#simulation, { ...liar, ...ids, world, told });
    const look = (): void => {
      for (const machine of honest) this.#look(machine);
      scheduler.after(LOOKS_EVERY_MS, look);
    };
    scheduler.after(LOOKS_EVERY_MS, look);
  }

  /** The honest, seeds aside, are one network by connections among themselves. */
  isContent(): boolean {
    return this.#reached().size === this.#nodes().length;
  }

  complaint(): string {
    const reached = this.#reached();
    const lost = this.#nodes().filter((machine) => !reached.has(machine));
    const told = lost.map((machine) => {
      const peers = machine.core?.network.peers().map(({ id, direction }) => `${direction} ${id}`) ?? [];
      return `${machine.name} (${peers.join(', ')})`;
    });
    return this.#options.world.shown(
      `the honest are not one network; apart from the first are ${told.join(', ')}`,
    );
  }

  #nodes(): readonly SimMachine[] {
    return this.#simulation.honest.filter(({ name }) => !this.#options.seeds.includes(name));
  }

  #reached(): ReadonlySet<SimMachine> {
    const nodes = this.#nodes();
    const seen = new Set<SimMachine>();
    const todo = nodes.slice(0, 1);
    for (let machine = todo.pop(); machine !== undefined; machine = todo.pop()) {
      if (seen.has(machine)) continue;
      seen.add(machine);
      const peers = new Set(machine.core?.network.peers().map(({ id }) => id));
      todo.push(...nodes.filter(({ name }) => peers.has(name)));
    }
    return seen;
  }

  #look(machine: SimMachine): void {
    const { core, name } = machine;
    const book = core?.peers.book;
    if (core === undefined || book === undefined) return;
    this.#requireBounds(name, book.save());
    this.#requireRoom(name, core);
    for (const { peerId, reason } of core.network.bans()) {
      if (this.#simulation.honest.some((other) => other.name === peerId))
        this.#fail('blame', `${name} has banned ${peerId}, which is honest: ${reason}`);
    }
  }

  #requireBounds(name: string, saved: readonly SavedAddress[]): void {
    const { newMax, triedMax, newPerSourceMax, newPerSourceGroupMax, perGroupMax } = this.#options.book;
    const counts = new Map<string, number>();
    const count = (what: string, max: number): void => {
      const times = (counts.get(what) ?? 0) + 1;
      counts.set(what, times);
      if (times > max) this.#fail('address book', `the book of ${name} holds ${times} ${what}, not ${max}`);
    };
    for (const { address: text, source, source_group: sourceGroup, tried } of saved) {
      const address = parseAddress(text);
      if (address === undefined || !address.routable || address.peerId === name)
        this.#fail('address book', `the book of ${name} holds ${text}`);
      else if (tried) this.#requireTrue(`${name} believes that it has met`, address);
      count(tried ? 'tried addresses' : 'new addresses', tried ? triedMax : newMax);
      count(`${tried ? 'tried' : 'new'} addresses in ${address?.group}`, perGroupMax);
      if (tried) continue;
      count(`addresses from ${source}`, newPerSourceMax);
      count(`addresses from the network ${sourceGroup}`, newPerSourceGroupMax);
    }
  }

  /** Only what is so may be told on, or be taken for met. */
  #requireTrue(what: string, address: PeerAddress): void {
    const real = this.#options.world.find(address.peerId);
    const isHonest = this.#simulation.honest.some(({ name }) => name === address.peerId);
    // A liar may say of itself that it listens at another port, over a connection from its host.
    if (real?.host === address.host && (!isHonest || real.port === address.port)) return;
    this.#fail('address book', `${what} ${address.text}, where nobody of that id is`);
  }

  #requireRoom(name: string, { network }: Core): void {
    const { inboundMax, outboundMax } = this.#options;
    const counted = network.peers().filter(({ id }) => !network.isPreferred(id));
    const outbound = counted.filter(({ direction }) => direction === 'outbound').length;
    if (outbound > outboundMax) this.#fail('peers', `${name} has ${outbound} outbound peers`);
    if (counted.length - outbound > inboundMax)
      this.#fail('peers', `${name} has ${counted.length - outbound} inbound peers`);
  }

  #fail(invariant: string, sentence: string): void {
    this.#simulation.fail(invariant, this.#options.world.shown(sentence));
  }
}
