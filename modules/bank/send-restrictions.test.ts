/** A program's own rules about transfers, as x/bank asks its `SendRestrictionFn`. */
import { describe, expect, it } from 'vitest';
import { composeModules } from '../../app/modules.ts';
import { latin1, moduleAddress } from '../../framework/address.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import { MsgMultiSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { anyOf, TestChain, testAccount } from '../../test/support/test-chain.ts';
import type { SendRestriction, Transfer } from './types.ts';

const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => testAccount(name).pubKey.address) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const coins = [{ denom: 'uopen', amount: 10n }];

function refuse(refused: Uint8Array): SendRestriction {
  return (_, { to }) => {
    if (latin1(to) === latin1(refused)) throw new StateError(sdkErrors.unauthorized, 'not to this one');
    return to;
  };
}

function redirect(from: Uint8Array, instead: Uint8Array): SendRestriction {
  return (_, { to }) => (latin1(to) === latin1(from) ? instead : to);
}

function world(...sendRestrictions: readonly SendRestriction[]) {
  const { bank, auth, modules } = composeModules('open', { sendRestrictions });
  const context = memoryContext(modules.flatMap(({ storeNames }) => storeNames));
  bank.receive(context, alice, coins);
  bank.receive(context, moduleAddress('gov'), coins);
  return { bank, auth, context };
}

describe('a send restriction', () => {
  it('refuses transfers of accounts and of modules, before anybody gets anything', () => {
    const { bank, context } = world(refuse(bob));
    bank.send(context, { from: moduleAddress('gov'), to: carol, coins });
    expect(bank.balances(context, carol)).toEqual(coins);
    bank.receive(context, moduleAddress('gov'), coins);
    expect(() => bank.send(context, { from: alice, to: bob, coins })).toThrow(
      'not to this one: unauthorized',
    );
    expect(() => bank.sendFromModule(context, { module: 'gov', to: bob, coins })).toThrow('not to this one');
    expect(bank.balances(context, bob)).toEqual([]);
  });

  it('is asked about fees, coins for modules and coins between modules', () => {
    const asked: Transfer[] = [];
    const { bank, context } = world((_, transfer) => {
      asked.push(transfer);
      return transfer.to;
    });
    const [gov, collector] = [moduleAddress('gov'), moduleAddress('fee_collector')];
    bank.collectFee(context, alice, coins);
    bank.sendBetweenModules(context, { from: 'fee_collector', to: 'gov', coins });
    bank.sendToModule(context, { from: gov, module: 'fee_collector', coins });
    expect(asked).toEqual([
      { from: alice, to: collector, coins },
      { from: collector, to: gov, coins },
      { from: gov, to: collector, coins },
    ]);
  });

  it('names another recipient, who gets an account, the coins and the events; the next one is asked about that', () => {
    const { bank, auth, context } = world(redirect(bob, carol), refuse(bob));
    bank.send(context, { from: alice, to: bob, coins });
    expect(bank.balances(context, bob)).toEqual([]);
    expect(bank.balances(context, carol)).toEqual(coins);
    expect([bob, carol].map((address) => auth.has(context, address))).toEqual([false, true]);
    const text = testAccount('carol').address;
    const told = context.events.slice(-3).flatMap(({ attributes }) => attributes.map(({ value }) => value));
    expect(told.filter((value) => value === text)).toHaveLength(2);
  });

  it('is not asked about stake, nor about coins that are made or destroyed', () => {
    const { bank, context } = world(() => {
      throw new StateError(sdkErrors.unauthorized, 'never');
    });
    bank.delegate(context, { from: alice, module: 'bonded_tokens_pool', coins });
    bank.undelegate(context, { module: 'bonded_tokens_pool', to: alice, coins });
    bank.mint(context, { module: 'mint', coins });
    bank.burn(context, { module: 'gov', coins });
    expect(bank.balances(context, alice)).toEqual(coins);
  });

  it('is not asked about what the chain owes, of the same money, and is about the next transfer', () => {
    const { bank, context } = world(refuse(bob));
    const gov = moduleAddress('gov');
    bank.owed.send(context, { from: gov, to: bob, coins });
    expect([gov, bob].map((address) => bank.balances(context, address))).toEqual([[], coins]);
    expect(() => bank.owed.send(context, { from: gov, to: bob, coins })).toThrow('is smaller than');
    expect(() => bank.send(context, { from: alice, to: bob, coins })).toThrow('not to this one');
    expect(bank.owed.owed).toBe(bank.owed);
  });

  it('is asked about each output of a MsgMultiSend, and one that refuses undoes all of them', () => {
    const names = [0, 1, 2].map((i) => testAccount(`${i}`));
    const [from, to, other] = names as [(typeof names)[0], (typeof names)[0], (typeof names)[0]];
    const asked: string[] = [];
    const rule: SendRestriction = (_, { to: recipient, coins: sent }) => {
      asked.push(
        `${sent[0]?.amount} to ${latin1(recipient) === latin1(other.pubKey.address) ? 'other' : ''}`,
      );
      if (sent[0]?.amount === 3n) throw new StateError(sdkErrors.unauthorized, 'not three');
      return latin1(recipient) === latin1(to.pubKey.address) ? other.pubKey.address : recipient;
    };
    const chain = new TestChain({ app: { sendRestrictions: [rule] } });
    const message = (first: string, second: string, sum: string) =>
      anyOf(MsgMultiSend, {
        inputs: [{ address: from.address, coins: [{ denom: 'uopen', amount: sum }] }],
        outputs: [
          { address: to.address, coins: [{ denom: 'uopen', amount: first }] },
          { address: other.address, coins: [{ denom: 'uopen', amount: second }] },
        ],
      });
    asked.length = 0;
    const refused = chain.deliver(chain.sign(from, [message('1', '3', '4')]));
    expect(refused).toMatchObject({ codespace: 'sdk', code: 4, log: expect.stringContaining('not three') });
    expect(asked.slice(-2)).toEqual(['1 to ', '3 to other']);
    expect(chain.balance(other.address)).toBe(1_000_000_000n);
    expect(chain.deliver(chain.sign(from, [message('1', '2', '3')])).code).toBe(0);
    expect([to, other].map(({ address }) => chain.balance(address))).toEqual([
      1_000_000_000n,
      1_000_000_003n,
    ]);
  });
});
