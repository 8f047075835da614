/**
 * Where other nodes may be found. Two tables, both bounded: *new* addresses are what somebody told, *tried*
 * ones are those at which this node itself has met the peer id they name.
 *
 * One peer cannot fill the book: an address has one source, the first that told it, and there are limits for
 * each source, for the network that the source is in, and for the network that the address is in. When the
 * table of new addresses is full, or what it holds of one network, the networks that told most give way
 * first. Addresses that fail are tried later and later, then forgotten.
 */
import { type PeerAddress, parseAddress } from './address.ts';
import type { Timers } from './timers.ts';

/** Bounds of the book. */
export interface AddressBookLimits {
  readonly newMax: number;
  readonly triedMax: number;
  /** New addresses that one peer has told. */
  readonly newPerSourceMax: number;
  /** New addresses that peers of one network have told. */
  readonly newPerSourceGroupMax: number;
  /** Addresses of one table in one network. */
  readonly perGroupMax: number;
  /** After the n-th failure in a row: this, times two to the n, up to the longest. */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** Failures in a row after which an address is forgotten. */
  readonly newFailuresMax: number;
  readonly triedFailuresMax: number;
}

/** Limits for networks of up to some thousands of nodes. */
export const DEFAULT_ADDRESS_BOOK: AddressBookLimits = {
  newMax: 2_048,
  triedMax: 1_024,
  newPerSourceMax: 128,
  newPerSourceGroupMax: 256,
  perGroupMax: 64,
  backoffMinMs: 5_000,
  backoffMaxMs: 3_600_000,
  newFailuresMax: 3,
  triedFailuresMax: 10,
};

/** What the book works with. */
export interface AddressBookPorts {
  readonly timers: Timers;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** How strict the book is, and whose it is. */
export interface AddressBookOptions {
  readonly nodeId: string;
  /** Refuses addresses that mean nothing on other machines: private, loopback, link-local… */
  readonly strict: boolean;
  readonly limits: AddressBookLimits;
}

/** Who told an address. */
export interface AddressSource {
  readonly peerId: string;
  readonly group: string;
}

/** What became of an address. */
export type Added = 'added' | 'known' | 'refused';

interface Entry {
  readonly address: PeerAddress;
  readonly source: AddressSource;
  tried: boolean;
  /** Told by the peer itself, over a connection from that very host. */
  vouched: boolean;
  failures: number;
  dueMs: number;
}

/** One address in the file. */
export interface SavedAddress {
  readonly address: string;
  readonly source: string;
  readonly source_group: string;
  readonly tried: boolean;
  readonly failures: number;
}

/** See the file comment. */
export class AddressBook {
  readonly #ports: AddressBookPorts;
  readonly #options: AddressBookOptions;
  /** By address. */
  readonly #entries: Map<string, Entry> = new Map();

