import { describe, expect, it } from 'vitest';
import { defined } from '../core/errors.ts';
import { headerHash } from '../consensus/types/header.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import { timeFromNanos, timeToNanos } from '../consensus/types/time.ts';
import { type LightClient, type LightClientOptions, openLightClient } from './client.ts';
import type { LightProvider } from './provider.ts';
import { providerError } from './provider.ts';
import { memoryDatabase, TrustedStore } from './store.ts';
import {
  CHAIN_ID,
  type Powers,
  SECOND,
  TestClock,
  TestProvider,
  testChain,
  timeAt,
  verify,
} from './testing/chain.ts';

const HOUR = 3600n * SECOND;

/** Each height one validator goes and one comes: nobody of height h is left at h + 4. */
const rolling = (height: bigint): Powers =>
  Object.fromEntries([0n, 1n, 2n, 3n].map((i) => [`v${height + i}`, 10n]));

const block = (chain: readonly LightBlock[], height: number): LightBlock =>
  defined(chain[height - 1], `block ${height}`);

interface Setting {
  readonly primary: LightProvider;
  readonly witnesses: readonly LightProvider[];
  readonly options?: Partial<LightClientOptions>;
  readonly clock?: TestClock;
  readonly store?: TrustedStore;
  readonly root: LightBlock;
}

async function open({ primary, witnesses, options, clock, store, root }: Setting): Promise<LightClient> {
  return openLightClient(
    {
      primary,
      witnesses,
      store: store ?? (await TrustedStore.open(memoryDatabase())),
      clock: clock ?? new TestClock(timeAt(100n)),
      verify,
    },
    {
      chainId: CHAIN_ID,
      trustingPeriodNanos: HOUR,
      trust: { height: root.header.height, hash: headerHash(root.header) },
      ...options,
    },
  );
}

const code = (expected: string): object => expect.objectContaining({ code: expected });

describe('verification', () => {
  it('skips what it need not see while the validators stay', async () => {
    const chain = testChain({ length: 60 });
    const primary = new TestProvider('primary', chain);
    const client = await open({
      primary,
      witnesses: [new TestProvider('witness', chain)],
      root: block(chain, 1),
    });
    expect(await client.lightBlock(50n)).toBe(block(chain, 50));
    expect(primary.asked).toEqual([1n, 50n]);
    expect(client.trustedHeights).toEqual([1n, 50n]);
    expect((await client.latest()).header.height).toBe(60n);
  });

  it('asks for blocks in between when the validators change, and stores only the target', async () => {
    const chain = testChain({ length: 40, validators: rolling });
    const primary = new TestProvider('primary', chain);
    const client = await open({
      primary,
      witnesses: [new TestProvider('witness', chain)],
      root: block(chain, 1),
    });
    await client.lightBlock(40n);
    expect(primary.asked.length).toBeGreaterThan(10);
    expect(client.trustedHeights).toEqual([1n, 40n]);
  });

  it('sequentially looks at every block', async () => {
    const chain = testChain({ length: 20 });
    const primary = new TestProvider('primary', chain);
    const witnesses = [new TestProvider('witness', chain)];
    const client = await open({ primary, witnesses, root: block(chain, 1), options: { mode: 'sequential' } });
    await client.lightBlock(20n);
    expect(new Set(primary.asked).size).toBe(20);
  });

  it('sequentially keeps what is verified every 500 blocks, so that a long way can be gone on with', async () => {
    const chain = testChain({ length: 1101, validators: () => ({ a: 10n }) });
    const primary = new TestProvider('primary', chain).remove(900n);
    const witness = new TestProvider('witness', chain);
    const clock = new TestClock(timeAt(1200n));
    const setting = { primary, witnesses: [witness], clock, root: block(chain, 1) };
    const client = await open({ ...setting, options: { mode: 'sequential' } });
    witness.remove(900n);
    await expect(client.lightBlock(1100n)).rejects.toEqual(code('light.not_found'));
    expect(client.trustedHeights).toEqual([1n, 501n]);
    primary.set(block(chain, 900));
    witness.set(block(chain, 900));
    await client.lightBlock(1100n);
    expect(client.trustedHeights).toEqual([1n, 501n, 1001n, 1100n]);
  });

  it('goes backwards below the first trusted height, by hashes', async () => {
    const chain = testChain({ length: 20 });
    const primary = new TestProvider('primary', chain);
    const client = await open({
      primary,
      witnesses: [new TestProvider('witness', chain)],
      root: block(chain, 15),
    });
    expect(await client.lightBlock(10n)).toBe(block(chain, 10));
    const other = testChain({ length: 20, header: () => ({ appHash: new Uint8Array(32) }) });
    primary.set(block(other, 4));
    await expect(client.lightBlock(4n)).rejects.toEqual(code('light.no_witnesses'));
  });

  it('goes backwards from above when what lies below has expired', async () => {
    const chain = testChain({ length: 60 });
    const primary = new TestProvider('primary', chain);
    const clock = new TestClock(timeAt(60n));
    const setting = {
      primary,
      witnesses: [new TestProvider('witness', chain)],
      clock,
      root: block(chain, 1),
    };
    const client = await open({ ...setting, options: { trustingPeriodNanos: 65n * SECOND } });
    await client.lightBlock(60n);
    await clock.sleep(10_000);
    expect(await client.lightBlock(57n)).toBe(block(chain, 57));
    expect(primary.asked.slice(-3)).toEqual([57n, 59n, 58n]);
  });

  it('trusts nothing that has expired, and says what to do', async () => {
    const chain = testChain({ length: 20 });
    const clock = new TestClock(timeFromNanos(timeToNanos(timeAt(1n)) + HOUR));
    const primary = new TestProvider('primary', chain);
    const client = await open({
      primary,
      witnesses: [new TestProvider('witness', chain)],
      clock,
      root: block(chain, 1),
    });
    await expect(client.lightBlock(5n)).rejects.toThrow('give a newer trusted height and hash');
  });

  it('does not drop providers because our own clock is behind', async () => {
    const chain = testChain({ length: 100 });
    const witnesses = [new TestProvider('witness', chain), new TestProvider('another', chain)];
    const clock = new TestClock(timeAt(20n));
    const client = await open({
      primary: new TestProvider('primary', chain),
      witnesses,
      clock,
      root: block(chain, 1),
    });
    await expect(client.lightBlock(50n)).rejects.toEqual(code('light.from_future'));
    expect(client.witnesses).toEqual(witnesses);
    expect(client.primary.name).toBe('primary');
  });
});

