import { describe, expect, it } from 'vitest';
import { TestChain, testAccount } from '../test/support/test-chain.ts';

describe('genesis', () => {
  it('is exported so that a chain that starts from it has the same state', () => {
    const chain = new TestChain();
    chain.deliver(chain.send(chain.account(0), testAccount('new').address, '5uopen'));
    const sections = chain.app.exportState().appState;
    const again = new TestChain({ genesis: { sections } });
    again.block();
    expect(again.app.exportState().appState).toEqual(sections);
    expect(again.app.brokenInvariants()).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'an amount that is none',
      { balances: [{ address: testAccount('0').address, coins: [{ denom: 'uopen', amount: '1.5' }] }] },
      'app_state.bank.balances[0].coins[0].amount: invalid amount: 1.5',
    ],
    [
      'a negative amount',
      { balances: [{ address: testAccount('0').address, coins: [{ denom: 'uopen', amount: '-1' }] }] },
      'app_state.bank.balances[0].coins[0].amount: -1 is not positive',
    ],
    [
      'an address of another chain',
      { balances: [{ address: testAccount('0', 'cosmos').address, coins: [] }] },
      "app_state.bank.balances[0].address: hrp does not match bech32 prefix: expected 'open' got 'cosmos'",
    ],
    [
      'a wrong supply',
      { supply: [{ denom: 'uopen', amount: '1' }] },
      'app_state.bank.supply: is 1uopen, but the balances add up to ',
    ],
    ['a misspelt field', { balanses: [] }, 'app_state.bank.balanses: is not a known field'],
    ['no parameters', { params: null }, 'app_state.bank.params: is missing'],
  ])('with %s is refused with the place', (_, change, message) => {
    const params = { send_enabled: [], default_send_enabled: true };
    const bank = { params, balances: [], supply: [], denom_metadata: [], send_enabled: [], ...change };
    expect(() => new TestChain({ genesis: { sections: { bank } } })).toThrow(message);
  });

  it('with a section of no module is refused', () => {
    expect(() => new TestChain({ genesis: { sections: { bonk: {} } } })).toThrow(
      'app_state.bonk: there is no module',
    );
  });

  it('may have sections of modules that only the SDK has, with nothing in them', () => {
    const group = { group_seq: '0', groups: [], votes: [] };
    const crisis = { constant_fee: { denom: 'ustake', amount: '1000' } };
    const sections = { group, crisis, params: null, nft: {}, consensus: null };
    const chain = new TestChain({ genesis: { sections } });
    chain.block();
    expect(Object.keys(chain.app.exportState().appState)).not.toContain('group');
    expect(() => new TestChain({ genesis: { sections: { group: { ...group, group_seq: '1' } } } })).toThrow(
      'app_state.group.group_seq: is not empty, but this chain has no module group to keep it',
    );
    expect(() => new TestChain({ genesis: { sections: { nft: { classes: [{ id: 'cat' }] } } } })).toThrow(
      'app_state.nft.classes: is not empty',
    );
  });

  it('of another chain is refused', () => {
    expect(() => new TestChain({ genesis: { chainId: 'other' } })).toThrow('invalid chain-id on InitChain');
  });
});
