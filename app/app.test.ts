import { describe, expect, it } from 'vitest';
import { TestChain } from '../test/support/test-chain.ts';

describe('a transfer', () => {
  it('moves coins, takes the fee, raises the sequence and reports the SDK events', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const result = chain.deliver(chain.send(alice, bob.address, '100uopen'));
    expect(result.log).toBe('');
    expect(result.code).toBe(0);
    expect(chain.balance(bob.address)).toBe(1_000_000_100n);
    expect(chain.balance(alice.address)).toBe(999_994_900n);
    expect(chain.sequence(alice)).toBe(1n);
  });
});
