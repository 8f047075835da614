import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { moduleAddress } from '../framework/address.ts';
import type { Context } from '../framework/context.ts';
import type { Module } from '../framework/module.ts';
import type { UpgradeNotice, UpgradeWork } from '../modules/upgrade/types.ts';
import { MsgSubmitProposal, MsgVote } from '../proto/gen/cosmos/gov/v1/tx.ts';
import * as query from '../proto/gen/cosmos/upgrade/v1beta1/query.ts';
import { MsgCancelUpgrade, MsgSoftwareUpgrade } from '../proto/gen/cosmos/upgrade/v1beta1/tx.ts';
import { Plan } from '../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import type { Any } from '../proto/gen/google/protobuf/any.ts';
import { deliverOk } from '../test/support/economic-loop.ts';
import { emptyModule } from '../test/support/empty-module.ts';
import { governed, propose } from '../test/support/governed-chain.ts';
import { anyOf, TestChain, type TestChainOptions } from '../test/support/test-chain.ts';

const KEY = utf8('key');

/** A module that has one entry in each of its stores. */
function testModule(name: string, change: Partial<Module> = {}): Module {
  return emptyModule(name, {
    storeNames: [name],
    genesis: {
      defaults: () => ({}),
      validate: () => undefined,
      init(context) {
        context.store(name).set(KEY, utf8(`genesis of ${name}`));
        return [];
      },
      export: () => ({}),
    },
    ...change,
  });
}

const append = (store: string, text: string) => (context: Context) => {
  const before = context.store(store).get(KEY) ?? new Uint8Array(0);
  context.store(store).set(KEY, Uint8Array.from([...before, ...utf8(text)]));
};

/** Before the upgrade: three modules of version 1. */
const BEFORE = [testModule('stays'), testModule('moves'), testModule('goes')];
/** After it: one has migrations, one another store, one is new. */
const AFTER = [
  testModule('stays', {
    consensusVersion: 3,
    migrations: new Map([
      [1, append('stays', ', second')],
      [2, append('stays', ', third')],
    ]),
  }),
  testModule('moves', { storeNames: ['moved'] }),
  testModule('comes'),
];
const V2 = {
  name: 'v2',
  stores: { added: ['comes'], deleted: ['goes'], renamed: [{ from: 'moves', to: 'moved' }] },
};
const AFTER_PROGRAM = { furtherModules: AFTER, upgrades: [V2] };

const AUTHORITY = new TestChain().app.composition.addresses.toText(moduleAddress('gov'));

const types = {
  plan: { request: query.QueryCurrentPlanRequest, response: query.QueryCurrentPlanResponse },
  applied: { request: query.QueryAppliedPlanRequest, response: query.QueryAppliedPlanResponse },
  versions: { request: query.QueryModuleVersionsRequest, response: query.QueryModuleVersionsResponse },
  authority: { request: query.QueryAuthorityRequest, response: query.QueryAuthorityResponse },
  ibc: {
    request: query.QueryUpgradedConsensusStateRequest,
    response: query.QueryUpgradedConsensusStateResponse,
  },
};
const SERVICE = '/cosmos.upgrade.v1beta1.Query';

function newChain(app: TestChainOptions['app'] = { furtherModules: BEFORE }): TestChain {
  return new TestChain({ ...governed(2), ...(app && { app }) });
}

/** Has governance send a message, and waits until it has. */
function decide(chain: TestChain, ...messages: readonly Any[]): void {
  propose(chain, ...messages);
  for (let i = 0; i < 3; i++) chain.block();
}

const softwareUpgrade = (plan: Partial<Plan>, authority = AUTHORITY): Any =>
  anyOf(MsgSoftwareUpgrade, { authority, plan: Plan.create(plan) });

function entry(chain: TestChain, store: string, height = chain.height): string {
  const bytes = chain.app.contextAt(height).reader(store).get(KEY);
  return bytes === undefined ? 'none' : new TextDecoder().decode(bytes);
}

