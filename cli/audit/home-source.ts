/** Blocks of a home whose node does not run. The home is locked meanwhile; no record in it is changed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeBlock } from '../../consensus/types/block.ts';
import { LedgerError } from '../../core/errors.ts';
import { BlockStore } from '../../node/blockstore/block-store.ts';
import { StateStore } from '../../node/state/state-store.ts';
import { readGenesisFile } from '../home/genesis-file.ts';
import { nodeLockPath } from '../home/node-lock.ts';
import { type OpenedHome, openHome } from '../home/open.ts';
import { lockHolder, lockOrRefuse } from '../process-lock.ts';
import { type BlockSource, blockMissing } from './source.ts';

/** The stores of a stopped node. */
export interface HomeStores {
  readonly home: OpenedHome;
  readonly blocks: BlockStore;
  readonly state: StateStore;
  close(): Promise<void>;
}

/**
 * Opens the stores of a home.
 * @throws LedgerError `audit.running` while its node runs, `audit.no_blocks` when it never did; what
 * `openHome` and the stores throw
 */
export async function openHomeStores(directory: string): Promise<HomeStores> {
  const home = openHome(directory);
  const lock = nodeLockPath(home.home);
  if (lockHolder(lock) !== undefined)
    throw new LedgerError(
      'audit.running',
      `the node in ${home.home} runs (process ${lockHolder(lock)}): stop it, or audit it while it runs with --node URL`,
    );
  for (const name of ['blockstore.db', 'state.db'])
    if (!existsSync(join(home.dataDir, name)))
      throw new LedgerError('audit.no_blocks', `there are no blocks in ${home.home}: its node has never run`);
  const closers: (() => Promise<void> | void)[] = [lockOrRefuse(lock, `the node in ${home.home}`)];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const blocks = await BlockStore.open(join(home.dataDir, 'blockstore.db'));
    closers.push(() => blocks.close());
    const state = await StateStore.open(join(home.dataDir, 'state.db'));
    closers.push(() => state.close());
    return { home, blocks, state, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The blocks of opened stores. */
export function homeSource({ home, blocks, state, close }: HomeStores): BlockSource {
  return {
    name: home.home,
    range: async () => blocks.range(),
    block: async (height) => {
      const bytes = blocks.blockBytes(height);
      if (bytes === undefined) throw blockMissing(home.home, height);
      return decodeBlock(bytes);
    },
    lastCommit: async (height) => blocks.seenCommit(height),
    results: async (height) => state.results(height)?.txResults,
    appHash: async (height) => {
      const last = state.load();
      return last?.lastBlockHeight === height ? last.appHash : undefined;
    },
    genesis: async () =>
      existsSync(home.paths.genesisFile) ? readGenesisFile(home.paths.genesisFile).text : undefined,
    close,
  };
}
