import { beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { Context } from '../framework/context.ts';
import { unlimitedGas } from '../framework/gas.ts';
import { JsonReader, type JsonValue } from '../framework/json.ts';
import type { MultiStoreBranch } from '../store/kv.ts';
import { MemoryMultiStore } from '../store/multistore.ts';
import { busyChain, keyAddress } from '../test/support/busy-chain.ts';
import { startFrom } from '../test/support/restore.ts';
import { operatorText } from '../test/support/staking-world.ts';
import { TestChain } from '../test/support/test-chain.ts';
import { momentOf } from './blocks.ts';
import { type ExportedState, exportState } from './export.ts';
import { initModules } from './genesis.ts';
import { type Composition, composeModules, storeNames } from './modules.ts';

/** State that a document has just begun, before any block. */
interface Begun {
  readonly composition: Composition;
  readonly branch: MultiStoreBranch;
  readonly context: Context;
}

function begin({ appState, consensusParams, initialHeight }: ExportedState): Begun {
  const composition = composeModules('open');
  const { modules, consensus } = composition;
  const branch = new MemoryMultiStore({ stores: storeNames(modules) }).branch();
  const block = momentOf('test-chain-1', initialHeight, { seconds: 1_700_000_100n, nanos: 0 });
  const context = new Context({ branch, block, mode: 'genesis', gas: unlimitedGas() });
  consensus.setParams(context, consensusParams);
  consensus.apply(context, initModules(modules, context, appState));
  return { composition, branch, context };
}

function exportedAgain({ composition, branch, context }: Begun): ExportedState {
  const block = { ...context.block, height: context.block.height - 1n };
  return exportState(composition, { branch, block });
}

function field(value: JsonValue | undefined, ...path: readonly string[]): JsonReader {
  return path.reduce((reader, name) => reader.member(name), new JsonReader(value, ''));
}

describe('an export', () => {
  let chain: TestChain;
  let exported: ExportedState;
  beforeAll(() => {
    chain = busyChain();
    exported = chain.app.exportState();
  });

  it('has something of every module, goes on at the next height and names the validators', () => {
    expect(exported.initialHeight).toBe(chain.height + 1n);
    expect(exported.validators.map(({ name, power }) => [name, power]).toSorted()).toEqual([
      ['validator 0', 12n],
      ['validator 1', 13n],
    ]);
    const lists = {
      auth: ['accounts'],
      authz: ['authorization'],
      bank: ['balances', 'supply'],
      attribution: ['claims'],
      datanet: ['datanets', 'contributions', 'snapshots'],
      distribution: ['delegator_starting_infos', 'validator_slash_events', 'delegator_withdraw_infos'],
      evidence: ['evidence'],
      feegrant: ['allowances'],
      gov: ['deposits', 'proposals', 'votes'],
      models: ['models'],
      payments: ['receipts'],
      slashing: ['signing_infos', 'missed_blocks'],
      staking: ['validators', 'delegations', 'unbonding_delegations', 'redelegations'],
    };
    for (const [module, names] of Object.entries(lists))
      for (const name of names)
        expect([module, name, field(exported.appState[module], name).elements().length > 0]).toEqual([
          module,
          name,
          true,
        ]);
  });

  it('that begins a chain is exported from it again, to the letter', () => {
    const again = exportedAgain(begin(exported));
    expect(again).toEqual(exported);
    expect(again.appState).not.toBe(exported.appState);
  });

  it('lets the chain go on: blocks are made, invariants hold', () => {
    const app = startFrom(chain, exported);
    expect(app.height).toBe(exported.initialHeight);
    expect(app.brokenInvariants()).toEqual([]);
  });

  it('of some modules has only their sections; one that there is not is refused', () => {
    const { appState } = chain.app.exportState({ modules: ['bank', 'gov'] });
    expect(Object.keys(appState).toSorted()).toEqual(['bank', 'gov']);
    expect(() => chain.app.exportState({ modules: ['bonk'] })).toThrow('module bonk not found');
  });

  it('of an earlier height says what was then; of one that is not kept it says what is', () => {
    const early = chain.app.exportState({ height: 3n });
    expect(early.initialHeight).toBe(4n);
    expect(field(early.appState['gov'], 'proposals').elements()).toEqual([]);
    expect(() => chain.app.exportState({ height: 10_000n })).toThrow('this node has versions 1 to');
  });

  it('changes nothing of the chain', () => {
    const hash = toHex(
      chain.app.info({ version: '', blockVersion: 0n, p2pVersion: 0n, abciVersion: '' }).lastBlockAppHash,
    );
    chain.app.exportState({ forZeroHeight: true });
    expect(chain.app.exportState()).toEqual(exported);
    expect(
      toHex(
        chain.app.info({ version: '', blockVersion: 0n, p2pVersion: 0n, abciVersion: '' }).lastBlockAppHash,
      ),
    ).toBe(hash);
  });

  it('restores every entry of every store but those of blocks', () => {
    const { branch } = begin(exported);
    const view = chain.app.contextAt(chain.height);
    const differing = storeNames(chain.app.composition.modules).flatMap((name) => {
      const before = new Map([...view.reader(name).iterate({})].map(([k, v]) => [toHex(k), toHex(v)]));
      const after = new Map([...branch.reader(name).iterate({})].map(([k, v]) => [toHex(k), toHex(v)]));
      const keys = new Set([...before.keys(), ...after.keys()]);
      return [...keys]
        .filter((key) => before.get(key) !== after.get(key))
        .map((key) => `${name} ${key.slice(0, 2)}`);
    });
    // The time of the last block, which genesis sets, and past headers, which the SDK does not export either.
    expect([...new Set(differing)].toSorted()).toEqual(['consensus 02', 'staking 50']);
  });
});

describe('an export for height 0', () => {
  let chain: TestChain;
  let exported: ExportedState;
  beforeAll(() => {
    chain = busyChain();
    const jailAllowed = [operatorText(chain.account(0))];
    exported = chain.app.exportState({ forZeroHeight: true, jailAllowed });
  });

  it('begins at height 0 with nothing owed: rewards are paid, dust is the community’s', () => {
    expect(exported.initialHeight).toBe(0n);
    const { distribution } = exported.appState;
    for (const name of ['outstanding_rewards', 'validator_accumulated_commissions', 'validator_slash_events'])
      for (const element of field(distribution, name).elements())
        expect(
          Object.values(element.object()).filter((value) => Array.isArray(value) && value.length > 0),
        ).toEqual([]);
    for (const element of field(distribution, 'delegator_starting_infos').elements())
      expect(element.member('starting_info').member('height').value).toBe('0');
  });

  it('counts everything from height 0', () => {
    const { staking, slashing } = exported.appState;
    for (const list of ['unbonding_delegations', 'redelegations'])
      for (const held of field(staking, list).elements())
        for (const entry of held.member('entries').elements()) {
          const place = list === 'redelegations' ? entry.member('redelegation_entry') : entry;
          expect((place.present ? place : entry).member('creation_height').value).toBe('0');
        }
    for (const validator of field(staking, 'validators').elements())
      expect(validator.member('unbonding_height').value).toBe('0');
    for (const info of field(slashing, 'signing_infos').elements())
      expect(info.member('validator_signing_info').member('start_height').value).toBe('0');
  });

  it('jails who is not allowed, and they leave the set', () => {
    expect(exported.validators.map(({ address }) => toHex(address))).toEqual([toHex(keyAddress(0))]);
    const jailed = field(exported.appState['staking'], 'validators').elements();
    expect(jailed.filter((validator) => validator.member('jailed').boolean())).toHaveLength(2);
  });

  it('begins a chain at height 1 whose invariants hold, and is exported from it again', () => {
    const begun = begin({ ...exported, initialHeight: 1n });
    expect(exportedAgain(begun)).toEqual({ ...exported, initialHeight: 1n });
    const app = startFrom(chain, exported);
    expect([app.height, app.brokenInvariants()]).toEqual([1n, []]);
  });

  it('is refused when nobody would sign, on an operator that is none, and a jail list for another height', () => {
    const tombstoned = operatorText(chain.account(2));
    const refuse = (jailAllowed: readonly string[], forZeroHeight = true) =>
      expect(() => chain.app.exportState({ forZeroHeight, jailAllowed }));
    refuse([tombstoned]).toThrow('no validator that is not jailed would be left to sign');
    refuse(['open1x']).toThrow('open1x is no operator of a validator');
    refuse([operatorText(chain.account(5))]).toThrow('validator does not exist');
    refuse([tombstoned], false).toThrow('validators are jailed only for height 0');
  });

  it('of a chain whose validators are fixed keeps them', () => {
    const fixed = new TestChain();
    fixed.block();
    const { validators, initialHeight } = fixed.app.exportState({ forZeroHeight: true });
    expect([validators.length, initialHeight]).toEqual([1, 0n]);
  });
});