describe('the primary', () => {
  const chain = testChain({ length: 30, validators: rolling });

  it('that is silent changes places with a witness', async () => {
    const primary = new TestProvider('primary', chain);
    const witness = new TestProvider('witness', chain);
    const client = await open({ primary, witnesses: [witness], root: block(chain, 1) });
    primary.failure = providerError('light.no_response', 'timeout', { provider: 'primary' });
    await expect(client.lightBlock(20n)).rejects.toEqual(code('light.no_cross_reference'));
    expect(client.primary).toBe(witness);
    primary.failure = undefined;
    expect(await client.lightBlock(20n)).toBe(block(chain, 20));
  });

  it('that forges a block in between is dropped, and the height verified with another', async () => {
    const forged = testChain({ length: 30, validators: rolling, absent: (h) => [`v${h}`, `v${h + 1n}`] });
    const primary = new TestProvider('primary', chain);
    for (let height = 2; height < 20; height++) primary.set(block(forged, height));
    const witnesses = [new TestProvider('w1', chain), new TestProvider('w2', chain)];
    const client = await open({ primary, witnesses, root: block(chain, 1) });
    expect(await client.lightBlock(20n)).toBe(block(chain, 20));
    expect([client.primary, ...client.witnesses]).not.toContain(primary);
  });

  it('that forges the target is dropped; with one witness left that is an error', async () => {
    const forged = testChain({ length: 30, validators: rolling, absent: (h) => [`v${h}`, `v${h + 1n}`] });
    const make = (): TestProvider => new TestProvider('primary', chain).set(block(forged, 20));
    const two = [new TestProvider('w1', chain), new TestProvider('w2', chain)];
    const client = await open({ primary: make(), witnesses: two, root: block(chain, 1) });
    expect(await client.lightBlock(20n)).toBe(block(chain, 20));
    const lonely = await open({
      primary: make(),
      witnesses: [new TestProvider('w1', chain)],
      root: block(chain, 1),
    });
    await expect(lonely.lightBlock(20n)).rejects.toEqual(code('light.no_witnesses'));
  });

  it('that lacks a block in between is replaced', async () => {
    const primary = new TestProvider('primary', chain).remove(
      ...Array.from({ length: 17 }, (_, i) => BigInt(i + 2)),
    );
    const client = await open({
      primary,
      witnesses: [new TestProvider('witness', chain)],
      root: block(chain, 1),
    });
    // The primary is now a witness that has the target.
    expect(await client.lightBlock(20n)).toBe(block(chain, 20));
    expect(client.primary.name).toBe('witness');
  });

  it('that contradicts what is trusted is dropped', async () => {
    const primary = new TestProvider('primary', chain);
    const witnesses = [new TestProvider('w1', chain), new TestProvider('w2', chain)];
    const client = await open({ primary, witnesses, root: block(chain, 30) });
    primary.set(block(testChain({ length: 30, header: () => ({ appHash: new Uint8Array(32) }) }), 30));
    expect(await client.latest()).toEqual(block(chain, 30));
    expect(client.primary).not.toBe(primary);
  });

  it('that answers nothing ends in an error after one attempt each', async () => {
    const failure = providerError('light.no_response', 'timeout', { provider: 'x' });
    const all = ['primary', 'w1', 'w2'].map((name) => new TestProvider(name, chain));
    const [primary, ...witnesses] = all;
    const client = await open({ primary: defined(primary, 'primary'), witnesses, root: block(chain, 1) });
    for (const each of all) each.failure = failure;
    const before = all.reduce((sum, each) => sum + each.asked.length, 0);
    await expect(client.lightBlock(20n)).rejects.toEqual(code('light.no_response'));
    expect(all.reduce((sum, each) => sum + each.asked.length, 0) - before).toBe(3);
  });
});

