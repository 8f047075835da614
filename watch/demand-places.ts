/**
 * The chain takes so many open requests of one account (`account_requests_max`), whatever they are about. So
 * that nobody who is accused can use up all of them, they are dealt round: the next one is for what has the
 * fewest open, then for a step to a conviction before texts, then for what had its last one longest ago, then
 * for what is due first. The last places are kept for what has none: whoever is accused next gets one without
 * waiting.
 *
 * Who had how many, and when, is on the chain; here is only who wants more.
 */
import type { OwnRequests } from './ports.ts';

/** Places that only an object without an open request gets. */
const SPARE_PLACES = 2;

/** Turns of others after which an object that did not come again is not waited for. */
const STALE_TURNS = 64;

/** An object about which more is to be asked. */
export interface PlaceWish {
  /** A name like "shard 7". */
  readonly object: string;
  /** Block by which it should be convicted. */
  readonly dueHeight: bigint;
  /** Id of the last request that this account made about it; 0 for none. */
  readonly lastRequest: bigint;
  readonly wanted: number;
  /** What is asked for are steps to a conviction: few, and of use. Texts can wait for it. */
  readonly decisive: boolean;
}

/** Where the account's open requests are read. */
export interface PlacesPorts {
  ownRequests(): Promise<OwnRequests>;
}

interface Standing extends PlaceWish {
  readonly turn: number;
}

/** Deals places; one at a time is at it. */
export class DemandPlaces {
  readonly #ports: PlacesPorts;
  readonly #wishes = new Map<string, Standing>();
  #turn = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ports: PlacesPorts) {
    this.#ports = ports;
  }

  /** Makes requests in as many places as this object gets now, perhaps 0. Rejects as `request` does. */
  use(wish: PlaceWish, request: (places: number) => Promise<void>): Promise<void> {
    const used = this.#last.then(() => this.#use(wish, request));
    this.#last = used.catch(() => undefined);
    return used;
  }

  /** The object wants nothing more. */
  leave(object: string): void {
    this.#wishes.delete(object);
  }

  async #use(wish: PlaceWish, request: (places: number) => Promise<void>): Promise<void> {
    this.#turn++;
    this.#wishes.set(wish.object, { ...wish, turn: this.#turn });
    for (const [object, { turn }] of this.#wishes)
      if (turn + STALE_TURNS < this.#turn) this.#wishes.delete(object);
    const places = placesFor(wish, [...this.#wishes.values()], await this.#ports.ownRequests());
    // It has its turn: when it wants more, it comes again.
    if (places > 0) this.#wishes.delete(wish.object);
    await request(places);
  }
}

/** How many of the free places an object gets among those that want some. */
function placesFor(wish: PlaceWish, wishes: readonly PlaceWish[], { open, most }: OwnRequests): number {
  const counts = new Map<string, number>();
  for (const object of open) counts.set(object, (counts.get(object) ?? 0) + 1);
  const countOf = (object: string): number => counts.get(object) ?? 0;
  const others = wishes.filter(({ object }) => object !== wish.object);
  for (let places = 0; ; places++) {
    const mine = countOf(wish.object) + places;
    // What was dealt to it just now is its last.
    const isBefore = (other: PlaceWish): boolean =>
      countOf(other.object) < mine ||
      (countOf(other.object) === mine && (places > 0 || isEarlier(other, wish)));
    const kept = others.filter(isBefore).length + (mine === 0 ? 0 : SPARE_PLACES);
    if (places === wish.wanted || most - open.length - places <= kept) return places;
  }
}

function isEarlier(a: PlaceWish, b: PlaceWish): boolean {
  if (a.decisive !== b.decisive) return a.decisive;
  if (a.lastRequest !== b.lastRequest) return a.lastRequest < b.lastRequest;
  return a.dueHeight < b.dueHeight;
}
