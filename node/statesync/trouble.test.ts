/** Whatever goes wrong in a state sync, a person is told the step, the peers, and what to do or what is next. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { utf8 } from '../../core/bytes.ts';
import { AssertionError, LedgerError } from '../../core/errors.ts';
import type { Network } from '../../p2p/network.ts';
import {
  ResponseApplySnapshotChunk_Result as ApplyResult,
  ResponseOfferSnapshot_Result as OfferResult,
} from '../../proto/gen/tendermint/abci/types.ts';
import {
  chunksOf,
  type Joiner,
  JoinWorld,
  missing,
  mute,
  snapshotOf,
  TestSource,
  TestTarget,
  trustedChain,
  wrong,
} from './testing.ts';
import type { Step } from './trouble.ts';

let joins: JoinWorld;
beforeEach(() => {
  joins = new JoinWorld();
});
afterEach(() => joins.world.close());

const SNAPSHOT = snapshotOf(20n, chunksOf(20n));
const serving = (): Promise<Network> => joins.honest(new TestSource([20n]));

interface Told {
  readonly step: Step;
  readonly peers: readonly (Network | string)[];
  readonly next: RegExp;
}

/** What the operating system says. */
const noSpace = (): Error =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
const REPAIR = /^free or repair the disk and start the node again/;

const nameOf = (peer: Network | string): string => (typeof peer === 'string' ? peer : peer.nodeId);

/** That a line of the log came, with step, peers and what is next. */
async function expectLine(joiner: Joiner, message: string, { step, peers, next }: Told): Promise<void> {
  const found = (): boolean => joiner.lines.some((line) => line.includes(message));
  await joins.world.until(message, found);
  const { fields } = joiner.log.find((entry) => entry.message.includes(message)) ?? { fields: {} };
  expect(fields).toMatchObject({ step, next: expect.stringMatching(next) });
  for (const peer of peers) expect(fields).toMatchObject({ peers: expect.stringContaining(nameOf(peer)) });
}

/** That it ended with a sentence of step, peers and what is next, in this order. */
async function expectEnd(joiner: Joiner, code: string, { step, peers, next }: Told): Promise<void> {
  const error = await joins.endOf(joiner);
  if (!(error instanceof LedgerError)) throw new Error('the state was restored');
  expect(error.code).toBe(code);
  const [, named = '', after = ''] =
    new RegExp(`^state sync, step ${step}: .+ \\(([^()]*)\\): (.+)$`).exec(error.message) ?? [];
  expect(after, error.message).toMatch(next);
  for (const peer of peers) expect(named, error.message).toContain(nameOf(peer));
}

/** An application that answers offers and chunks with these results. */
class Answering extends TestTarget {
  readonly #offer: number;
  readonly #chunk: number;

  constructor(results: { readonly offer?: number; readonly chunk?: number }) {
    super();
    this.#offer = results.offer ?? OfferResult.ACCEPT;
    this.#chunk = results.chunk ?? ApplyResult.ACCEPT;
  }

