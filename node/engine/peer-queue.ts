/**
 * A bounded queue of what peers sent. Each peer has a lane of its own with its own share of messages and
 * bytes; lanes are served in turn, so neither the room nor the order of service can be taken by one peer.
 * What is beyond a bound is dropped and counted: peers send again.
 */

/** How much may wait, from all peers together and from each. */
export interface QueueLimits {
  readonly count: number;
  readonly bytes: number;
  readonly peerCount: number;
  readonly peerBytes: number;
}

/** An entry, who sent it, and how many bytes it is counted as. */
export interface Sent<T> {
  readonly peer: string;
  readonly entry: T;
  readonly bytes: number;
}

/** First in, first out for each peer. */
class Lane<T> {
  readonly peer: string;
  #entries: Sent<T>[] = [];
  #head = 0;
  bytes = 0;

  constructor(peer: string) {
    this.peer = peer;
  }

  get count(): number {
    return this.#entries.length - this.#head;
  }

  push(sent: Sent<T>): void {
    this.#entries.push(sent);
    this.bytes += sent.bytes;
  }

  shift(): Sent<T> | undefined {
    const sent = this.#entries[this.#head];
    if (sent === undefined) return undefined;
    this.#head++;
    this.bytes -= sent.bytes;
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return sent;
  }

  /** Takes the newest entry out. */
  pop(): Sent<T> | undefined {
    if (this.count === 0) return undefined;
    const sent = this.#entries.pop();
    this.bytes -= sent?.bytes ?? 0;
    return sent;
  }

  entries(): readonly Sent<T>[] {
    return this.#entries.slice(this.#head);
  }
}

/** See the file comment. */
export class PeerQueue<T> {
  readonly #limits: QueueLimits;
  /** Lanes that hold something, the one to be served next first. */
  readonly #lanes = new Map<string, Lane<T>>();
  #count = 0;
  #bytes = 0;
  #dropped = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes an entry; false when it was dropped. When everything is full, the newest entries of the peer that
   * holds most make room for a peer that holds less.
   */
  push(sent: Sent<T>): boolean {
    const lane = this.#lanes.get(sent.peer);
    const { peerCount, peerBytes } = this.#limits;
    const isOver = (lane?.count ?? 0) >= peerCount || (lane?.bytes ?? 0) + sent.bytes > peerBytes;
    if (isOver || !this.#makeRoom(sent, lane)) {
      this.#dropped++;
      return false;
    }
    const own = lane ?? new Lane<T>(sent.peer);
    own.push(sent);
    this.#lanes.set(sent.peer, own);
    this.#count++;
    this.#bytes += sent.bytes;
    return true;
  }

  /** The oldest entry of the peer whose turn it is. */
  shift(): Sent<T> | undefined {
    for (const [peer, lane] of this.#lanes) {
      this.#lanes.delete(peer);
      const sent = lane.shift();
      if (lane.count > 0) this.#lanes.set(peer, lane);
      if (sent === undefined) continue;
      this.#forget(sent);
      return sent;
    }
    return undefined;
  }

  /** Forgets what a peer sent. */
  remove(peer: string): void {
    const lane = this.#lanes.get(peer);
    if (lane === undefined) return;
    this.#lanes.delete(peer);
    this.#count -= lane.count;
    this.#bytes -= lane.bytes;
  }

  /** What waits, peer after peer; it stays. */
  entries(): readonly Sent<T>[] {
    return [...this.#lanes.values()].flatMap((lane) => lane.entries());
  }

  /** Takes all entries out, in turn. */
  drain(): readonly Sent<T>[] {
    const all: Sent<T>[] = [];
    for (let sent = this.shift(); sent !== undefined; sent = this.shift()) all.push(sent);
    return all;
  }

  #makeRoom(sent: Sent<T>, lane: Lane<T> | undefined): boolean {
    const { count, bytes } = this.#limits;
    for (;;) {
      const isFull = this.#count >= count;
      if (!isFull && this.#bytes + sent.bytes <= bytes) return true;
      const size = (of: Lane<T>): number => (isFull ? of.count : of.bytes);
      const own = (lane === undefined ? 0 : size(lane)) + (isFull ? 1 : sent.bytes);
      const greediest = this.#greediest(size);
      if (greediest === undefined || size(greediest) <= own) return false;
      this.#dropNewestOf(greediest);
    }
  }

  #greediest(size: (lane: Lane<T>) => number): Lane<T> | undefined {
    let greediest: Lane<T> | undefined;
    for (const lane of this.#lanes.values())
      if (greediest === undefined || size(lane) > size(greediest)) greediest = lane;
    return greediest;
  }

  #dropNewestOf(lane: Lane<T>): void {
    const sent = lane.pop();
    if (lane.count === 0) this.#lanes.delete(lane.peer);
    if (sent === undefined) return;
    this.#forget(sent);
    this.#dropped++;
  }

  #forget(sent: Sent<T>): void {
    this.#count--;
    this.#bytes -= sent.bytes;
  }
}