describe('witnesses', () => {
  const chain = testChain({ length: 30 });
  const primary = (): TestProvider => new TestProvider('primary', chain);

  it('are needed', async () => {
    await expect(open({ primary: primary(), witnesses: [], root: block(chain, 1) })).rejects.toEqual(
      code('light.no_witnesses'),
    );
  });

  it('that contradict the trusted block keep the client from starting', async () => {
    const other = testChain({ length: 30, header: () => ({ appHash: new Uint8Array(32) }) });
    const witnesses = [new TestProvider('w', other)];
    await expect(open({ primary: primary(), witnesses, root: block(chain, 3) })).rejects.toThrow(
      'w has another block of the trusted height 3',
    );
  });

  it('that are behind are given time to catch up, so much and no more', async () => {
    const clock = new TestClock(timeAt(100n));
    const late = new TestProvider('late', chain.slice(0, 10));
    const client = await open({ primary: primary(), witnesses: [late], clock, root: block(chain, 1) });
    await expect(client.lightBlock(20n)).rejects.toEqual(code('light.no_cross_reference'));
    expect(clock.slept).toEqual(Array.from({ length: 30 }, () => 1_000));
    expect(late.asked.length).toBe(2 + 31); // trusted, target; latest, before each second and after the last
    clock.slept.length = 0;
    clock.onSleep = () => void late.set(block(chain, 20));
    expect(await client.lightBlock(20n)).toBe(block(chain, 20));
    expect(clock.slept).toEqual([1_000]);
  });

  it('that always stand one block above or below do not keep the client running', async () => {
    const witness = new TestProvider('w', chain);
    const client = await open({ primary: primary(), witnesses: [witness], root: block(chain, 1) });
    let asked = 0;
    witness.lightBlock = (height) => {
      asked++;
      if (height === undefined) return Promise.resolve(block(chain, asked % 2 === 0 ? 19 : 21));
      return Promise.reject(providerError('light.height_too_high', 'not yet', { provider: 'w', height }));
    };
    await expect(client.lightBlock(20n)).rejects.toEqual(code('light.no_cross_reference'));
    expect(asked).toBeLessThan(5);
  });

  it('that claim a block which they cannot prove are dropped', async () => {
    const forged = testChain({
      length: 30,
      absent: () => ['a', 'b'],
      header: () => ({ appHash: new Uint8Array(32) }),
    });
    const liar = new TestProvider('liar', chain).set(block(forged, 20));
    const honest = new TestProvider('honest', chain);
    const client = await open({ primary: primary(), witnesses: [liar, honest], root: block(chain, 1) });
    expect(await client.lightBlock(20n)).toBe(block(chain, 20));
    expect(client.witnesses).toEqual([honest]);
  });

  it('with other proposer priorities stop the client: the hash does not cover them (GHSA-g5xx-c4hv-9ccc)', async () => {
    const honest = block(chain, 20);
    const [first, second, ...others] = honest.validators.validators;
    const changed = [
      { ...defined(first, 'first'), proposerPriority: 7n },
      { ...defined(second, 'second'), proposerPriority: -7n },
      ...others,
    ];
    const liar = primary().set({ ...honest, validators: { ...honest.validators, validators: changed } });
    const client = await open({ primary: liar, witnesses: [primary()], root: block(chain, 1) });
    await expect(client.lightBlock(20n)).rejects.toEqual(code('light.priorities'));
    expect(client.trustedHeights).toEqual([1n]);
  });
});

