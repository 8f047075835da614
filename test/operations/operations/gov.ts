import { MsgUpdateParams as AuthUpdate } from '../../../proto/gen/cosmos/auth/v1beta1/tx.ts';
import {
  MsgUpdateParams as BankUpdate,
  MsgSetSendEnabled,
} from '../../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { MsgUpdateParams as ConsensusUpdate } from '../../../proto/gen/cosmos/consensus/v1/tx.ts';
import {
  MsgUpdateParams as DistributionUpdate,
  MsgCommunityPoolSpend,
  MsgSetWithdrawAddress,
} from '../../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import { Equivocation } from '../../../proto/gen/cosmos/evidence/v1beta1/evidence.ts';
import { MsgSubmitEvidence } from '../../../proto/gen/cosmos/evidence/v1beta1/tx.ts';
import * as gov from '../../../proto/gen/cosmos/gov/v1/tx.ts';
import { TextProposal } from '../../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import * as legacy from '../../../proto/gen/cosmos/gov/v1beta1/tx.ts';
import { MsgUpdateParams as MintUpdate } from '../../../proto/gen/cosmos/mint/v1beta1/tx.ts';
import { MsgUpdateParams as SlashingUpdate } from '../../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import { MsgUpdateParams as StakingUpdate } from '../../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { MsgCancelUpgrade, MsgSoftwareUpgrade } from '../../../proto/gen/cosmos/upgrade/v1beta1/tx.ts';
import { Plan } from '../../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import { MsgUpdateParams as AttributionUpdate } from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import { MsgUpdateParams as DatanetUpdate } from '../../../proto/gen/openledger/datanet/v1/tx.ts';
import { MsgUpdateParams as ModelsUpdate } from '../../../proto/gen/openledger/models/v1/tx.ts';
import { MsgUpdateParams as ChannelsUpdate } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { MsgUpdateParams as PaymentsUpdate } from '../../../proto/gen/openledger/payments/v1/tx.ts';
import { MsgClosePool, MsgUpdateParams as PoolsUpdate } from '../../../proto/gen/openledger/pools/v1/tx.ts';
import type { Actor } from '../actors.ts';
import { mutated } from '../mutation.ts';
import * as params from '../params.ts';
import {
  actorAt,
  anOperator,
  anyone,
  authority,
  BOND_DENOM,
  coin,
  type Operation,
  operation,
  OTHER_DENOM,
  packed,
  someOf,
  type World,
} from '../world.ts';
import { MsgUpdateParams as SettlementUpdate } from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import { aPool } from './pools.ts';

type Make = (world: World, signer: string) => Any;

