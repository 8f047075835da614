/**
 * The network between the machines: the one in memory, with faults. Channels keep their promise (no loss, in
 * order, while connected) unless a fault breaks it; a pair whose promise was broken is disconnected at the
 * heal, as TCP would have done.
 */
import type { VoteType } from '../../consensus/types/vote.ts';
import { decodeVoteMessage } from '../../node/gossip/messages.ts';
import { DATA_CHANNEL, VOTES_CHANNEL } from '../../p2p/channels.ts';
import { MemoryHub } from '../../p2p/memory.ts';
import type { MessageOnTheWay } from '../../p2p/memory-session.ts';
import type { Network, NetworkOptions } from '../../p2p/network.ts';
import type { Owner, Scheduler } from './scheduler.ts';

/** How bad the wires are. */
export interface Weather {
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  /** Of a hundred messages on a channel. */
  readonly lostPercent: number;
  readonly doubledPercent: number;
  readonly overtakenPercent: number;
}

/** Wires that do what they should. */
export const FAIR_WEATHER: Weather = {
  latencyMinMs: 1,
  latencyMaxMs: 15,
  lostPercent: 0,
  doubledPercent: 0,
  overtakenPercent: 0,
};

/** Votes of one validator that do not get to some, whoever sends them; and one who is given no proposals. */
export interface TornRound {
  readonly type: VoteType;
  readonly validatorIndex: number;
  readonly votesLostTo: ReadonlySet<string>;
  readonly proposalsLostTo: string;
}

/** Who is wired to whom. */
export interface WiringPlan {
  /** Whom a machine keeps connections to. */
  readonly peersOf: (name: string) => readonly string[];
  /** Where a machine is met; it ends in its name. Default: `/memory/<name>`. */
  readonly addressOf?: (name: string) => string;
  /** Where nobody is, and nobody says so: a dial takes the longest. */
  readonly isNobody?: (name: string) => boolean;
}

/** One way to nobody. */
const NOBODY_MS = 400;

const IN_TURN: readonly number[] = [0];
const LOST: readonly number[] = [];

/** See the file comment. */
export class Wires {
  readonly hub: MemoryHub;
  weather: Weather = FAIR_WEATHER;
  messages = 0;
  bytes = 0;
  readonly #scheduler: Scheduler;
  readonly #owners: Map<string, Owner> = new Map();
  readonly #plan: WiringPlan;
  /** One way, until that moment. */
  readonly #blocked: Map<string, number> = new Map();
  readonly #broken: Set<string> = new Set();
  readonly #tears: Set<TornRound> = new Set();

  constructor(scheduler: Scheduler, plan: WiringPlan) {
    this.#scheduler = scheduler;
    this.#plan = plan;
    const { addressOf } = plan;
    this.hub = new MemoryHub({
      timers: scheduler.timersOf(scheduler.world),
      random: () => scheduler.random.below(1_000) / 1_000,
      latencyMs: (from, to) => this.#latencyMs(from, to),
      ...(addressOf === undefined ? {} : { addressOf }),
      timersOf: (name) => scheduler.timersOf(this.#owners.get(name) ?? scheduler.world),
      fate: (message) => {
        this.messages++;
        this.bytes += message.bytes.length;
        return this.#fate(message);
      },
    });
  }

  connect(name: string, options: NetworkOptions, owner: Owner): Network {
    this.#owners.set(name, owner);
    const persistentPeers = this.#plan.peersOf(name).map((peer) => this.hub.addressOf(peer));
    return this.hub.createNetwork(name, { ...options, persistentPeers });
  }

  /** What is sent that way arrives only after the time. */
  block(from: string, to: string, forMs: number): void {
    this.#blocked.set(`${from} ${to}`, this.#scheduler.nowMs + forMs);
  }

  /** Such messages are lost until the function that is returned is called. */
  tear(torn: TornRound): () => void {
    this.#tears.add(torn);
    return () => {
      if (!this.#tears.delete(torn)) return;
      // What was lost is sent again on new connections.
      for (const pair of [...this.#broken]) {
        if (pair.split(' ').some((name) => name === torn.proposalsLostTo || torn.votesLostTo.has(name)))
          this.#mend(pair);
      }
    };
  }

  /** The connection breaks; it may be made anew at once. */
  disconnect(a: string, b: string): void {
    this.hub.cut(a, b);
    this.hub.heal(a, b);
  }

  /** Fair weather, and connections whose promise was broken are made anew. */
  heal(): void {
    this.weather = FAIR_WEATHER;
    for (const [pair, untilMs] of this.#blocked) if (untilMs > this.#scheduler.nowMs) this.#broken.add(pair);
    this.#blocked.clear();
    this.#tears.clear();
    for (const pair of [...this.#broken]) this.#mend(pair);
  }

  #mend(pair: string): void {
    this.#broken.delete(pair);
    const [a = '', b = ''] = pair.split(' ');
    this.disconnect(a, b);
  }

  #latencyMs(from: string, to: string): number {
    if (this.#plan.isNobody?.(to) === true) return NOBODY_MS;
    const { latencyMinMs, latencyMaxMs } = this.weather;
    const span = latencyMaxMs - latencyMinMs;
    const latencyMs = latencyMinMs + (span * this.#scheduler.random.below(1_000)) / 1_000;
    const untilMs = this.#blocked.get(`${from} ${to}`) ?? 0;
    return latencyMs + Math.max(0, untilMs - this.#scheduler.nowMs);
  }

  #fate(message: MessageOnTheWay): readonly number[] {
    const { from, to } = message;
    if (this.#isTornOff(message)) return this.#lose(from, to);
    const { lostPercent, doubledPercent, overtakenPercent, latencyMaxMs } = this.weather;
    if (lostPercent + doubledPercent + overtakenPercent === 0) return IN_TURN;
    const { random } = this.#scheduler;
    const dice = random.below(100);
    if (dice < lostPercent) return this.#lose(from, to);
    if (dice < lostPercent + doubledPercent) return [0, random.below(2 * latencyMaxMs)];
    if (dice < lostPercent + doubledPercent + overtakenPercent) return [random.below(4 * latencyMaxMs)];
    return IN_TURN;
  }

  #isTornOff({ to, channel, bytes }: MessageOnTheWay): boolean {
    if (this.#tears.size === 0) return false;
    const tears = [...this.#tears];
    if (channel === DATA_CHANNEL.name) return tears.some(({ proposalsLostTo }) => proposalsLostTo === to);
    const losses = tears.filter(({ votesLostTo }) => votesLostTo.has(to));
    if (channel !== VOTES_CHANNEL.name || losses.length === 0) return false;
    const message = decodeVoteMessage(bytes);
    if (message.kind !== 'vote') return false;
    const { type, validatorIndex } = message.vote;
    return losses.some((loss) => loss.type === type && loss.validatorIndex === validatorIndex);
  }

  #lose(from: string, to: string): readonly number[] {
    this.#broken.add(from < to ? `${from} ${to}` : `${to} ${from}`);
    return LOST;
  }
}
