/** A state that a home keeps, for an audit that begins with it instead of genesis. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { composeModules, storeNames } from '../../app/modules.ts';
import { checkConsensusParams, type ConsensusParams } from '../../consensus/types/params.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { headerHash } from '../../consensus/types/header.ts';
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { openLevel } from '../../store/backend/level.ts';
import { readVersion } from '../../store/backend/read-version.ts';
import type { MemoryMultiStore } from '../../store/multistore.ts';
import type { CheckedGenesis } from '../home/genesis-file.ts';
import type { HomeStores } from './home-source.ts';
import { KEEP_VERSIONS, type ReplayState } from './replay.ts';
import { type BlockSource, readBlock } from './source.ts';

/** What is asked for. */
export interface TrustedStateRequest {
  readonly height: bigint;
  readonly genesis: Pick<CheckedGenesis, 'document' | 'prefix'>;
  /** Its next block says what follows from the state. */
  readonly source: BlockSource;
}

/**
 * Reads the state after a block. Of the chain only what the next header binds is taken from its header; sets
 * and parameters are the home's, and the replay holds them against that header.
 * @throws LedgerError `store.version_missing` naming the heights that are kept, `audit.state_missing`
 */
export async function readTrustedState(
  stores: HomeStores,
  request: TrustedStateRequest,
): Promise<ReplayState> {
  const { height, genesis, source } = request;
  const store = await storeAt(stores, request);
  const { header: next } = await readBlock(source, height + 1n);
  const last = stores.blocks.meta(height)?.header;
  if (last === undefined || !equalBytes(headerHash(last), next.lastBlockId.hash))
    throw missing(stores, height, 'its block, or not the one of this chain');
  const validators = (at: bigint): ValidatorSet => {
    const set = stores.state.validators(at);
    if (set === undefined) throw missing(stores, height, `the validators of block ${at}`);
    return set;
  };
  return {
    store,
    chain: {
      chainId: genesis.document.chainId,
      initialHeight: genesis.document.initialHeight,
      lastBlockHeight: height,
      lastBlockId: next.lastBlockId,
      lastBlockTime: last.time,
      lastValidators: validators(height),
      validators: validators(height + 1n),
      nextValidators: validators(height + 2n),
      lastHeightValidatorsChanged: height,
      consensusParams: paramsAt(stores, height),
      lastHeightConsensusParamsChanged: height,
      appHash: store.lastCommit.hash,
      lastResultsHash: next.lastResultsHash,
    },
  };
}

async function storeAt(
  { home }: HomeStores,
  { genesis, height: version }: TrustedStateRequest,
): Promise<MemoryMultiStore> {
  const directory = join(home.dataDir, 'application.db');
  if (!existsSync(directory))
    throw new LedgerError('audit.state_missing', `there is no state in ${home.home}: its node has never run`);
  const backend = await openLevel(directory);
  try {
    const stores = storeNames(composeModules(genesis.prefix).modules);
    return await readVersion(backend, { stores, version, keepVersions: KEEP_VERSIONS });
  } finally {
    await backend.close();
  }
}

function paramsAt(stores: HomeStores, height: bigint): ConsensusParams {
  const { block, evidence, validator, version, abci } = stores.state.consensusParams(height + 1n) ?? {};
  if (!block || !evidence || !validator || !version || !abci)
    throw missing(stores, height, `the consensus parameters of block ${height + 1n}`);
  return checkConsensusParams({ block, evidence, validator, version, abci });
}

function missing({ home }: HomeStores, height: bigint, what: string): LedgerError {
  return new LedgerError(
    'audit.state_missing',
    `the home ${home.home} has the state after block ${height}, but not ${what}: trust the state of another height`,
    { height },
  );
}
