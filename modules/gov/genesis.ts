import { moduleAddress } from '../../framework/address.ts';
import { AnyTypes } from '../../framework/any-types.ts';
import {
  addCoins,
  type Coins,
  coinsToString,
  equalCoins,
  NO_COINS,
  parseCoins,
} from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GenesisState } from '../../proto/gen/cosmos/gov/v1/genesis.ts';
import type { Params } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { Proposal, ProposalStatus } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { DEFAULT_PARAMS, validateParams } from './params.ts';
import type { GovCore } from './ports.ts';
import { endOf, setProposal } from './proposals.ts';
import { STORE_NAME } from './state.ts';
import { requireWhole } from './votes.ts';

const GOV_ADDRESS = moduleAddress(STORE_NAME);
const NO_TYPES = new AnyTypes([]);

/** Genesis of governance, in x/gov's shape. */
export function govGenesis(k: GovCore): GenesisHandler {
  const types = (): AnyTypes => k.router().types;
  return {
    defaults: () =>
      messageToJson(
        GenesisState,
        GenesisState.create({ startingProposalId: 1n, params: DEFAULT_PARAMS }),
        NO_TYPES,
      ),
    validate: (json) => void readGenesis(k, json, types()),
    init(context, json) {
      writeGenesis(k, context, json, readGenesis(k, json, types()));
      return [];
    },
    export: (context) => messageToJson(GenesisState, exportGenesis(k, context), types()),
  };
}

/** A section whose parameters are there. */
interface GovGenesis extends GenesisState {
  readonly params: Params;
}

function readGenesis(k: GovCore, json: JsonReader, types: AnyTypes): GovGenesis {
  const state = messageFromJson(GenesisState, json, types);
  if (state.startingProposalId === 0n) json.member('starting_proposal_id').fail('must be greater than 0');
  for (const old of ['deposit_params', 'voting_params', 'tally_params'])
    if (json.member(old).present) json.member(old).fail('is of an older version: params has it');
  const params = state.params ?? json.member('params').fail('is missing');
  json.member('params').attempt(() => validateParams(params, k.addresses));
  json.attempt(() => types.check(GenesisState, { ...state, proposals: [] }));
  const ids = readProposals(json.member('proposals').elements(), state, types);
  checkDeposits(k, json.member('deposits').elements(), { state, ids });
  checkVotes(k, json.member('votes').elements(), { state, ids });
  return { ...state, params };
}

function readProposals(
  entries: readonly JsonReader[],
  state: GenesisState,
  types: AnyTypes,
): ReadonlySet<bigint> {
  const ids = new Set<bigint>();
  for (const [i, entry] of entries.entries()) {
    const proposal = state.proposals[i] ?? entry.fail('is missing');
    const { id } = proposal;
    // Each by itself: what a transaction may hold at most says nothing of how many there may be.
    entry.attempt(() => types.check(Proposal, proposal));
    if (ids.has(id)) entry.member('id').fail(`there are two proposals ${id}`);
    if (id === 0n || id >= state.startingProposalId)
      entry.member('id').fail(`${id} is not from 1 to before starting_proposal_id`);
    ids.add(id);
    entry.attempt(() => parseCoins(proposal.totalDeposit));
    if (queueEnd(proposal) === undefined && isOpen(proposal)) entry.fail('has no end of its period');
  }
  return ids;
}

function isOpen({ status }: Proposal): boolean {
  return (
    status === ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD ||
    status === ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD
  );
}

function queueEnd({
  status,
  depositEndTime,
  votingEndTime,
  votingStartTime,
}: Proposal): Proposal['submitTime'] {
  if (status === ProposalStatus.PROPOSAL_STATUS_DEPOSIT_PERIOD) return depositEndTime;
  return votingStartTime === undefined ? undefined : votingEndTime;
}

interface Listed {
  readonly state: GenesisState;
  readonly ids: ReadonlySet<bigint>;
}

function checkDeposits(k: GovCore, entries: readonly JsonReader[], { state, ids }: Listed): void {
  const seen = new Set<string>();
  for (const [i, entry] of entries.entries()) {
    const { proposalId, depositor, amount } = state.deposits[i] ?? entry.fail('is missing');
    requireOnce(entry, { ids, seen, proposalId, account: depositor });
    entry.member('depositor').attempt(() => k.addresses.toBytes(depositor));
    entry.member('amount').attempt(() => parseCoins(amount));
  }
}

function checkVotes(k: GovCore, entries: readonly JsonReader[], { state, ids }: Listed): void {
  const seen = new Set<string>();
  for (const [i, entry] of entries.entries()) {
    const { proposalId, voter, options } = state.votes[i] ?? entry.fail('is missing');
    requireOnce(entry, { ids, seen, proposalId, account: voter });
    entry.member('voter').attempt(() => k.addresses.toBytes(voter));
    entry.member('options').attempt(() => requireWhole(options));
  }
}

function requireOnce(
  entry: JsonReader,
  given: {
    readonly ids: ReadonlySet<bigint>;
    readonly seen: Set<string>;
    readonly proposalId: bigint;
    readonly account: string;
  },
): void {
  const { ids, seen, proposalId, account } = given;
  if (!ids.has(proposalId)) entry.member('proposal_id').fail(`there is no proposal ${proposalId}`);
  const key = `${proposalId}/${account.toLowerCase()}`;
  if (seen.has(key)) entry.fail(`${account} is listed twice for proposal ${proposalId}`);
  seen.add(key);
}

function writeGenesis(k: GovCore, context: Context, json: JsonReader, genesis: GovGenesis): void {
  const { state, addresses } = k;
  state.proposalId.set(context, genesis.startingProposalId);
  state.params.set(context, genesis.params);
  state.constitution.set(context, genesis.constitution);
  let total: Coins = NO_COINS;
  for (const deposit of genesis.deposits) {
    state.deposits.set(context, [deposit.proposalId, addresses.toBytes(deposit.depositor)], deposit);
    total = addCoins(total, parseCoins(deposit.amount));
  }
  for (const vote of genesis.votes)
    state.votes.set(context, [vote.proposalId, addresses.toBytes(vote.voter)], vote);
  for (const proposal of genesis.proposals) {
    setProposal(k, context, proposal);
    const isVoting = proposal.status === ProposalStatus.PROPOSAL_STATUS_VOTING_PERIOD;
    const queue = isVoting ? state.activeQueue : state.inactiveQueue;
    if (isOpen(proposal)) queue.set(context, [endOf(queueEnd(proposal)), proposal.id], proposal.id);
  }
  const balances = k.bank.balances(context, GOV_ADDRESS);
  if (!equalCoins(balances, total))
    json
      .member('deposits')
      .fail(`are ${coinsToString(total)}, but the module's account holds ${coinsToString(balances)}`);
}

function exportGenesis(k: GovCore, context: ReadContext): GenesisState {
  const { state } = k;
  return GenesisState.create({
    startingProposalId: state.proposalId.peek(context),
    deposits: [...state.deposits.iterate(context)].map(([, deposit]) => deposit),
    votes: [...state.votes.iterate(context)].map(([, vote]) => vote),
    proposals: [...state.proposals.iterate(context)].map(([, proposal]) => proposal),
    params: state.params.get(context) ?? DEFAULT_PARAMS,
    constitution: state.constitution.get(context) ?? '',
  });
}
