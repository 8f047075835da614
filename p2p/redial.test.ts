import { describe, expect, it } from 'vitest';
import { silentLogger } from './network.ts';
import { Redialer } from './redial.ts';
import { VirtualTimers } from './timers.ts';

const LIMITS = { redialMinMs: 200, redialMaxMs: 10_000 };
const PEERS = ['a', 'b', 'c'];
const CUT_MS = 25_000;

/** Three persistent peers behind one wire; who answers a dial is connected. */
class World {
  readonly timers = new VirtualTimers();
  readonly connected = new Set<string>();
  readonly dialsMs: Map<string, number[]> = new Map();
  readonly redialer: Redialer;
  reachable = new Set<string>();

  constructor(random: () => number = () => 0.99) {
    this.redialer = new Redialer({
      limits: LIMITS,
      timers: this.timers,
      log: silentLogger,
      random,
      dial: async (peer) => {
        this.dialsMs.set(peer, [...(this.dialsMs.get(peer) ?? []), this.timers.nowMs()]);
        if (!this.reachable.has(peer)) throw new Error('refused');
        this.session(peer);
      },
      isConnected: (peer) => this.connected.has(peer),
    });
    for (const peer of PEERS) this.redialer.add(peer, peer);
    this.redialer.start();
  }

  session(peer: string): void {
    this.connected.add(peer);
    this.redialer.connected(peer);
  }
}

describe('redialling persistent peers', () => {
  it('reaches all of them within two seconds of the first that is back, however long they were lost', async () => {
    const world = new World();
    await world.timers.advance(CUT_MS);
    world.reachable = new Set(PEERS);
    // One of them dials us; our own next attempts are up to ten seconds away.
    world.session('b');
    await world.timers.advance(2_001);
    expect([...world.connected].sort()).toEqual(PEERS);
  });

  it('lets each wait for its backoff while nobody is back', async () => {
    const world = new World();
    await world.timers.advance(CUT_MS);
    const waits = (world.dialsMs.get('a') ?? []).map((ms, i, all) => ms - (all[i - 1] ?? 0));
    expect(Math.max(...waits)).toBeGreaterThan(5_000);
    expect(waits.length).toBeLessThan(12);
  });

  it('does not dial the lost more than once a second because another comes and goes', async () => {
    const world = new World(() => 0);
    await world.timers.advance(CUT_MS);
    const before = world.dialsMs.get('c')?.length ?? 0;
    world.reachable = new Set(['a']);
    for (let i = 0; i < 100; i++) {
      world.connected.delete('a');
      world.redialer.disconnected('a');
      world.session('a');
      await world.timers.advance(100);
    }
    expect((world.dialsMs.get('c')?.length ?? 0) - before).toBeLessThanOrEqual(11);
  });

  it('begins with a short wait again when a peer that came by itself is lost', async () => {
    const world = new World();
    await world.timers.advance(CUT_MS);
    world.session('a');
    const dials = world.dialsMs.get('a')?.length ?? 0;
    world.connected.delete('a');
    world.redialer.disconnected('a');
    await world.timers.advance(LIMITS.redialMinMs);
    expect(world.dialsMs.get('a')).toHaveLength(dials + 1);
  });
});