const appHash = (chain: TestChain): string =>
  toHex(chain.app.info({ version: '', blockVersion: 0n, p2pVersion: 0n, abciVersion: '' }).lastBlockAppHash);

/** A chain whose next block is that of the plan. */
function atUpgrade(app?: TestChainOptions['app']): TestChain {
  const chain = newChain(app);
  decide(chain, softwareUpgrade({ name: 'v2', height: 8n, info: 'get it' }));
  while (chain.height < 7n) chain.block();
  return chain;
}

describe('an upgrade that governance has decided', () => {
  it('is there to see, and stops the old program at its height, again and again', () => {
    const chain = newChain();
    decide(chain, softwareUpgrade({ name: 'v2', height: 8n, info: 'get it' }));
    expect(chain.query(`${SERVICE}/CurrentPlan`, types.plan, {}).plan).toMatchObject({
      name: 'v2',
      height: 8n,
      info: 'get it',
      time: { seconds: -62_135_596_800n, nanos: 0 },
    });
    while (chain.height < 7n) chain.block();
    const before = appHash(chain);
    for (let i = 0; i < 2; i++) {
      expect(() => chain.app.requireProgram()).toThrow('UPGRADE "v2" NEEDED at height: 8: get it');
      expect(() => chain.block()).toThrow('UPGRADE "v2" NEEDED at height: 8: get it');
      chain.restart({ furtherModules: BEFORE });
      expect([chain.height, appHash(chain)]).toEqual([7n, before]);
    }
  });

  it('is carried out by the program that knows it: stores, migrations, new modules', () => {
    const notices: UpgradeNotice[] = [];
    const chain = atUpgrade();
    chain.restart({ ...AFTER_PROGRAM, onUpgrade: (notice) => void notices.push(notice) });
    chain.app.requireProgram();
    chain.block();
    expect(notices).toEqual([{ kind: 'applied', name: 'v2', height: 8n, info: 'get it' }]);
    expect(entry(chain, 'stays')).toBe('genesis of stays, second, third');
    expect(entry(chain, 'moved')).toBe('genesis of moves');
    expect(entry(chain, 'comes')).toBe('genesis of comes');
    expect(() => entry(chain, 'goes')).toThrow('there is no store "goes"');
    expect(() => entry(chain, 'moves')).toThrow('there is no store "moves"');
    expect([entry(chain, 'moves', 7n), entry(chain, 'comes', 7n)]).toEqual(['genesis of moves', 'none']);
    expect(chain.query(`${SERVICE}/CurrentPlan`, types.plan, {}).plan).toBeUndefined();
    expect(chain.query(`${SERVICE}/AppliedPlan`, types.applied, { name: 'v2' }).height).toBe(8n);
    const { moduleVersions } = chain.query(`${SERVICE}/ModuleVersions`, types.versions, {});
    const versions = new Map(moduleVersions.map(({ name, version }) => [name, version]));
    expect([versions.get('stays'), versions.get('comes'), versions.get('bank')]).toEqual([3n, 1n, 4n]);
    chain.block();
    expect(chain.app.brokenInvariants()).toEqual([]);
    chain.restart(AFTER_PROGRAM);
    chain.block();
    expect(chain.height).toBe(10n);
  });

  it('gives the same app hash when the block is executed twice, or beside a dropped one', () => {
    const [once, twice] = [atUpgrade(), atUpgrade()];
    for (const chain of [once, twice]) chain.restart(AFTER_PROGRAM);
    const request = {
      txs: [],
      decidedLastCommit: { round: 0, votes: [] },
      misbehavior: [],
      height: 8n,
      time: { seconds: 1_700_000_008n, nanos: 0 },
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    };
    const { appHash: expected } = once.app.finalizeBlock({ ...request, hash: utf8('a') });
    twice.app.finalizeBlock({ ...request, hash: utf8('b'), proposerAddress: new Uint8Array(20).fill(1) });
    expect(toHex(twice.app.finalizeBlock({ ...request, hash: utf8('a') }).appHash)).toBe(toHex(expected));
    twice.app.commit();
    expect(twice.app.contextAt(8n).reader('moved').get(KEY)).toEqual(utf8('genesis of moves'));
  });

  it('stops a program that knows it before its height', () => {
    const chain = newChain();
    decide(chain, softwareUpgrade({ name: 'v2', height: 9n }));
    chain.restart({ furtherModules: BEFORE, upgrades: [{ name: 'v2' }] });
    expect(() => chain.app.requireProgram()).toThrow('BINARY UPDATED BEFORE TRIGGER! UPGRADE "v2"');
    expect(() => chain.block()).toThrow('Downgrade your binary; the upgrade is due at height 9');
    expect(() => chain.restart(AFTER_PROGRAM)).toThrow('BINARY UPDATED BEFORE TRIGGER');
  });

  it('stops a program that does not know it afterwards', () => {
    const chain = atUpgrade();
    const known = { furtherModules: BEFORE, upgrades: [{ name: 'v2' }] };
    chain.restart(known);
    chain.block();
    chain.restart({ furtherModules: BEFORE });
    expect(() => chain.block()).toThrow('upgrade handler is missing for v2 upgrade plan');
    expect(() => chain.app.requireProgram()).toThrow('upgrade handler is missing for v2 upgrade plan');
    chain.restart(known);
    chain.block();
  });

  it('is passed over at a height that the operator names', () => {
    const notices: UpgradeNotice[] = [];
    const chain = atUpgrade();
    const skipping = { furtherModules: BEFORE, skipUpgrades: [8n] };
    chain.restart({ ...skipping, onUpgrade: (notice) => void notices.push(notice) });
    chain.app.requireProgram();
    chain.block();
    expect(notices.map(({ kind }) => kind)).toEqual(['skipped']);
    expect(chain.query(`${SERVICE}/CurrentPlan`, types.plan, {}).plan).toBeUndefined();
    expect(chain.query(`${SERVICE}/AppliedPlan`, types.applied, { name: 'v2' }).height).toBe(0n);
    chain.restart({ furtherModules: BEFORE });
    chain.block();
  });

  it('may change state itself before the migrations', () => {
    const chain = atUpgrade();
    const run = append('goes', ' by hand');
    const upgrade = {
      name: 'v2',
      run(context: Context, { from, migrate }: UpgradeWork) {
        run(context);
        return migrate(from);
      },
    };
    chain.restart({ furtherModules: BEFORE, upgrades: [upgrade] });
    chain.block();
    expect(entry(chain, 'goes')).toBe('genesis of goes by hand');
  });

  it('stops at a migration that is missing, and leaves the state as it was', () => {
    const chain = atUpgrade();
    const modules = BEFORE.map((module) => ({ ...module, consensusVersion: 2 }));
    chain.restart({ furtherModules: modules, upgrades: [{ name: 'v2' }] });
    expect(() => chain.block()).toThrow(
      'no migration found for module goes from version 1 to version 2: not found',
    );
    chain.restart({ furtherModules: BEFORE, upgrades: [{ name: 'v2' }] });
    chain.block();
  });

  it('needs the stores that it says: others are refused by name', () => {
    const chain = atUpgrade();
    expect(() => chain.restart({ furtherModules: AFTER, upgrades: [{ name: 'v2' }] })).toThrow(
      'the state of height 7 is not one of this program: it lacks moved, comes and it has goes, moves besides',
    );
    expect(() => newChain().restart(AFTER_PROGRAM)).not.toThrow(); // nothing is committed yet
  });
});