describe('what is stored', () => {
  const chain = testChain({ length: 40 });
  const providers = (): { primary: TestProvider; witnesses: TestProvider[] } => ({
    primary: new TestProvider('primary', chain),
    witnesses: [new TestProvider('witness', chain)],
  });

  it('is found again, without a trusted block being given', async () => {
    const database = memoryDatabase();
    const first = await open({
      ...providers(),
      store: await TrustedStore.open(database),
      root: block(chain, 1),
    });
    await first.lightBlock(20n);
    const { primary, witnesses } = providers();
    const again = await open({
      ...{ primary, witnesses, root: block(chain, 1), options: { trust: undefined } },
      store: await TrustedStore.open(database),
    });
    expect(await again.lightBlock(20n)).toEqual(block(chain, 20));
    expect(primary.asked).toEqual([]);
  });

  it('is bounded: the lowest heights go', async () => {
    const client = await open({ ...providers(), root: block(chain, 1), options: { keep: 5 } });
    for (let height = 2n; height <= 12n; height++) await client.lightBlock(height);
    expect(client.trustedHeights).toEqual([8n, 9n, 10n, 11n, 12n]);
  });

  it('that contradicts what the user trusts goes, when she says so', async () => {
    const other = testChain({ length: 40, header: () => ({ appHash: new Uint8Array(32) }) });
    const store = await TrustedStore.open(memoryDatabase());
    await open({
      ...{ primary: new TestProvider('p', other), witnesses: [new TestProvider('w', other)] },
      ...{ store, root: block(other, 7) },
    });
    const setting = { ...providers(), store, root: block(chain, 7) };
    await expect(open({ ...setting, options: { confirm: () => false } })).rejects.toEqual(
      code('light.conflict'),
    );
    const client = await open(setting);
    expect(await client.trusted()).toEqual(block(chain, 7));
  });

  it('above the trusted height stays when it agrees with it', async () => {
    const store = await TrustedStore.open(memoryDatabase());
    const first = await open({ ...providers(), store, root: block(chain, 10) });
    await first.lightBlock(30n);
    const client = await open({ ...providers(), store, root: block(chain, 5) });
    expect(client.trustedHeights).toEqual([5n, 10n, 30n]);
  });

  it('must be there or be given', async () => {
    await expect(
      open({ ...providers(), root: block(chain, 1), options: { trust: undefined } }),
    ).rejects.toEqual(code('light.untrusted'));
  });
});

describe('options', () => {
  const chain = testChain({ length: 3 });
  const base = {
    primary: new TestProvider('p', chain),
    witnesses: [new TestProvider('w', chain)],
    root: block(chain, 1),
  };
  it.each([
    ['a trust level below 1/3', { trustLevel: { numerator: 1n, denominator: 4n } }, 'light.trust_level'],
    ['a trust level above 1', { trustLevel: { numerator: 4n, denominator: 3n } }, 'light.trust_level'],
    ['no trusting period', { trustingPeriodNanos: 0n }, 'light.options'],
    ['another chain', { chainId: 'other' }, 'light.options'],
    ['a short hash', { trust: { height: 1n, hash: new Uint8Array(20) } }, 'light.options'],
    ['the wrong hash', { trust: { height: 1n, hash: new Uint8Array(32) } }, 'light.wrong_hash'],
  ])('with %s are refused', async (_, options, expected) => {
    await expect(open({ ...base, options })).rejects.toEqual(code(expected));
  });
});