  constructor(ports: AddressBookPorts, options: AddressBookOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get triedSize(): number {
    return this.#count((entry) => entry.tried);
  }

  has(address: PeerAddress): boolean {
    return this.#entries.has(address.text);
  }

  /** Takes note of what a peer told. Nothing is known of it until it was dialled. */
  add(address: PeerAddress, source: AddressSource): Added {
    if (!this.#acceptable(address)) return 'refused';
    if (this.#entries.has(address.text)) return 'known';
    if (!this.#makeRoom(address, source)) return 'refused';
    const entry = { address, source, tried: false, vouched: false, failures: 0, dueMs: 0 };
    this.#entries.set(address.text, entry);
    return 'added';
  }

  /** The address is that of an inbound peer, which said so over a connection from that host. */
  vouch(address: PeerAddress, source: AddressSource): void {
    this.add(address, source);
    const entry = this.#entries.get(address.text);
    if (entry !== undefined) entry.vouched = true;
  }

  /**
   * The peer was met at the address: what others told of the peer's whereabouts is dropped. It need not be
   * dialled again for `restMs`.
   */
  good(address: PeerAddress, restMs = 0): void {
    if (!this.#acceptable(address)) return;
    const known = this.#entries.get(address.text);
    if (known?.tried !== true && !this.#makeRoomAmongTried(address)) return;
    const source = known?.source ?? { peerId: address.peerId, group: address.group };
    for (const other of [...this.#entries.values()])
      if (other.address.peerId === address.peerId && !other.tried) this.#entries.delete(other.address.text);
    const dueMs = this.#ports.timers.nowMs() + restMs;
    this.#entries.set(address.text, { address, source, tried: true, vouched: false, failures: 0, dueMs });
  }

  /** A dial failed. */
  failed(address: PeerAddress): void {
    const entry = this.#entries.get(address.text);
    if (entry === undefined) return;
    const { limits } = this.#options;
    entry.failures++;
    entry.vouched = false;
    if (entry.failures >= (entry.tried ? limits.triedFailuresMax : limits.newFailuresMax)) {
      this.#entries.delete(address.text);
      return;
    }
    const waitMs = Math.min(limits.backoffMaxMs, limits.backoffMinMs * 2 ** entry.failures);
    entry.dueMs = this.#ports.timers.nowMs() + waitMs * (0.5 + this.#ports.random() / 2);
  }

  /** Forgets every address of a peer: it is banned, or of another chain. */
  forget(peerId: string): void {
    for (const { address } of [...this.#entries.values()])
      if (address.peerId === peerId) this.#entries.delete(address.text);
  }

  /**
   * An address that may be dialled now: as often a tried one as a new one, if there are both. Of new ones
   * what each network has told has the same chance, however much it was.
   */
  pick(accept: (address: PeerAddress) => boolean): PeerAddress | undefined {
    const nowMs = this.#ports.timers.nowMs();
    const due = [...this.#entries.values()].filter((entry) => entry.dueMs <= nowMs && accept(entry.address));
    const wantTried = this.#ports.random() < 0.5;
    const wanted = due.filter((entry) => (entry.tried || entry.vouched) === wantTried);
    const from = this.#ofOneSource(wanted.length > 0 ? wanted : due);
    return from[Math.floor(this.#ports.random() * from.length)]?.address;
  }

  #ofOneSource(entries: readonly Entry[]): readonly Entry[] {
    if (entries.some(({ tried, vouched }) => tried || vouched)) return entries;
    const groups = [...new Set(entries.map(({ source }) => source.group))];
    const group = groups[Math.floor(this.#ports.random() * groups.length)];
    return entries.filter(({ source }) => source.group === group);
  }

  /** Addresses to tell others: only of peers that this node has met, in random order. */
  share(max: number, accept: (address: PeerAddress) => boolean): readonly PeerAddress[] {
    const met = [...this.#entries.values()].filter(
      (entry) => (entry.tried || entry.vouched) && entry.failures === 0 && accept(entry.address),
    );
    for (let last = met.length - 1; last > 0; last--) {
      const other = Math.floor(this.#ports.random() * (last + 1));
      const [a, b] = [met[last], met[other]];
      if (a === undefined || b === undefined) break;
      [met[last], met[other]] = [b, a];
    }
    return met.slice(0, max).map((entry) => entry.address);
  }

  /** What goes to the file. */
  save(): readonly SavedAddress[] {
    return [...this.#entries.values()].map(({ address, source, tried, failures }) => ({
      address: address.text,
      source: source.peerId,
      source_group: source.group,
      tried,
      failures,
    }));
  }

  /** What comes from the file, under the same rules as from a peer; returns how many were taken. */
  restore(saved: readonly unknown[]): number {
    const { newMax, triedMax } = this.#options.limits;
    const before = this.size;
    for (const item of saved.slice(0, newMax + triedMax)) {
      if (!isRecord(item)) continue;
      const { address: text, source, source_group: group, tried, failures } = item;
      const address = typeof text === 'string' ? parseAddress(text) : undefined;
      if (address === undefined || typeof source !== 'string' || typeof group !== 'string') continue;
      if (tried === true) this.good(address);
      else this.add(address, { peerId: source, group });
      const entry = this.#entries.get(address.text);
      if (entry !== undefined && typeof failures === 'number') entry.failures = Math.max(0, failures);
    }
    return this.size - before;
  }

  #acceptable({ peerId, routable }: PeerAddress): boolean {
    return peerId !== this.#options.nodeId && (routable || !this.#options.strict);
  }

  #makeRoom(address: PeerAddress, source: AddressSource): boolean {
    const { newMax, newPerSourceMax, newPerSourceGroupMax } = this.#options.limits;
    const fresh = (of: (entry: Entry) => boolean): number =>
      this.#count((entry) => !entry.tried && of(entry));
    if (fresh((entry) => entry.source.peerId === source.peerId) >= newPerSourceMax) return false;
    if (fresh((entry) => entry.source.group === source.group) >= newPerSourceGroupMax) return false;
    if (!this.#roomInGroup(address, false) && !this.#makeRoomInGroup(address, source)) return false;
    if (fresh(() => true) < newMax) return true;
    const largest = this.#largestSourceGroup(() => true)?.group;
    if (largest === undefined || largest === source.group) return false;
    return this.#evict((entry) => !entry.tried && entry.source.group === largest);
  }

  #makeRoomAmongTried(address: PeerAddress): boolean {
    if (!this.#roomInGroup(address, true)) return false;
    if (this.triedSize < this.#options.limits.triedMax) return true;
    return this.#evict((entry) => entry.tried && entry.failures > 0) || this.#evict((entry) => entry.tried);
  }

  /** A network that is not everybody's is one machine or one site: its nodes are what there is. */
  #roomInGroup(address: PeerAddress, tried: boolean): boolean {
    if (!address.routable) return true;
    const inGroup = this.#count((entry) => entry.tried === tried && entry.address.group === address.group);
    return inGroup < this.#options.limits.perGroupMax;
  }

  /** Who has told most of a network gives way to who has told less, by more than one. */
  #makeRoomInGroup({ group }: PeerAddress, source: AddressSource): boolean {
    const inGroup = (entry: Entry): boolean => !entry.tried && entry.address.group === group;
    const own = this.#count((entry) => inGroup(entry) && entry.source.group === source.group);
    const largest = this.#largestSourceGroup(inGroup);
    if (largest === undefined || largest.count <= own + 1) return false;
    return this.#evict((entry) => inGroup(entry) && entry.source.group === largest.group);
  }

  /** The network that told most of those new addresses. */
  #largestSourceGroup(
    of: (entry: Entry) => boolean,
  ): { readonly group: string; readonly count: number } | undefined {
    const counts = new Map<string, number>();
    let largest: { readonly group: string; readonly count: number } | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.tried || !of(entry)) continue;
      const { group } = entry.source;
      const count = (counts.get(group) ?? 0) + 1;
      counts.set(group, count);
      if (largest === undefined || count > largest.count) largest = { group, count };
    }
    return largest;
  }

  #evict(of: (entry: Entry) => boolean): boolean {
    const candidates = [...this.#entries.values()].filter(of);
    const victim = candidates[Math.floor(this.#ports.random() * candidates.length)];
    if (victim === undefined) return false;
    return this.#entries.delete(victim.address.text);
  }

  #count(of: (entry: Entry) => boolean): number {
    let count = 0;
    for (const entry of this.#entries.values()) if (of(entry)) count++;
    return count;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
