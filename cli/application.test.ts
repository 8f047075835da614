import { expect, it } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { buildGenesis } from '../genesis/build.ts';
import { initChainRequest } from '../genesis/encode.ts';
import type { Application } from '../node/application.ts';
import { silentLogger } from '../p2p/network.ts';
import type { RequestFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import { MemoryBackend } from '../store/backend/memory.ts';
import { cacheLimits, openApplication } from './application.ts';

/** An application whose clock makes every few transactions a turn of the event loop. */
async function open(): Promise<Application> {
  let ms = 0;
  const { application } = await openApplication(
    {
      dataDir: '',
      chainId: 'app-1',
      prefix: 'open',
      minimumGasPrices: '',
      txBytesMax: 1_000_000,
      verifierWorkers: 0,
      version: '',
      log: silentLogger,
    },
    {
      openBackend: async () => new MemoryBackend(),
      openPool: () => ({ verify: async () => [], stop: async () => undefined }),
      now: () => {
        ms += 20;
        return ms;
      },
    },
  );
  const document = buildGenesis({
    chainId: 'app-1',
    genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
    accounts: [],
    validators: [{ pubKey: sha256(utf8('validator')), power: 10n, name: 'validator' }],
  });
  await application.initChain(initChainRequest(document));
  return application;
}

const blockOf = (name: string, height = 1n): RequestFinalizeBlock => ({
  txs: Array.from({ length: 100 }, (_, i) => utf8(`junk ${name} ${i}`)),
  decidedLastCommit: { round: 0, votes: [] },
  misbehavior: [],
  hash: sha256(utf8(name)),
  height,
  time: { seconds: 1_700_000_000n + height, nanos: 0 },
  nextValidatorsHash: new Uint8Array(32),
  proposerAddress: new Uint8Array(20),
});

it('an execution that is cancelled ends; another block takes its place, or that of a finished one', async () => {
  const application = await open();
  const expected = await (await open()).finalizeBlock(blockOf('b'));
  const control = { cancelled: false };
  const first = application.finalizeBlock(blockOf('a'), control);
  const ended = expect(first).rejects.toMatchObject({ code: 'app.cancelled' });
  await new Promise((resolve) => setImmediate(resolve)); // it is under way
  control.cancelled = true;
  await ended;
  expect(await application.finalizeBlock(blockOf('b'))).toEqual(expected);
  await application.finalizeBlock(blockOf('c'));
  expect((await application.finalizeBlock(blockOf('b'))).appHash).toEqual(expected.appHash);
  await application.commit();
  const info = await application.info({ version: '', blockVersion: 0n, p2pVersion: 0n, abciVersion: '' });
  expect(info.lastBlockAppHash).toEqual(expected.appHash);
  const next = await application.finalizeBlock(blockOf('d', 2n));
  expect(next.txResults).toHaveLength(100);
});

it('remembers of as many transactions as the mempool may hold, and of more than a block holds', () => {
  const least = { generationMax: 20_000, cacheEntriesMax: 40_000 };
  expect(cacheLimits({})).toEqual(least);
  expect(cacheLimits({ mempoolTxsMax: 5_000 })).toEqual(least);
  expect(cacheLimits({ mempoolTxsMax: 50_000 })).toEqual({ generationMax: 50_000, cacheEntriesMax: 100_000 });
});
