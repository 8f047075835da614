/** A chain of real blocks on which money moves in every way, and sources of its blocks, for tests of the audit. */
import { busyChain } from '../../test/support/busy-chain.ts';
import { GOV_PARAMS } from '../../test/support/gov-world.ts';
import { SignedChain, type SignedChainOptions, validatorSigner } from '../../test/support/signed-chain.ts';
import { stakingSections } from '../../test/support/staking-world.ts';
import { type TestAccount, testAccount, type TestChain } from '../../test/support/test-chain.ts';
import { decodeBlock, encodeBlock } from '../../consensus/types/block.ts';
import { buildGenesis } from '../../genesis/build.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import type { JsonObject } from '../../framework/json.ts';
import { type CheckedGenesis, checkGenesis } from '../home/genesis-file.ts';
import { type AuditOptions, type AuditReport, runAudit } from './audit.ts';
import { Replay, type ReplayProgram } from './replay.ts';
import { type BlockSource, blockMissing } from './source.ts';

/** More than in `busyChain`: two of them stay away, one after the other. */
const VALIDATORS = 6;
const ACCOUNTS = 7;
/** A validator must sign half of as many blocks. */
const WINDOW_BLOCKS = 10;
/** Until deposits and votes are over. */
const PERIOD_SECONDS = 15;
const QUIET_BLOCKS = 20;

/** Signers of the scene's validators. */
export const SIGNERS: SignedChainOptions['signers'] = Array.from({ length: VALIDATORS }, (_, i) =>
  validatorSigner(i),
);

/** The genesis of the scene: as that of `busyChain`, with keys that sign, inflation, and deposits that burn. */
export function sceneGenesis(): GenesisDocument {
  const accounts: readonly TestAccount[] = Array.from({ length: ACCOUNTS }, (_, i) => testAccount(`${i}`));
  const sections = stakingSections({
    accounts,
    validators: SIGNERS.map(() => 10_000_000n),
    keys: (i) => validatorSigner(i).publicKey,
    params: { unbonding_time: '20s' },
  });
  const gov = {
    ...GOV_PARAMS,
    burn_proposal_deposit_prevote: true,
    max_deposit_period: `${PERIOD_SECONDS}s`,
    voting_period: `${PERIOD_SECONDS}s`,
    expedited_voting_period: `${PERIOD_SECONDS - 1}s`,
  };
  const slashing = {
    signed_blocks_window: `${WINDOW_BLOCKS}`,
    min_signed_per_window: '0.500000000000000000',
    downtime_jail_duration: '600s',
    slash_fraction_double_sign: '0.050000000000000000',
    slash_fraction_downtime: '0.010000000000000000',
  };
  return buildGenesis({
    chainId: 'test-chain-1',
    genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
    accounts: accounts.map(({ address }) => ({
      address,
      coins: [{ denom: 'uopen', amount: 1_000_000_000n }],
    })),
    validators: [],
    sections: {
      ...sections,
      mint: inflation(),
      gov: { starting_proposal_id: '1', params: gov },
      slashing: { params: slashing, signing_infos: [], missed_blocks: [] },
    },
  });
}

function inflation(): JsonObject {
  return {
    minter: { inflation: '0.130000000000000000', annual_provisions: '0.000000000000000000' },
    params: {
      mint_denom: 'uopen',
      inflation_rate_change: '0.130000000000000000',
      inflation_max: '0.200000000000000000',
      inflation_min: '0.070000000000000000',
      goal_bonded: '0.670000000000000000',
      blocks_per_year: '6311520',
    },
  };
}

/** Made once: signing and executing them takes longer than everything else. */
function busyTransactions(): TestChain['history'] {
  history ??= withFailure(busyChain()).history;
  return history;
}
let history: TestChain['history'] | undefined;

/** Whose message fails has paid its fee. */
function withFailure(chain: TestChain): TestChain {
  const [from, to] = [chain.account(6), chain.account(0)];
  chain.deliver(chain.send(from, to.address, '1000000000000000uopen'));
  return chain;
}

/**
 * The blocks of `busyChain`, then a validator that signs twice, one that is away until it is jailed, and
 * proposals whose time runs out.
 */
export function playScene(prepare?: SignedChainOptions['prepare']): SignedChain {
  const document = sceneGenesis();
  const chain = new SignedChain({
    document,
    signers: SIGNERS,
    ...(prepare === undefined ? {} : { prepare }),
  });
  for (const txs of busyTransactions()) chain.add({ txs });
  chain.restart();
  const evidence = [chain.doubleSign(2)];
  chain.add({ evidence });
  for (let i = 0; i < QUIET_BLOCKS; i++) chain.add({ absent: [1] });
  return chain;
}

/** Blocks in memory. */
export function memorySource(chain: SignedChain, change: Partial<BlockSource> = {}): BlockSource {
  const { blocks } = chain;
  const base = blocks[0]?.block.header.height ?? 1n;
  const at = (height: bigint): (typeof blocks)[number] => {
    const found = blocks[Number(height - base)];
    if (found === undefined) throw blockMissing('memory', height);
    return found;
  };
  return {
    name: 'memory',
    range: async () => ({ base, height: base + BigInt(blocks.length) - 1n }),
    block: async (height) => decodeBlock(encodeBlock(at(height).block)),
    lastCommit: async (height) => at(height).commit,
    results: async (height) => at(height).results.txResults,
    appHash: async (height) => at(height).results.appHash,
    genesis: async () => encodeGenesis(sceneGenesis()),
    close: async () => undefined,
    ...change,
  };
}

/** Audits a source from the scene's genesis. */
export async function auditScene(
  source: BlockSource,
  options: Partial<AuditOptions> = {},
  program: Partial<ReplayProgram> = {},
): Promise<AuditReport> {
  const genesis: CheckedGenesis = checkGenesis(encodeGenesis(sceneGenesis()));
  const replay = Replay.fromGenesis({ genesis, ...program });
  const { height: to } = await source.range();
  try {
    return await runAudit(
      { source, replay, progress: () => undefined },
      { from: 1n, to, results: false, compareEvery: 50n, invariantsEvery: 0n, ...options },
    );
  } finally {
    await replay.close();
  }
}
