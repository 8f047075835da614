/**
 * Where everybody is: each node has a peer id as on the real network, and one public address. Some share a
 * network (of IPv4: /16), as nodes in one data centre do.
 */
import type { SeededRandom } from '../../../consensus/simulation/random.ts';
import { type PeerAddress, makeAddress } from '../../../p2p/address.ts';
import { strangerId } from '../../../p2p/testing.ts';

const PORT = 26_656;
/** First part of hosts, of which all are public. */
const HOSTS_FROM = 20;
const HOSTS_COUNT = 80;
/** Ids of nobody begin here. */
const NOBODY = 1_000_000;
const IDS_SHOWN = /12D3KooW[1-9A-HJ-NP-Za-km-z]{44}/g;

/** See the file comment. */
export class World {
  readonly #addresses: Map<string, PeerAddress> = new Map();
  readonly #names: Map<string, string> = new Map();
  readonly #random: SeededRandom;
  #invented = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Gives somebody an id and an address, in that network or in one of its own; returns the id. */
  settle(name: string, group?: string): string {
    const id = strangerId(this.#addresses.size);
    const network = group ?? this.newGroup();
    const host = `${network}.${this.#addresses.size}.1`;
    this.#addresses.set(id, addressAt(host, id));
    this.#names.set(id, name);
    return id;
  }

  /** A network that nobody is in, but by chance. */
  newGroup(): string {
    return `${HOSTS_FROM + this.#random.below(HOSTS_COUNT)}.${this.#random.below(256)}`;
  }

  /** Where that id is; undefined for nobody's. */
  find(id: string): PeerAddress | undefined {
    return this.#addresses.get(id);
  }

  addressOf(id: string): string {
    return this.#addresses.get(id)?.text ?? `/memory/${id}`;
  }

  /** A public address at which nobody is. */
  invent(group: string): PeerAddress {
    this.#invented++;
    const host = `${group}.${200 + (this.#invented % 50)}.${this.#invented % 250}`;
    return addressAt(host, inventedId(this.#invented % INVENTED_IDS));
  }

  /** The address of one with the id of another. */
  mixed(where: PeerAddress, id: string): PeerAddress {
    return addressAt(where.host, id);
  }

  /** Names in place of ids. */
  readonly shown = (line: string): string =>
    line.replace(IDS_SHOWN, (id) => this.#names.get(id) ?? `?${id.slice(-4)}`);
}

/** Ids cost a hash and base 58: they are made once. */
const INVENTED_IDS = 3_000;
const inventedIds: string[] = [];

function inventedId(index: number): string {
  const id = inventedIds[index] ?? strangerId(NOBODY + index);
  inventedIds[index] = id;
  return id;
}

function addressAt(host: string, peerId: string): PeerAddress {
  const address = makeAddress({ host, port: PORT, peerId });
  if (address === undefined) throw new RangeError(`no address: ${host} ${peerId}`);
  return address;
}