describe('plans', () => {
  it('are made and cancelled by governance alone', () => {
    const chain = newChain();
    const mine = chain.account(0).address;
    for (const message of [
      softwareUpgrade({ name: 'v2', height: 90n }, mine),
      anyOf(MsgCancelUpgrade, { authority: mine }),
    ]) {
      const result = chain.deliver(chain.sign(chain.account(0), [message]));
      expect([result.codespace, result.code]).toEqual(['upgrade', 6]);
      expect(result.log).toContain(
        `expected ${AUTHORITY} got ${mine}: expected authority account as only signer for proposal message`,
      );
    }
    decide(chain, softwareUpgrade({ name: 'v2', height: 90n }));
    decide(chain, softwareUpgrade({ name: 'v3', height: 95n }));
    expect(chain.query(`${SERVICE}/CurrentPlan`, types.plan, {}).plan?.name).toBe('v3');
    decide(chain, anyOf(MsgCancelUpgrade, { authority: AUTHORITY }));
    expect(chain.query(`${SERVICE}/CurrentPlan`, types.plan, {}).plan).toBeUndefined();
    decide(chain, anyOf(MsgCancelUpgrade, { authority: AUTHORITY }));
  });

  it.each<[string, Partial<Plan>, string]>([
    ['without a name', { height: 90n }, 'name cannot be empty'],
    ['without a height', { name: 'v2' }, 'height must be greater than 0'],
    ['of the past', { name: 'v2', height: 1n }, 'upgrade cannot be scheduled in the past'],
    [
      'for a time',
      { name: 'v2', height: 90n, time: { seconds: 1_800_000_000n, nanos: 0 } },
      'time-based upgrades have been deprecated in the SDK',
    ],
    [
      'with a client state',
      {
        name: 'v2',
        height: 90n,
        upgradedClientState: { typeUrl: '/cosmos.bank.v1beta1.MsgSend', value: utf8('') },
      },
      'upgrade logic for IBC has been moved to the IBC module',
    ],
  ])('%s are refused', (_, plan, problem) => {
    const chain = newChain();
    const proposal = MsgSubmitProposal.create({
      messages: [softwareUpgrade(plan)],
      initialDeposit: [{ denom: 'uopen', amount: '1000' }],
      proposer: chain.account(0).address,
      title: 't',
      summary: 's',
    });
    chain.block();
    const options = { gas: 1_000_000n };
    const result = chain.deliver(chain.sign(chain.account(0), [anyOf(MsgSubmitProposal, proposal)], options));
    const log = result.code === 0 ? failureOf(chain) : result.log;
    expect(log).toContain(problem);
  });

  it('of a name that is done are refused', () => {
    const chain = atUpgrade();
    chain.restart({ furtherModules: BEFORE, upgrades: [{ name: 'v2' }] });
    chain.block();
    decide(chain, softwareUpgrade({ name: 'v2', height: 90n }));
    expect(chain.query(`${SERVICE}/CurrentPlan`, types.plan, {}).plan).toBeUndefined();
  });

  it('are asked about as in the SDK', () => {
    const chain = newChain();
    chain.block();
    expect(chain.query(`${SERVICE}/Authority`, types.authority, {}).address).toBe(AUTHORITY);
    expect(chain.query(`${SERVICE}/ModuleVersions`, types.versions, { moduleName: 'gov' })).toEqual({
      moduleVersions: [{ name: 'gov', version: 5n }],
    });
    expect(() => chain.query(`${SERVICE}/ModuleVersions`, types.versions, { moduleName: 'bonk' })).toThrow(
      'x/upgrade: QueryModuleVersions module bonk not found: module version not found',
    );
    const { upgradedConsensusState } = chain.query(`${SERVICE}/UpgradedConsensusState`, types.ibc, {
      lastHeight: 8n,
    });
    expect(upgradedConsensusState).toHaveLength(0);
  });
});

/** Why the first proposal failed. */
function failureOf(chain: TestChain): string {
  const id = 1n;
  deliverOk(
    chain,
    chain.account(0),
    anyOf(MsgVote, { proposalId: id, voter: chain.account(0).address, option: 1, metadata: '' }),
  );
  for (let i = 0; i < 3; i++) chain.block();
  return JSON.stringify(chain.app.exportState({ modules: ['gov'] }).appState['gov']);
}