  override offerSnapshot(): ReturnType<TestTarget['offerSnapshot']> {
    return Promise.resolve({ result: this.#offer });
  }

  override applySnapshotChunk(): ReturnType<TestTarget['applySnapshotChunk']> {
    return Promise.resolve({ result: this.#chunk, refetchChunks: [], rejectSenders: [] });
  }
}

describe('the log, when the node goes on', () => {
  test('no peer is connected', async () => {
    const joiner = await joins.joinBy([]);
    const told = { step: 'discover', peers: ['no peer'], next: /asked again in 500 ms/ } as const;
    await expectLine(joiner, 'no peer is connected; check p2p.persistent_peers and p2p.seeds', told);
  });

  test('no peer has a snapshot', async () => {
    const peers = [await joins.honest(new TestSource()), await joins.honest(new TestSource())];
    const joiner = await joins.joinBy(peers);
    const told = { step: 'discover', peers, next: /asked again in 500 ms/ } as const;
    await expectLine(joiner, 'peers make some with state-sync.snapshot-interval', told);
  });

  test('a peer does not say which it has', async () => {
    const peer = await joins.liar([{ ...SNAPSHOT, chunks: 0 }], missing);
    const told = { step: 'discover', peers: [peer], next: /other peers are asked/ } as const;
    await expectLine(await joins.joinBy([peer]), 'does not say which snapshots it has', told);
  });

  test('the servers do not give the headers', async () => {
    const joiner = await joins.joinBy([await serving()], { chain: trustedChain(20) });
    const told = { step: 'verify', peers: ['trusted'], next: /servers are asked again, .*; see that they/ };
    await expectLine(joiner, 'the headers after a snapshot are not there yet', { ...told, step: 'verify' });
    await expectLine(joiner, 'check statesync.rpc_servers', { ...told, step: 'verify' });
  });

  test('nobody has its block', async () => {
    joins.blocks.pruned.add(20n);
    const peer = await serving();
    const told = { step: 'block', peers: [peer], next: /another snapshot is tried/ } as const;
    await expectLine(await joins.joinBy([peer]), 'no connected peer has the block of a snapshot', told);
  });

  test.each([
    ['a snapshot', OfferResult.REJECT, /another snapshot is tried/],
    ['its format', OfferResult.REJECT_FORMAT, /release of these peers may know more formats/],
    ['who offers it', OfferResult.REJECT_SENDER, /they are banned, another snapshot/],
  ])('the application refuses %s, and with it all there is', async (_what, offer, next) => {
    const peers = [await serving(), await serving()];
    const joiner = await joins.joinBy(peers, { target: new Answering({ offer }) });
    await expectLine(joiner, 'the application refuses a snapshot', { step: 'offer', peers, next });
    const named = offer === OfferResult.REJECT_SENDER ? [] : peers;
    await expectLine(joiner, 'no peer', { step: 'discover', peers: named, next: /asked again/ });
  });

  test.each([
    ['never comes', mute],
    ['is there no more', missing],
  ])('a chunk %s', async (_what, chunk) => {
    const peers = [await joins.liar([SNAPSHOT], chunk), await joins.liar([SNAPSHOT], chunk)];
    const joiner = await joins.joinBy(peers);
    const told = { step: 'fetch', peers, next: /another snapshot is tried.*connect to more peers/ } as const;
    await expectLine(joiner, 'state sync: another snapshot is tried', told);
    const message = chunk === mute ? 'no chunk from a peer' : 'does not have a chunk';
    const lines = joiner.log.filter((entry) => entry.message.includes(message));
    const next = expect.stringMatching(/others are|another peer/);
    for (const { nodeId } of peers)
      expect(lines.map(({ fields }) => fields)).toContainEqual(
        expect.objectContaining({ step: 'fetch', peers: nodeId, next }),
      );
  });

  test('a chunk has a wrong hash', async () => {
    const peer = await joins.liar([SNAPSHOT], wrong);
    const told = { step: 'apply', peers: [peer], next: /banned; .* fetched anew from others/ } as const;
    await expectLine(await joins.joinBy([peer]), 'a peer sent a wrong chunk', told);
  });

  test('the chunks make another state', async () => {
    const peers = [await joins.honest(new TestSource([20n, 'forged']))];
    const told = { step: 'apply', peers, next: /they are banned, another snapshot is tried/ } as const;
    await expectLine(await joins.joinBy(peers), 'a snapshot is refused; another one is tried', told);
  });

  test('chunks are refused over and over', async () => {
    const peers = [await serving()];
    const target = new Answering({ chunk: ApplyResult.RETRY });
    const told = { step: 'apply', peers, next: /another snapshot is tried/ } as const;
    await expectLine(await joins.joinBy(peers, { target }), 'a snapshot is refused; another', told);
  });

  test('a snapshot is to be begun anew over and over', async () => {
    const peers = [await serving()];
    const joiner = await joins.joinBy(peers, {
      target: new Answering({ chunk: ApplyResult.RETRY_SNAPSHOT }),
    });
    const told = { step: 'apply', peers, next: /another snapshot is tried, this one again later/ } as const;
    await expectLine(joiner, 'begun anew over and over; another one is tried', told);
  });
});

describe('the sentence, when it ends', () => {
  test.each([
    ['light.expired', /take a newer statesync.trust_height/],
    ['light.from_future', /^set this machine's clock, then start again$/],
    ['light.priorities', /put others into statesync.rpc_servers/],
    ['light.attack', /find out which chain is right/],
  ])('the light client refuses a header: %s', async (code, next) => {
    const chain = trustedChain(30);
    chain.provider.failure = new LedgerError(code, 'it cannot be right');
    const joiner = await joins.joinBy([await serving()], { chain });
    await expectEnd(joiner, code, { step: 'verify', peers: ['trusted'], next });
  });

  test('the parameters are not those of the header', async () => {
    const { provider, ...chain } = trustedChain(30);
    const params = await chain.consensusParams(1n);
    const consensusParams = (): Promise<typeof params> =>
      Promise.resolve({ ...params, block: { ...params.block, maxGas: 7n } });
    const joiner = await joins.joinBy([await serving()], { chain: { ...chain, consensusParams } });
    const told = { step: 'verify', peers: [provider.name], next: /put others into/ } as const;
    await expectEnd(joiner, 'statesync.params', told);
  });

  test.each([
    ['an offer', 'offer', { offer: OfferResult.ABORT }],
    ['a chunk', 'apply', { chunk: ApplyResult.ABORT }],
  ] as const)('the application gives up at %s', async (_what, step, results) => {
    const peer = await serving();
    const joiner = await joins.joinBy([peer], { target: new Answering(results) });
    const told = { step, peers: [peer], next: /needs an empty state; delete everything in the data/ };
    await expectEnd(joiner, 'statesync.aborted', told);
  });

  test('the application fails in the middle: the next start goes on', async () => {
    const peer = await serving();
    const target = new TestTarget();
    target.crashBefore = 3;
    const joiner = await joins.joinBy([peer], { target });
    const told = { step: 'apply', peers: [peer], next: /start the node again, it goes on with/ } as const;
    await expectEnd(joiner, 'test.crash', told);
    await joiner.network.stop();
    const second = await joins.joinBy([peer]);
    await joins.world.until('it goes on', () =>
      second.lines.some((line) => line.includes('goes on with the snapshot')),
    );
    expect(await joins.endOf(second)).not.toBeInstanceOf(LedgerError);
  });

  test.each([
    ['plan', 'block', 'no peer is concerned'],
    ['block', 'block', 'no peer is concerned'],
    ['chunk-3', 'fetch', undefined],
  ] as const)('the disk has no room for %s; the next start goes on', async (file, step, concerned) => {
    const peer = await serving();
    const write = joins.files.write.bind(joins.files);
    joins.files.write = (name, bytes) => (name === file ? Promise.reject(noSpace()) : write(name, bytes));
    const joiner = await joins.joinBy([peer]);
    await expectEnd(joiner, 'statesync.disk', { step, peers: [concerned ?? peer], next: REPAIR });
    await joiner.network.stop();
    joins.files.write = write;
    expect(await joins.endOf(await joins.joinBy([peer]))).not.toBeInstanceOf(LedgerError);
  });

  test('the disk of the application is full', async () => {
    const peer = await serving();
    const target = new TestTarget();
    target.applySnapshotChunk = () => Promise.reject(noSpace());
    const told = { step: 'apply', peers: [peer], next: REPAIR } as const;
    await expectEnd(await joins.joinBy([peer], { target }), 'statesync.disk', told);
  });

  test('what is no error of the disk does not pass for one', async () => {
    const target = new TestTarget();
    for (const failure of [new TypeError('a fault'), new AssertionError('a fault')]) {
      target.applySnapshotChunk = () => Promise.reject(failure);
      const joiner = await joins.joinBy([await serving()], { target });
      let ended: unknown;
      const end = (how: unknown): void => {
        ended = how;
      };
      void joiner.ended.then(end, end);
      await joins.world.until('it is over', () => ended !== undefined);
      expect(ended).toBe(failure);
    }
  });

  test('the state is restored and its block is lost', async () => {
    const peer = await serving();
    const first = await joins.joinBy([peer]);
    await joins.endOf(first);
    await first.network.stop();
    joins.files.files.delete('block');
    // As of one that asks its peers: after a while.
    joins.blocks.block = () =>
      new Promise((resolve) => void joins.world.timers.after(1_000, () => resolve(undefined)));
    const told = {
      step: 'block',
      peers: [peer],
      next: /connect to a peer that has it.* start the node/,
    } as const;
    await expectEnd(await joins.joinBy([peer], first), 'statesync.no_block', told);
  });

  test('the application has another state than it took', async () => {
    class Lying extends TestTarget {
      override lastState(): ReturnType<TestTarget['lastState']> {
        return Promise.resolve({ ...this.state, appHash: utf8('another') });
      }
    }
    const joiner = await joins.joinBy([await serving()], { target: new Lying() });
    const told = {
      step: 'compare',
      peers: ['trusted'],
      next: /program's version.* Delete everything/,
    } as const;
    await expectEnd(joiner, 'statesync.app_hash', told);
  });
});
