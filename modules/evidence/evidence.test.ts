/** Equivocators, with the arithmetic. The rules: x/evidence `README.md`. */
import { describe, expect, it } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Misbehavior } from '../../framework/context.ts';
import { JsonReader } from '../../framework/json.ts';
import { Equivocation } from '../../proto/gen/cosmos/evidence/v1beta1/evidence.ts';
import * as wire from '../../proto/gen/cosmos/evidence/v1beta1/query.ts';
import { MsgSubmitEvidence } from '../../proto/gen/cosmos/evidence/v1beta1/tx.ts';
import { MsgUnjail, MsgUnjailResponse } from '../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import { MsgUndelegate, MsgUndelegateResponse } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { PubKey } from '../../proto/gen/cosmos/crypto/secp256k1/keys.ts';
import { restoreChain } from '../../test/support/restore.ts';
import { consensusKey, StakingWorld, stakingSections } from '../../test/support/staking-world.ts';
import { anyOf, TestChain, testAccount } from '../../test/support/test-chain.ts';

const FOREVER = { seconds: 253_402_300_799n, nanos: 0 };

function worldOf(): StakingWorld {
  return new StakingWorld({ validators: [10_000_000n, 10_000_000n] });
}

/** Two votes of validator 0 in the block under way. */
function caught(world: StakingWorld, edit: Partial<Misbehavior> = {}): Misbehavior {
  return {
    kind: 'duplicate-vote',
    validatorAddress: world.keyAddress(0),
    power: 10n,
    height: world.context.block.height,
    time: world.time,
    ...edit,
  };
}

function shown(world: StakingWorld): readonly string[] {
  return world.context.events
    .filter(({ type }) => type === 'slash')
    .map(({ attributes }) => attributes.map(({ key, value }) => `${key}=${value}`).join(' '));
}

function tokensOf(world: StakingWorld): bigint | undefined {
  return world.composition.staking.validator(world.context, world.address(0))?.tokens;
}

describe('an equivocator', () => {
  it.each(['duplicate-vote', 'light-client-attack'] as const)('is slashed and out for ever: %s', (kind) => {
    const world = worldOf();
    const { slashing, consensusAddresses } = world.composition;
    const address = consensusAddresses.toText(world.keyAddress(0));
    world.endBlock(1n, { misbehavior: [caught(world, { kind })] });
    // 5 % of 10 × 10^6 tokens.
    expect(shown(world)).toEqual([
      `address=${address} power=10 reason=double_sign burned_coins=500000`,
      `jailed=${address}`,
    ]);
    expect(tokensOf(world)).toBe(9_500_000n);
    expect(slashing.signingInfo(world.context, world.keyAddress(0))).toMatchObject({
      tombstoned: true,
      jailedUntil: FOREVER,
    });
    expect(world.endBlock()).toMatchObject([{ power: 0n }]);
    world.endBlock(1_000_000n);
    const unjail = { message: MsgUnjail, response: MsgUnjailResponse };
    expect(() => world.run(unjail, { validatorAddr: world.operator(0) })).toThrow('validator still jailed');
    expect(world.broken()).toEqual([]);
  });

  it('is punished once, however often it offended', () => {
    const world = worldOf();
    const both = [caught(world), caught(world, { power: 3n })];
    world.endBlock(1n, { misbehavior: both });
    world.endBlock(1n, { misbehavior: both });
    expect(shown(world)).toEqual([]);
    expect(tokensOf(world)).toBe(9_500_000n);
    expect(world.broken()).toEqual([]);
  });

  it('loses of what it took back since', () => {
    const world = worldOf();
    const offence = caught(world);
    world.endBlock();
    world.run(
      { message: MsgUndelegate, response: MsgUndelegateResponse },
      {
        delegatorAddress: world.account(0).address,
        validatorAddress: world.operator(0),
        amount: { denom: 'uopen', amount: '4000000' },
      },
    );
    world.endBlock(1n, { misbehavior: [offence] });
    // 5 % of ten million is 500,000: 200,000 of it from the four million that unbond.
    expect(tokensOf(world)).toBe(6_000_000n - 300_000n);
    expect(world.broken()).toEqual([]);
  });

  it.each<readonly [string, Partial<Misbehavior>]>([
    ['somebody unknown', { validatorAddress: new Uint8Array(20) }],
    ['something of the future', { height: 1000n }],
  ])('goes free for %s', (_, edit) => {
    const world = worldOf();
    world.endBlock(1n, { misbehavior: [caught(world, edit)] });
    expect(shown(world)).toEqual([]);
    expect(tokensOf(world)).toBe(10_000_000n);
  });

  it('goes free when both ages are beyond what evidence may have', () => {
    const world = worldOf();
    const { consensus } = world.composition;
    const params = consensus.params(world.context);
    const evidence = { maxAgeNumBlocks: 2n, maxAgeDuration: { seconds: 10n, nanos: 0 }, maxBytes: 1000n };
    consensus.setParams(world.context, { ...params, evidence });
    const offence = caught(world);
    world.endBlock(5n);
    world.endBlock(5n);
    world.endBlock(1n, { misbehavior: [offence] }); // three blocks, eleven seconds
    expect(tokensOf(world)).toBe(10_000_000n);
    const young = caught(world, { height: 1n, time: world.time });
    world.endBlock(10n, { misbehavior: [young] }); // four blocks, but ten seconds
    expect(tokensOf(world)).toBe(9_500_000n);
  });

  it('goes free when its stake is free', () => {
    const world = worldOf();
    world.composition.staking.jail(world.context, world.keyAddress(0));
    const offence = caught(world);
    for (let i = 0; i < 12; i++) world.endBlock();
    world.endBlock(1n, { misbehavior: [offence] });
    expect(tokensOf(world)).toBe(10_000_000n);
  });
});

