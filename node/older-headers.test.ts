/** Back-fill that ended early, and is taken up at a later start. */
import { beforeEach, expect, test } from 'vitest';
import type { Header } from '../consensus/types/header.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../consensus/types/params.ts';
import { LedgerError } from '../core/errors.ts';
import { BlockStore } from './blockstore/block-store.ts';
import { memoryDatabase, TestChain, validatorsAt } from './evidence/testing.ts';
import {
  fetchOlderHeaders,
  lacksOlderHeaders,
  noteMissingHeaders,
  resumeOlderHeaders,
} from './older-headers.ts';
import type { ChainState } from './state/chain-state.ts';
import { StateStore } from './state/state-store.ts';
import { type Backfill, isEnd } from './statesync/backfill.ts';
import { MemoryFiles } from './statesync/testing.ts';
import {
  commitAt,
  headerAt as chainHeaderAt,
  stateAt as chainStateAt,
  TEST_BLOCK_ID as blockId,
} from './testing.ts';

const HEIGHT = 50n;
const chain = new TestChain(HEIGHT + 10n);
const headerAt = (height: bigint): Header => chainHeaderAt(chain, height);
/** Evidence counts for twenty blocks and as long as these take. */
const evidence = { maxAgeNumBlocks: 20n, maxAgeDuration: { seconds: 200n, nanos: 0 }, maxBytes: 1_000n };
const stateAt = (height: bigint): ChainState =>
  chainStateAt(chain, height, { ...DEFAULT_CONSENSUS_PARAMS, evidence });

let stores: { readonly blocks: BlockStore; readonly state: StateStore };
let files: MemoryFiles;
const warnings: object[] = [];
const log = { warn: (fields: object) => void warnings.push(fields) };

/** Peers that have headers from a height on. */
const peersFrom = (base: bigint): Pick<Backfill, 'headers'> => ({
  headers: async (from, sink, end) => {
    let above: Header = from;
    for (; above.height > base && !isEnd(above, end); above = headerAt(above.height - 1n)) {
      const height = above.height - 1n;
      await sink.save({
        header: headerAt(height),
        commit: commitAt(height),
        validators: validatorsAt(height),
      });
    }
    return above.height;
  },
});
const nobody: Pick<Backfill, 'headers'> = {
  headers: () => Promise.reject(new LedgerError('statesync.no_peers', 'nobody')),
};

beforeEach(async () => {
  stores = {
    blocks: await BlockStore.open('memory', async () => memoryDatabase()),
    state: await StateStore.open('memory', async () => memoryDatabase()),
  };
  files = new MemoryFiles();
  warnings.length = 0;
  const meta = { blockId, blockSize: 1n, header: headerAt(HEIGHT), numTxs: 0n };
  const [lastCommit, seenCommit] = [commitAt(HEIGHT - 1n), commitAt(HEIGHT)];
  await stores.blocks.save({ meta, parts: [], lastCommit, seenCommit });
  await stores.state.bootstrap(stateAt(HEIGHT));
});

test('what nobody had is fetched at a later start, as far as evidence counts then', async () => {
  expect(await fetchOlderHeaders(stores, peersFrom(45n))).toBe(false);
  expect(stores.blocks.headersFrom()).toBe(45n);
  await noteMissingHeaders(files);
  // The node has lived on.
  for (let height = HEIGHT + 1n; height <= HEIGHT + 5n; height++) await stores.state.save(stateAt(height));

  await resumeOlderHeaders(stores, nobody, { files, log });
  expect(warnings).toEqual([
    { step: 'back-fill', peers: 'no peer is left', next: 'the node goes on; the next start asks again' },
  ]);
  await resumeOlderHeaders(stores, peersFrom(40n), { files, log });
  expect([stores.blocks.headersFrom(), await lacksOlderHeaders(files)]).toEqual([40n, true]);
  await resumeOlderHeaders(stores, peersFrom(1n), { files, log });
  expect([stores.blocks.headersFrom(), await lacksOlderHeaders(files)]).toEqual([35n, false]);
  for (let height = 35n; height < HEIGHT; height++)
    expect([stores.blocks.meta(height)?.header, stores.state.validators(height)]).toEqual([
      headerAt(height),
      validatorsAt(height),
    ]);
});

test('what is there as far as evidence counts is whole, whoever has more', async () => {
  expect(await fetchOlderHeaders(stores, peersFrom(1n))).toBe(true);
  expect(stores.blocks.headersFrom()).toBe(30n);
  expect(await lacksOlderHeaders(files)).toBe(false);
});

test('another failure than that nobody is there ends the start', async () => {
  await noteMissingHeaders(files);
  const failing = { headers: () => Promise.reject(new LedgerError('test.disk', 'the disk is full')) };
  await expect(resumeOlderHeaders(stores, failing, { files, log })).rejects.toThrow('the disk is full');
  expect(await lacksOlderHeaders(files)).toBe(true);
});

test.each([
  ['header', 'blocks', 'saveHeader'],
  ['validators', 'state', 'saveOlderValidators'],
  ['end', 'blocks', 'sync'],
] as const)(
  'a disk that is full at the %s ends it, with the step and what to do',
  async (_what, of, name) => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    Object.assign(stores[of], { [name]: () => Promise.reject(full) });
    await expect(fetchOlderHeaders(stores, peersFrom(1n))).rejects.toMatchObject({
      code: 'statesync.disk',
      message: expect.stringMatching(
        /^state sync, step back-fill: .+ENOSPC.+: free or repair the disk and start/,
      ),
      cause: full,
    });
  },
);