/** What only governance may do. */
const GOVERNED: readonly Make[] = [
  ({ random }, signer) => packed(AuthUpdate, { authority: signer, params: params.randomAuth(random) }),
  ({ random }, signer) => packed(BankUpdate, { authority: signer, params: params.randomBank(random) }),
  ({ random }, signer) =>
    packed(StakingUpdate, { authority: signer, params: params.randomStaking(random, 1) }),
  ({ random }, signer) =>
    packed(SlashingUpdate, { authority: signer, params: params.randomSlashing(random, random.oneIn(2)) }),
  ({ random }, signer) =>
    packed(DistributionUpdate, { authority: signer, params: params.randomDistribution(random) }),
  ({ random }, signer) => packed(MintUpdate, { authority: signer, params: params.randomMint(random) }),
  ({ random }, signer) =>
    packed(gov.MsgUpdateParams, { authority: signer, params: params.randomGov(random) }),
  ({ random }, signer) => {
    const { block, evidence, validator, abci } = params.randomConsensus(random);
    return packed(ConsensusUpdate, { authority: signer, block, evidence, validator, abci });
  },
  ({ random }, signer) => packed(DatanetUpdate, { authority: signer, params: params.randomDatanet(random) }),
  ({ random }, signer) => packed(ModelsUpdate, { authority: signer, params: params.randomModels(random) }),
  ({ random }, signer) =>
    packed(AttributionUpdate, { authority: signer, params: params.randomAttribution(random) }),
  ({ random }, signer) =>
    packed(PaymentsUpdate, { authority: signer, params: params.randomPayments(random) }),
  ({ random }, signer) =>
    packed(ChannelsUpdate, { authority: signer, params: params.randomChannels(random) }),
  ({ random }, signer) => packed(PoolsUpdate, { authority: signer, params: params.randomPools(random) }),
  ({ random }, signer) =>
    packed(SettlementUpdate, { authority: signer, params: params.randomSettlement(random) }),
  (world, signer) => {
    const pool = aPool(world)?.id ?? { kind: 1, subject: 1n };
    return packed(MsgClosePool, { authority: signer, pool });
  },
  setSendEnabled,
  (world, signer) =>
    packed(MsgCommunityPoolSpend, {
      authority: signer,
      recipient: anyone(world).address,
      amount: [coin(world.random.amount(100_000n))],
    }),
  ({ random }, signer) => {
    const far = { name: `v${random.below(9)}`, height: BigInt(1_000_000 + random.below(9)) };
    return packed(MsgSoftwareUpgrade, { authority: signer, plan: Plan.create(random.oneIn(9) ? {} : far) });
  },
  (_, signer) => packed(MsgCancelUpgrade, { authority: signer }),
  (_, signer) => packed(gov.MsgExecLegacyContent, { authority: signer, content: text('a legacy text') }),
  (world, signer) =>
    packed(MsgSetWithdrawAddress, { delegatorAddress: signer, withdrawAddress: anyone(world).address }),
];

function setSendEnabled({ random }: World, signer: string): Any {
  const isDefault = random.oneIn(2);
  const denom = random.oneIn(4) ? BOND_DENOM : OTHER_DENOM;
  return packed(MsgSetSendEnabled, {
    authority: signer,
    sendEnabled: isDefault ? [] : [{ denom, enabled: random.oneIn(2) }],
    useDefaultFor: isDefault ? [denom, OTHER_DENOM].slice(0, denom === OTHER_DENOM ? 1 : 2) : [],
  });
}

function text(title: string): Any {
  return packed(TextProposal, { title, description: 'which changes nothing' });
}

function aDeposit(world: World, proposer: Actor): readonly ReturnType<typeof coin>[] {
  const { random } = world;
  if (random.oneIn(10)) return [coin(random.amount(someOf(world, proposer)))];
  const least = random.oneIn(4) ? 6_000n : 20_000n;
  return [coin(least + random.amount(20_000n)), ...(random.oneIn(12) ? [coin(600n, OTHER_DENOM)] : [])];
}

/** One in so many has a field changed: whatever governance may set, the chain goes on. */
const CHANGED_ONE_IN = 5;

function aGoverned(world: World): Any {
  const { random, composition } = world;
  const made = random.pick(GOVERNED)(world, authority(world));
  const route = composition.router.find(made.typeUrl);
  if (route === undefined || !random.oneIn(CHANGED_ONE_IN)) return made;
  return { ...made, value: mutated(route.type, made.value, random) };
}

function aProposal(world: World, proposer: Actor): gov.MsgSubmitProposal {
  const { random } = world;
  const count = random.weighted([
    { weight: 5, value: 1 },
    { weight: 4, value: 2 },
    { weight: 1, value: 0 },
  ]);
  const messages = Array.from({ length: count }, () => aGoverned(world));
  return {
    messages,
    initialDeposit: aDeposit(world, proposer),
    proposer: proposer.address,
    metadata: count === 0 ? 'ipfs://nothing' : '',
    title: 'a change',
    summary: 'what changes',
    expedited: random.oneIn(5),
  };
}

function aProposalId({ random, memory }: World): bigint | undefined {
  if (random.oneIn(20)) return BigInt(random.between(0, 30));
  return random.some(memory.proposals.slice(-4))?.id;
}

