/** A chain on which something happens in every block, so that whatever parameters do to a hook is seen. */
import { messageOf } from '../../core/errors.ts';
import { toBase64 } from '../../core/bytes.ts';
import { moduleAddress } from '../../framework/address.ts';
import { canonicalJson, type JsonObject, JsonReader, type JsonValue } from '../../framework/json.ts';
import { StateError } from '../../framework/errors.ts';
import { messageFromJson } from '../../framework/proto-json.ts';
import { parseGenesis } from '../../genesis/document.ts';
import { defaultAppState } from '../../app/genesis.ts';
import { composeModules } from '../../app/modules.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import * as gov from '../../proto/gen/cosmos/gov/v1/tx.ts';
import * as dist from '../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import * as staking from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { GOV_PARAMS } from '../support/gov-world.ts';
import { collect, votesOf } from '../support/rewards.ts';
import { consensusKey, StakingWorld, stakingSections } from '../support/staking-world.ts';
import { testAccount } from '../support/test-chain.ts';
import { CONSENSUS_JSON, type Section } from './sections.ts';

const VALIDATORS = [40_000_000n, 30_000_000n, 20_000_000n];
const ACCOUNTS = 6;
const COINS = 1_000_000_000_000n;
const BLOCKS = 4;
/** Somewhere in a run periods end. */
const LONG_BLOCK = 2;
const LONG_SECONDS = 200n;
/** A year has ten blocks: something is minted. */
const MINT = { blocks_per_year: '10', mint_denom: 'uopen' } as const;

/** Sections of the genesis document of these chains. */
const SECTIONS_JSON: JsonObject = baseSections();

/** Parameters by section, where the chains of the tests begin. */
export const BASE: Readonly<Record<string, JsonObject>> = baseParams();

function baseSections(): JsonObject {
  const accounts = Array.from({ length: ACCOUNTS }, (_, i) => testAccount(`${i}`));
  const given = stakingSections({ validators: VALIDATORS, accounts, coins: COINS });
  const defaults = defaultAppState(composeModules('open').modules);
  const mint = objectOf(defaults, 'mint');
  const params = { ...objectOf(mint, 'params'), ...MINT };
  return {
    ...defaults,
    ...given,
    mint: { ...mint, params },
    gov: { starting_proposal_id: '1', params: GOV_PARAMS },
  };
}

function baseParams(): Readonly<Record<string, JsonObject>> {
  const bases = Object.entries(SECTIONS_JSON).flatMap(([name, value]) => {
    const params = new JsonReader(value, name).member('params');
    return params.present ? [[name, params.object()]] : [];
  });
  return { ...Object.fromEntries(bases), consensus: CONSENSUS_JSON };
}

function objectOf(json: JsonValue, name: string): JsonObject {
  return new JsonReader(json, '').member(name).object();
}

/** The account of governance, as text. */
export const AUTHORITY: string = composeModules('open').addresses.toText(moduleAddress('gov'));

/** A chain that begins with these parameters in these sections. @throws JsonError naming the path */
export function chainWith(params: Readonly<Record<string, JsonObject>>): StakingWorld {
  const changed = Object.entries(params)
    .filter(([name]) => name !== 'consensus')
    .map(([name, value]) => [name, { ...objectOf(SECTIONS_JSON, name), params: value }]);
  const consensus = params['consensus'];
  const parsed = consensus === undefined ? undefined : parseGenesis(documentOf(consensus)).consensusParams;
  const world = new StakingWorld({
    validators: VALIDATORS,
    accounts: ACCOUNTS,
    coins: COINS,
    sections: { ...SECTIONS_JSON, ...Object.fromEntries(changed) },
  });
  if (parsed !== undefined) world.composition.consensus.setParams(world.context, parsed);
  return world;
}

const SHARED = composeModules('open');

/** Reads a section with these parameters as the genesis document is read. @throws JsonError naming the path */
export function readSection({ module: name }: Section, params: JsonObject): void {
  if (name === 'consensus') parseGenesis(documentOf(params));
  const module = SHARED.modules.find((one) => one.name === name);
  const section = { ...objectOf({ consensus: {}, ...SECTIONS_JSON }, name), params };
  module?.genesis?.validate(new JsonReader(section, `app_state.${name}`));
}

