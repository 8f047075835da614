/**
 * The rows of an audit: blocks a second beside the node's own replay of the same blocks, which is what a node
 * does on start when its application has lost its state; and the memory in use on the way.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openApplication } from '../../cli/application.ts';
import { runAudit } from '../../cli/audit/audit.ts';
import { homeSource, openHomeStores } from '../../cli/audit/home-source.ts';
import { Replay } from '../../cli/audit/replay.ts';
import { type CheckedGenesis, readGenesisFile } from '../../cli/home/genesis-file.ts';
import { openHome } from '../../cli/home/open.ts';
import { homePaths } from '../../node/config/home.ts';
import { machine } from '../../node/environment.ts';
import { genesisOf } from '../../node/node-settings.ts';
import { openStores } from '../../node/node-stores.ts';
import { handshake } from '../../node/state/handshake.ts';
import { makeChain } from './made-chain.ts';
import { megabytes, type Report } from './report.ts';

const VALIDATORS = 4;
const TXS = 5;
const MEMO_BYTES = 0;
/** Where memory is looked at: this many times, evenly. */
const LOOKS = 10;

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

/** What an audit took. */
export interface AuditMeasurement {
  readonly blocks: number;
  readonly transactions: number;
  readonly audit: Took;
  readonly replay: Took;
  /** In use in the heap and outside it after a full collection, evenly over the blocks. */
  readonly usedBytes: readonly number[];
}

/** Makes a chain; a node executes its blocks again, then an audit does. */
export async function reportAudit(
  { row, note }: Report,
  { blocks }: { readonly blocks: number },
): Promise<AuditMeasurement> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-audit-'));
  try {
    note(`making ${blocks} blocks with ${TXS} transfers each`);
    const chain = await makeChain({
      folder,
      blocks,
      validators: VALIDATORS,
      txs: TXS,
      memoBytes: MEMO_BYTES,
    });
    const { home } = await chain.home({
      moniker: 'audited',
      ports: { rpc: 0, p2p: 0 },
      peers: [],
      hasData: true,
    });
    const genesis = readGenesisFile(openHome(home).paths.genesisFile);
    note("the node's own replay");
    const replay = await ownReplay(home, genesis, join(folder, 'replayed'));
    note('the audit');
    const { took: audit, usedBytes } = await audited(home, genesis, blocks);
    const told = ({ seconds, cpuSeconds }: Took): string =>
      `${Math.round(blocks / seconds)} blocks/s, ${((1000 * cpuSeconds) / blocks).toFixed(2)} ms of processor a block`;
    row('audit/replay', { blocks, txs: TXS }, told(audit));
    row('node/replay', { blocks, txs: TXS }, `${told(replay)}; no precommits checked, no ledger, but a disk`);
    const [first = 0, last = 0] = [usedBytes[0], usedBytes.at(-1)];
    row(
      'audit/memory',
      { blocks },
      `${megabytes(first)} MB in use after a ${LOOKS}th of the blocks, ${megabytes(last)} MB after all ` +
        `(${usedBytes.map(megabytes).join(', ')})`,
    );
    return { blocks, transactions: blocks * TXS, audit, replay, usedBytes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What `handshake` does when the application has no state: all stored blocks once more, on a database. */
async function ownReplay(home: string, genesis: CheckedGenesis, dataDir: string): Promise<Took> {
  cpSync(homePaths(home).dataDir, dataDir, { recursive: true });
  rmSync(join(dataDir, 'application.db'), { recursive: true });
  const closers: (() => Promise<void> | void)[] = [];
  const stores = await openStores({ dataDir, logging: () => silent }, machine, closers);
  const { application, close } = await openApplication({
    dataDir,
    chainId: genesis.document.chainId,
    prefix: genesis.prefix,
    minimumGasPrices: '',
    txBytesMax: 1_000_000,
    verifierWorkers: 1,
    version: 'bench',
    log: silent,
  });
  const began = clocks();
  const ports = { application, store: stores.state, blocks: stores.blocks, log: ignore };
  await handshake(ports, genesisOf(genesis.document));
  const took = since(began);
  for (const closer of closers.reverse()) await closer();
  await close();
  return took;
}

async function audited(
  home: string,
  genesis: CheckedGenesis,
  blocks: number,
): Promise<{ readonly took: Took; readonly usedBytes: readonly number[] }> {
  const source = homeSource(await openHomeStores(home));
  const replay = Replay.fromGenesis({ genesis });
  const usedBytes: number[] = [];
  const every = BigInt(Math.max(1, Math.floor(blocks / LOOKS)));
  const looked: Took[] = [];
  const began = clocks();
  await runAudit(
    {
      source,
      replay,
      progress: ({ height }) => {
        if (height % every !== 0n) return;
        const looking = clocks();
        usedBytes.push(usedAfterCollection());
        looked.push(since(looking));
      },
    },
    { from: 1n, to: BigInt(blocks), results: false, compareEvery: 1000n, invariantsEvery: 0n },
  );
  const took = looked.reduce(less, since(began));
  await replay.close();
  await source.close();
  return { took, usedBytes };
}

/** Seconds of the clock, and of this process's processors: other work on the machine counts in the first. */
interface Took {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function clocks(): Took {
  const { user, system } = process.cpuUsage();
  return { seconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 };
}

function since(began: Took): Took {
  return less(clocks(), began);
}

function less(from: Took, what: Took): Took {
  return { seconds: from.seconds - what.seconds, cpuSeconds: from.cpuSeconds - what.cpuSeconds };
}

let collect: (() => void) | undefined;

function usedAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  collect ??= runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
