/** Random parameters of every module: what genesis begins with, and what governance changes them to. */
import { utf8 } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { DEFAULT_PARAMS as ATTRIBUTION } from '../../modules/attribution/params.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../modules/consensus/params.ts';
import { DEFAULT_PARAMS as DATANET } from '../../modules/datanet/params.ts';
import { DEFAULT_PARAMS as MODELS } from '../../modules/models/params.ts';
import type { Params as AuthParams } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import type { Params as BankParams } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';
import type { Params as DistributionParams } from '../../proto/gen/cosmos/distribution/v1beta1/distribution.ts';
import type { Params as GovParams } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import type { Params as MintParams } from '../../proto/gen/cosmos/mint/v1beta1/mint.ts';
import type { Params as SlashingParams } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import type { Params as StakingParams } from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import type { Params as AttributionParams } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Params as ChannelParams } from '../../proto/gen/openledger/channels/v1/channels.ts';
import type { Params as DatanetParams } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import type { Params as ModelParams } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Params as PaymentParams } from '../../proto/gen/openledger/payments/v1/payments.ts';
import type { Params as PoolParams } from '../../proto/gen/openledger/pools/v1/pools.ts';
import type { Params as SettlementParams } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import type { Random } from './random.ts';
import { BOND_DENOM, coin, OTHER_DENOM } from './world.ts';

const seconds = (count: number): { readonly seconds: bigint; readonly nanos: number } => ({
  seconds: BigInt(count),
  nanos: 0,
});

/** A decimal as the wire has it. */
export function wireDecimal(text: string): string {
  return Decimal.ofText(text).toWire();
}

export function randomAuth(random: Random): AuthParams {
  return {
    maxMemoCharacters: BigInt(random.between(8, 256)),
    txSigLimit: BigInt(random.between(3, 10)),
    txSizeCostPerByte: BigInt(random.between(1, 40)),
    sigVerifyCostEd25519: BigInt(random.between(1, 2000)),
    sigVerifyCostSecp256k1: BigInt(random.between(1, 4000)),
  };
}

export function randomBank(random: Random): BankParams {
  return { sendEnabled: [], defaultSendEnabled: !random.oneIn(8) };
}

/** @param validatorsMin so many validators at least have a place */
export function randomStaking(random: Random, validatorsMin: number): StakingParams {
  return {
    unbondingTime: seconds(random.between(1, 200)),
    maxValidators: random.between(validatorsMin, 7),
    maxEntries: random.between(1, 7),
    historicalEntries: random.between(0, 12),
    bondDenom: random.oneIn(8) && validatorsMin === 1 ? OTHER_DENOM : BOND_DENOM,
    minCommissionRate: wireDecimal(random.oneIn(3) ? random.ratio(0, 100) : '0'),
  };
}

/** @param isGenesis a chain does not begin with windows and terms as short as governance may make them */
export function randomSlashing(random: Random, isGenesis: boolean): SlashingParams {
  const fraction = (most: number): Uint8Array =>
    utf8(wireDecimal(random.oneIn(25) ? '1' : random.ratio(0, most)));
  return {
    signedBlocksWindow: BigInt(random.between(isGenesis ? 10 : 1, 30)),
    minSignedPerWindow: utf8(wireDecimal(random.ratio(50, random.oneIn(8) ? 1000 : 600))),
    downtimeJailDuration: seconds(random.between(isGenesis ? 60 : 1, 100)),
    slashFractionDoubleSign: fraction(600),
    slashFractionDowntime: fraction(100),
  };
}

export function randomDistribution(random: Random): DistributionParams {
  return {
    communityTax: wireDecimal(random.oneIn(12) ? '1' : random.ratio(0, 400)),
    baseProposerReward: '0',
    bonusProposerReward: '0',
    withdrawAddrEnabled: !random.oneIn(5),
  };
}

export function randomMint(random: Random): MintParams {
  const least = random.between(0, 300);
  return {
    mintDenom: random.oneIn(6) ? OTHER_DENOM : BOND_DENOM,
    inflationRateChange: wireDecimal(random.ratio(0, 1000)),
    inflationMax: wireDecimal(random.ratio(Math.min(least + 1, 1000), 999)),
    inflationMin: wireDecimal(`0.${String(least).padStart(3, '0')}`),
    goalBonded: wireDecimal(random.ratio(1, 1000)),
    blocksPerYear: BigInt(10 ** random.between(1, 7)),
  };
}

