/** A fee market in the place of minimum gas prices. */
import { expect, it } from 'vitest';
import { StateError, sdkErrors } from '../framework/errors.ts';
import type { FeeChecker } from '../framework/gas-price.ts';
import { TestChain } from '../test/support/test-chain.ts';

/** A price of 0.01 that everybody pays, however much more they offer. */
const flat: FeeChecker = (_, { fee }) => {
  const price = fee.gasLimit / 100n;
  const offered = fee.coins.find(({ denom }) => denom === 'uopen')?.amount ?? 0n;
  if (offered < price) throw new StateError(sdkErrors.insufficientFee, `the price is ${price}`);
  return [{ denom: 'uopen', amount: price }];
};

it('a fee market decides in blocks too, and takes its price of what is offered', () => {
  const chain = new TestChain({ app: { checkFee: flat } });
  const [from, to] = [chain.account(0), chain.account(1).address];
  chain.block();
  const before = chain.balance(from.address);
  const poor = chain.send(from, to, '1uopen', { fee: '1999uopen' });
  expect(chain.check(poor)).toMatchObject({ code: 13, log: 'the price is 2000: insufficient fee' });
  expect(chain.deliver(poor)).toMatchObject({ code: 13, log: 'the price is 2000: insufficient fee' });
  // Simulation asks for no price.
  expect(chain.app.simulate(poor).error).toBeUndefined();
  const { code, events } = chain.deliver(chain.send(from, to, '1uopen', { fee: '5000uopen' }));
  expect(code).toBe(0);
  const fees = events.flatMap(({ attributes }) => attributes.filter(({ key }) => key === 'fee'));
  expect(fees.map(({ value }) => value)).toEqual(['2000uopen']);
  expect(chain.balance(from.address)).toBe(before - 2001n);
});