const WEIGHTS = [
  ['1'],
  ['0.5', '0.5'],
  ['0.7', '0.2', '0.1'],
  ['0.25', '0.25', '0.25', '0.25'],
  ['0.9', '0.2'],
] as const;

function aSplit({ random }: World): readonly { readonly option: number; readonly weight: string }[] {
  const options = random.shuffled([1, 2, 3, 4]);
  return random.pick(WEIGHTS).map((weight, i) => ({ option: options[i] ?? 1, weight }));
}

/** Mostly yes: what governance does is what the simulation wants to see. */
export function anOption({ random }: World): number {
  return random.weighted([
    { weight: 8, value: 1 },
    { weight: 1, value: 2 },
    { weight: 1, value: 3 },
    { weight: 1, value: 4 },
  ]);
}

function aVoter(world: World): Actor | undefined {
  return world.random.oneIn(3) ? anyone(world) : anOperator(world);
}

/** Proposals, deposits and votes, in both versions. */
export const govOperations: readonly Operation[] = [
  operation(gov.MsgSubmitProposal, 65, aProposal),
  operation(legacy.MsgSubmitProposal, 4, (world, proposer) => ({
    content: text('an old text'),
    initialDeposit: aDeposit(world, proposer),
    proposer: proposer.address,
  })),
  operation(
    gov.MsgVote,
    25,
    (world, { address: voter }) => {
      const proposalId = aProposalId(world);
      return proposalId === undefined
        ? undefined
        : { proposalId, voter, option: anOption(world), metadata: '' };
    },
    aVoter,
  ),
  operation(
    gov.MsgVoteWeighted,
    8,
    (world, { address: voter }) => {
      const proposalId = aProposalId(world);
      return proposalId === undefined
        ? undefined
        : { proposalId, voter, options: aSplit(world), metadata: '' };
    },
    aVoter,
  ),
  operation(gov.MsgDeposit, 10, (world, depositor) => {
    const proposalId = aProposalId(world);
    if (proposalId === undefined) return undefined;
    return { proposalId, depositor: depositor.address, amount: aDeposit(world, depositor) };
  }),
  {
    name: gov.MsgCancelProposal.name,
    weight: 4,
    draft(world) {
      const proposal = world.random.some(world.memory.proposals.slice(-3));
      const signer = proposal === undefined ? undefined : actorAt(world, proposal.proposer);
      if (proposal === undefined || signer === undefined) return undefined;
      const value = { proposalId: proposal.id, proposer: signer.address };
      return { signers: [signer], messages: [packed(gov.MsgCancelProposal, value)] };
    },
  },
  operation(
    legacy.MsgVote,
    6,
    (world, { address: voter }) => {
      const proposalId = aProposalId(world);
      return proposalId === undefined ? undefined : { proposalId, voter, option: anOption(world) };
    },
    aVoter,
  ),
  operation(
    legacy.MsgVoteWeighted,
    6,
    (world, { address: voter }) => {
      const proposalId = aProposalId(world);
      const options = aSplit(world).map(({ option, weight }) => ({
        option,
        weight: params.wireDecimal(weight),
      }));
      return proposalId === undefined ? undefined : { proposalId, voter, options };
    },
    aVoter,
  ),
  operation(legacy.MsgDeposit, 6, (world, depositor) => {
    const proposalId = aProposalId(world);
    if (proposalId === undefined) return undefined;
    return { proposalId, depositor: depositor.address, amount: aDeposit(world, depositor) };
  }),
  {
    name: 'a governed message of somebody else',
    weight: 6,
    draft(world) {
      const signer = anyone(world);
      return { signers: [signer], messages: [world.random.pick(GOVERNED)(world, signer.address)] };
    },
  },
  operation(MsgSubmitEvidence, 2, (world, signer) => ({
    submitter: signer.address,
    evidence: packed(Equivocation, {
      height: world.height,
      time: world.time,
      power: 1n,
      consensusAddress: world.composition.consensusAddresses.toText(world.random.bytes(20)),
    }),
  })),
];