export function randomGov(random: Random): GovParams {
  const deposit = random.between(100, 20_000);
  const voting = random.between(12, 60);
  const threshold = random.between(300, 600);
  const other = random.oneIn(12) ? [coin(BigInt(random.between(1, 500)), OTHER_DENOM)] : [];
  return {
    minDeposit: [coin(BigInt(deposit)), ...other],
    expeditedMinDeposit: [coin(BigInt(deposit + random.between(1, 20_000))), ...other],
    maxDepositPeriod: seconds(random.between(5, 60)),
    votingPeriod: seconds(voting),
    expeditedVotingPeriod: seconds(random.between(5, voting - 1)),
    quorum: random.ratio(0, 400),
    threshold: random.ratio(threshold, threshold),
    expeditedThreshold: random.ratio(threshold + 10, 900),
    vetoThreshold: random.ratio(200, 500),
    minInitialDepositRatio: random.ratio(0, 300),
    proposalCancelRatio: random.ratio(0, 1000),
    proposalCancelDest: '',
    burnProposalDepositPrevote: random.oneIn(3),
    burnVoteQuorum: random.oneIn(3),
    burnVoteVeto: !random.oneIn(3),
    minDepositRatio: random.ratio(0, 50),
  };
}

/** With the kinds of keys that there are. */
export function randomConsensus(random: Random): ConsensusParams {
  return {
    ...DEFAULT_CONSENSUS_PARAMS,
    block: {
      maxBytes: BigInt(random.between(100_000, 4_000_000)),
      maxGas: random.oneIn(3) ? -1n : BigInt(random.between(8_000_000, 60_000_000)),
    },
    evidence: {
      maxAgeNumBlocks: BigInt(random.between(5, 100)),
      maxAgeDuration: seconds(random.between(5, 300)),
      maxBytes: BigInt(random.between(0, 50_000)),
    },
  };
}

export function randomDatanet(random: Random): DatanetParams {
  return { ...DATANET, urisMax: random.between(1, 8), allowListChangesMax: random.between(1, 8) };
}

export function randomModels(random: Random): ModelParams {
  const stakersBpsMin = random.between(0, 2000);
  return {
    ...MODELS,
    stakersBpsMin,
    platformBpsMax: random.oneIn(2) ? 0 : random.between(1000, 10_000),
    modelBpsMax: random.oneIn(2) ? 0 : random.between(6000, 10_000),
    lineageBpsMax: random.between(0, 10_000),
    lineageEntriesMax: random.between(1, 8),
    snapshotsMax: random.between(1, 4),
  };
}

export function randomAttribution(random: Random): AttributionParams {
  const requestBlocks = random.between(1, 8);
  const challengeBlocks = random.between(requestBlocks + 1, 10);
  return {
    ...ATTRIBUTION,
    spansMax: random.between(1, 64),
    gasPerSpan: random.between(1, 5000),
    shardBond: BigInt(random.between(1, 5000)),
    cardBond: BigInt(random.between(1, 5000)),
    requestBond: BigInt(random.between(1, 500)),
    claimBond: BigInt(random.between(1, 500)),
    challengeBlocks,
    unbondingBlocks: random.between(challengeBlocks, 20),
    requestBlocks,
    claimBlocks: random.between(requestBlocks + 1, 15),
    rewardBps: random.between(1, 9000),
    answerBps: random.between(1, 5000),
    shardRequestsMax: random.between(1, 64),
  };
}

export function randomChannels(random: Random): ChannelParams {
  return {
    withdrawDelayMin: 60,
    withdrawDelayMax: random.between(60, 200),
    withdrawBlocks: random.between(1, 6),
    openWindow: random.between(60, 400),
    rowsMax: random.between(1, 12),
    gasPerLink: random.between(1, 100),
  };
}

export function randomPayments(random: Random): PaymentParams {
  return {
    tokensMax: 10n ** BigInt(random.between(2, 12)),
    authorizationSecondsMax: BigInt(random.between(300, 3000)),
    holdSecondsMax: BigInt(random.between(60, 3000)),
  };
}

export function randomPools(random: Random): PoolParams {
  return {
    epochBlocks: random.between(1, 12),
    slotsMax: random.between(1, 40),
    gasPerRow: random.between(1, 3000),
    autoClaimBlocksMin: random.between(1, 10),
    autoClaimTimesMax: random.between(1, 10),
    creditBlocks: random.between(1, 60),
  };
}

export function randomSettlement(random: Random): SettlementParams {
  return {
    bondDenom: BOND_DENOM,
    epochBond: BigInt(random.between(1, 2000)),
    windowBlocks: random.between(5, 20),
    rewardBps: random.between(1, 9000),
    rowsMax: random.between(1, 6),
    gasPerRow: random.between(1, 2000),
    gasPerHash: random.between(1, 30),
    gasPerByte: random.between(1, 3),
    endpointBytesMax: random.between(25, 60),
    requestBond: BigInt(random.between(1, 50)),
    requestBlocks: random.between(2, 8),
    answerBps: random.between(1, 5000),
    epochRequestsMax: random.between(1, 6),
    accountRequestsMax: random.between(1, 4),
  };
}