/** A genesis document with as many validators as there are. */
function documentOf(consensusParams: JsonObject): string {
  return canonicalJson({
    genesis_time: '2026-01-01T00:00:00Z',
    chain_id: 'parameters-1',
    initial_height: '1',
    consensus_params: consensusParams,
    validators: VALIDATORS.map((_, i) => ({
      address: '',
      pub_key: { type: 'tendermint/PubKeyEd25519', value: toBase64(consensusKey(i)) },
      power: '1',
      name: '',
    })),
    app_hash: '',
    app_state: {},
  });
}

/** What came of an attempt. `skipped`: there is no such message. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'skipped' };

/** The message of governance with these parameters, as JSON has them. */
export function changeByJson(world: StakingWorld, section: Section, params: JsonObject): Outcome {
  const type = updateType(world, section);
  const inner = section.module === 'consensus' ? params : { params };
  const { version: _, ...json } = { ...inner, authority: AUTHORITY } as JsonObject;
  let message: unknown;
  try {
    message = messageFromJson(type, new JsonReader(json, 'message'));
  } catch {
    return { kind: 'skipped' };
  }
  return change(world, type, message);
}

/** The type of a section's `MsgUpdateParams`. */
export function updateType(world: StakingWorld, { update }: Section): MessageType<unknown> {
  return world.composition.router.require(update).type;
}

/** Runs a message of governance. Whatever it throws but a refusal is thrown. */
export function change(world: StakingWorld, type: MessageType<unknown>, message: unknown): Outcome {
  try {
    const bytes = type.encode(message);
    const bound = world.composition.router.require(type.typeUrl).bind(bytes, world.composition.addresses);
    bound.validate();
    const { context, write } = world.context.branch();
    bound.run(context);
    write();
    return { kind: 'done' };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return { kind: 'refused', why: messageOf(error) };
  }
}

/** Runs some busy blocks. @returns what broke; undefined when nothing did */
export function problemOfBlocks(world: StakingWorld, blocks: number = BLOCKS): string | undefined {
  try {
    for (let i = 0; i < blocks; i++) {
      const number = Number(world.context.block.height % BigInt(BLOCKS));
      act(world, number);
      endBusyBlock(world, number);
    }
  } catch (error) {
    return `block ${world.context.block.height}: ${messageOf(error)}`;
  }
  // A single block is one of many on the same chain, after which the caller looks.
  return blocks > 1 ? world.broken()[0] : undefined;
}

/** The last validator is never there; once another one has signed twice. */
function endBusyBlock(world: StakingWorld, i: number): void {
  const votes = votesOf(world).map((vote, j) => ({ ...vote, absent: j === VALIDATORS.length - 1 }));
  const { height, time } = world.context.block;
  const [, offender] = votes;
  const misbehavior =
    i !== LONG_BLOCK + 1 || offender === undefined
      ? []
      : [{ kind: 'duplicate-vote' as const, ...offender, height: height - 1n, time }];
  world.endBlock(i === LONG_BLOCK ? LONG_SECONDS : 1n, { lastCommit: votes, misbehavior });
}

/** Stakes move, and there is something to vote on; what is refused is refused. */
function act(world: StakingWorld, i: number): void {
  const { address } = world.account(4);
  const [first, second] = [world.operator(0), world.operator(1)];
  const amount = { denom: 'uopen', amount: '3000000' };
  const stake = { delegatorAddress: address, validatorAddress: first, amount };
  const move = { delegatorAddress: address, validatorSrcAddress: first, validatorDstAddress: second };
  collect(world, '1000000uopen');
  attempt(world, staking.MsgDelegate, stake);
  attempt(world, staking.MsgUndelegate, { ...stake, amount: { denom: 'uopen', amount: '1000' } });
  attempt(world, staking.MsgBeginRedelegate, { ...move, amount: { denom: 'uopen', amount: '1000' } });
  attempt(world, dist.MsgWithdrawDelegatorReward, { delegatorAddress: address, validatorAddress: first });
  const initialDeposit = [{ denom: 'uopen', amount: i % 2 === 0 ? '1000' : '100' }];
  const words = { metadata: 'text', title: 'title', summary: 'summary' };
  attempt(world, gov.MsgSubmitProposal, {
    ...words,
    messages: [],
    initialDeposit,
    proposer: address,
    expedited: false,
  });
  const voter = world.account(0).address;
  for (const proposalId of [1n, 2n])
    attempt(world, gov.MsgVote, { proposalId, voter, option: 1, metadata: '' });
}

function attempt<M>(world: StakingWorld, type: MessageType<M>, value: M): void {
  change(world, type, value);
}
