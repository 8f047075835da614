import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type OpenedApplication, openApplication } from '../../cli/application.ts';
import { createDevnet } from '../../cli/devnet/layout.ts';
import { checkGenesis } from '../../cli/home/genesis-file.ts';
import { initChainRequest } from '../../genesis/encode.ts';
import { CheckTxType, RequestFinalizeBlock, RequestInfo } from '../../proto/gen/tendermint/abci/types.ts';
import { makeSenders, type Sender, signedSend } from './senders.ts';

const CHAIN_ID = 'test-1';
let home = '';
let senders: readonly Sender[] = [];
let genesisFile = '';

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-app-'));
  senders = makeSenders(3, 'open');
  const record = await createDevnet({
    home,
    settings: {
      chainId: CHAIN_ID,
      prefix: 'open',
      denom: 'uopen',
      validators: 1,
      accounts: 1,
      blockTimeMs: 1000,
      rpcPort: 0,
    },
    extraAccounts: senders.map((sender) => sender.address),
    now: new Date(0),
  });
  genesisFile = join(record.nodes[0]?.home ?? '', 'config', 'genesis.json');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const open = (): Promise<OpenedApplication> =>
  openApplication({
    dataDir: home,
    chainId: CHAIN_ID,
    prefix: 'open',
    minimumGasPrices: '0.001uopen',
    txBytesMax: 1_000_000,
    verifierWorkers: 2,
    version: '0',
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
  });

/** A transfer of the i-th sender; the first account of the genesis is not one of them. */
function send(i: number, sequence: bigint): Uint8Array {
  const [from, to] = [senders[i], senders[(i + 1) % senders.length]];
  if (from === undefined || to === undefined) throw new Error(`no sender ${i}`);
  return signedSend(
    { chainId: CHAIN_ID, denom: 'uopen' },
    { from, to: to.address, accountNumber: BigInt(i + 1), sequence },
  );
}

it('the application behind the port checks in order of arrival, executes, and is there again after a restart', async () => {
  const first = await open();
  const { application } = first;
  await application.initChain(initChainRequest(checkGenesis(readFileSync(genesisFile, 'utf8')).document));
  const txs = [0, 1, 2].flatMap((i) =>
    Array.from({ length: 60 }, (_, sequence) => send(i, BigInt(sequence))),
  );
  const checks = await Promise.all(txs.map((tx) => application.checkTx({ tx, type: CheckTxType.NEW })));
  expect(checks.filter(({ code }) => code !== 0)).toEqual([]);
  const late = await application.checkTx({ tx: send(0, 70n), type: CheckTxType.NEW });
  expect(late).toMatchObject({ code: 32, codespace: 'sdk' });
  const { txResults, appHash } = await application.finalizeBlock(
    RequestFinalizeBlock.create({ height: 1n, txs, decidedLastCommit: { round: 0, votes: [] } }),
  );
  expect(txResults.filter(({ code }) => code !== 0)).toEqual([]);
  await application.commit();
  await first.close();
  const second = await open();
  expect(await second.application.info(RequestInfo.create())).toMatchObject({
    lastBlockHeight: 1n,
    lastBlockAppHash: appHash,
  });
  await second.close();
});

it('a database that another process has open is refused', async () => {
  const first = await open();
  await expect(open()).rejects.toMatchObject({ code: 'store.locked' });
  await first.close();
});