/** A running chain whose first validator voted twice in its first block. */
function convictedChain(): TestChain {
  const accounts = Array.from({ length: 3 }, (_, i) => testAccount(`${i}`));
  const sections = stakingSections({ accounts, validators: [10_000_000n, 20_000_000n] });
  const chain = new TestChain({ accounts: 3, genesis: { validators: [], sections } });
  const validator = { address: sha256(consensusKey(0)).slice(0, 20), power: 10n };
  const time = { seconds: 1_700_000_001n, nanos: 0 };
  chain.block();
  chain.blockOf({ misbehavior: [{ type: 1, validator, height: 1n, time, totalVotingPower: 30n }] });
  return chain;
}

describe('a chain with an equivocator', () => {
  it('takes it out of the set, says so, and restores it so', () => {
    const chain = convictedChain();
    const [block] = [chain.block()];
    expect(block.validatorUpdates).toEqual([]);
    expect(chain.app.brokenInvariants()).toEqual([]);
    const types = { request: wire.QueryAllEvidenceRequest, response: wire.QueryAllEvidenceResponse };
    const { evidence } = chain.query('/cosmos.evidence.v1beta1.Query/AllEvidence', types, {});
    const [any] = evidence;
    if (any === undefined) throw new RangeError('no evidence');
    const consensusAddress = chain.app.composition.consensusAddresses.toText(
      sha256(consensusKey(0)).slice(0, 20),
    );
    expect(Equivocation.decode(any.value)).toEqual({
      height: 1n,
      time: { seconds: 1_700_000_001n, nanos: 0 },
      power: 10n,
      consensusAddress,
    });
    const one = { request: wire.QueryEvidenceRequest, response: wire.QueryEvidenceResponse };
    const path = '/cosmos.evidence.v1beta1.Query/Evidence';
    const hash = toHex(sha256(any.value));
    expect(chain.query(path, one, { hash }).evidence).toEqual(any);
    expect(() => chain.query(path, one, { hash: 'ab' })).toThrow('evidence ab not found');
    expect(() => chain.query(path, one, { hash: 'xyz' })).toThrow('invalid evidence hash');
    expect(() => chain.query(path, one, {})).toThrow('hash is empty');
    const exported = chain.app.exportState().appState;
    const app = restoreChain(chain);
    expect(app.brokenInvariants()).toEqual([]);
    expect(app.exportState().appState['evidence']).toEqual(exported['evidence']);
    expect(app.exportState().appState['slashing']).toEqual(exported['slashing']);
  });

  it('takes no evidence from transactions, for which nobody judges', () => {
    const chain = convictedChain();
    const alice = chain.account(2);
    const value = { height: 1n, time: { seconds: 5n, nanos: 0 }, power: 1n, consensusAddress: 'x' };
    const submit = (evidence: ReturnType<typeof anyOf>): unknown =>
      chain.deliver(chain.sign(alice, [anyOf(MsgSubmitEvidence, { submitter: alice.address, evidence })]));
    expect(submit(anyOf(Equivocation, value))).toMatchObject({ codespace: 'evidence', code: 2 });
    expect(submit(anyOf(Equivocation, { ...value, power: 0n }))).toMatchObject({
      codespace: 'evidence',
      code: 3,
      log: expect.stringContaining('invalid equivocation validator power: 0'),
    });
    expect(submit(anyOf(PubKey, { key: new Uint8Array(33) }))).toMatchObject({ codespace: 'sdk', code: 2 });
  });

  it('refuses a section of genesis that lists evidence twice, or bad evidence', () => {
    const chain = convictedChain();
    const module = chain.app.composition.modules.find(({ name }) => name === 'evidence');
    const section = new JsonReader(chain.app.exportState().appState['evidence'], 'e');
    const [entry = null] = section
      .member('evidence')
      .elements()
      .map(({ value = null }) => value);
    const check = (evidence: readonly (typeof entry)[]): void =>
      module?.genesis?.validate(new JsonReader({ evidence }, 'e'));
    expect(() => check([entry])).not.toThrow();
    expect(() => check([entry, entry])).toThrow('e.evidence[1]: this evidence is listed twice');
    const bad = { ...new JsonReader(entry, 'entry').object(), height: '0' };
    expect(() => check([bad])).toThrow('e.evidence[0]: invalid equivocation height: 0');
  });
});
