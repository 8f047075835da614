import { describe, expect, it } from 'vitest';
import { utf8 } from '../core/bytes.ts';
import { moduleAddress } from '../framework/address.ts';
import { MsgMultiSend, MsgUpdateParams } from '../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { TxMsgData } from '../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import type { Event } from '../proto/gen/tendermint/abci/types.ts';
import { anyOf, sendMessage, TestChain, testAccount } from '../test/support/test-chain.ts';

function shown(events: readonly Event[]): readonly string[] {
  return events.map(({ type, attributes }) => `${type}: ${attributes.map(({ key }) => key).join(' ')}`);
}

describe('a transfer', () => {
  it('moves coins, takes the fee and raises the sequence', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const result = chain.deliver(chain.send(alice, bob.address, '100uopen'));
    expect(result).toMatchObject({ code: 0, codespace: '', log: '' });
    expect(chain.balance(bob.address)).toBe(1_000_000_100n);
    expect(chain.balance(alice.address)).toBe(999_994_900n);
    expect(chain.sequence(alice)).toBe(1n);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('reports the events of the SDK in their order', () => {
    const chain = new TestChain();
    const result = chain.deliver(chain.send(chain.account(0), chain.account(1).address, '100uopen'));
    expect(shown(result.events)).toEqual([
      'coin_spent: spender amount',
      'coin_received: receiver amount',
      'transfer: recipient sender amount',
      'message: sender',
      'tx: fee fee_payer',
      'tx: acc_seq',
      'tx: signature',
      'message: action sender module msg_index',
      'coin_spent: spender amount msg_index',
      'coin_received: receiver amount msg_index',
      'transfer: recipient sender amount msg_index',
      'message: sender msg_index',
    ]);
    expect(result.events[7]?.attributes.map(({ value }) => value)).toEqual([
      '/cosmos.bank.v1beta1.MsgSend',
      chain.account(0).address,
      'bank',
      '0',
    ]);
  });

  it('answers with one response for each message', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const send = sendMessage(alice.address, bob.address, '1uopen');
    const result = chain.deliver(chain.sign(alice, [send, send]));
    expect(TxMsgData.decode(result.data).msgResponses.map(({ typeUrl }) => typeUrl)).toEqual([
      '/cosmos.bank.v1beta1.MsgSendResponse',
      '/cosmos.bank.v1beta1.MsgSendResponse',
    ]);
  });

  it('costs less gas than stock clients allow for it', () => {
    const chain = new TestChain();
    const result = chain.deliver(chain.send(chain.account(0), testAccount('new').address, '100uopen'));
    expect(result.gasUsed).toBeLessThan(100_000n);
    expect(result.gasWanted).toBe(200_000n);
  });

  it('makes an account for a new recipient, numbered after all others', () => {
    const chain = new TestChain({ accounts: 2 });
    const carol = testAccount('carol');
    chain.deliver(chain.send(chain.account(0), carol.address, '100uopen'));
    // Two accounts of the genesis list, then the module accounts.
    expect(chain.accountNumber(carol)).toBe(BigInt(2 + chain.app.composition.auth.moduleAccounts.size));
  });

  it('may need several signers, each with a sequence of their own', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const messages = [
      sendMessage(alice.address, bob.address, '5uopen'),
      sendMessage(bob.address, alice.address, '3uopen'),
    ];
    expect(chain.deliver(chain.sign(alice, messages, { also: [bob] })).log).toBe('');
    expect([chain.sequence(alice), chain.sequence(bob)]).toEqual([1n, 1n]);
    expect(chain.deliver(chain.sign(alice, messages)).log).toBe(
      'invalid number of signer;  expected: 2, got 1: the messages want 2 signers, ' +
        'and the transaction has 1 signatures: unauthorized',
    );
  });

  it('has no more signatures than signers', () => {
    const chain = new TestChain();
    const alice = chain.account(0);
    const tx = TxRaw.decode(chain.send(alice, chain.account(1).address, '1uopen'));
    const extra = TxRaw.encode({ ...tx, signatures: [...tx.signatures, ...tx.signatures] });
    expect(chain.deliver(extra).log).toBe(
      'invalid number of signer;  expected: 1, got 2: the messages want 1 signers, ' +
        'and the transaction has 2 signatures: unauthorized',
    );
  });

  it('lets another account pay the fee when that signs too', () => {
    const chain = new TestChain();
    const [alice, bob, carol] = [chain.account(0), chain.account(1), chain.account(2)];
    const options = { also: [carol], payer: carol.address };
    expect(chain.deliver(chain.send(alice, bob.address, '100uopen', options)).log).toBe('');
    expect(chain.balance(carol.address)).toBe(999_995_000n);
    expect(chain.balance(alice.address)).toBe(999_999_900n);
  });

  it('goes to many at once', () => {
    const chain = new TestChain();
    const [alice, bob, carol] = [chain.account(0), chain.account(1), chain.account(2)];
    const coins = (amount: string): readonly { denom: string; amount: string }[] => [
      { denom: 'uopen', amount },
    ];
    const message = (first: string): ReturnType<typeof anyOf> =>
      anyOf(MsgMultiSend, {
        inputs: [{ address: alice.address, coins: coins('30') }],
        outputs: [
          { address: bob.address, coins: coins(first) },
          { address: carol.address, coins: coins('20') },
        ],
      });
    expect(chain.deliver(chain.sign(alice, [message('10')])).log).toBe('');
    expect(chain.balance(carol.address)).toBe(1_000_000_020n);
    expect(chain.deliver(chain.sign(alice, [message('11')]))).toMatchObject({ codespace: 'bank', code: 4 });
    expect(chain.app.brokenInvariants()).toEqual([]);
  });
});

describe('a refused transaction', () => {
  const cases: readonly [string, (chain: TestChain) => Uint8Array, number, string][] = [
    [
      'for another chain',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { chainId: 'other' }),
      4,
      'signature verification failed; please verify account number (0) and chain-id (test-chain-1): ' +
        '(unable to verify single signer signature): unauthorized',
    ],
    [
      'with a wrong account number',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { accountNumber: 7n }),
      4,
      'please verify account number (0)',
    ],
    [
      'with an unknown sign mode',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { mode: 2 }),
      4,
      'unsupported sign mode 2',
    ],
    [
      'with a wrong sequence',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { sequence: 5n }),
      32,
      'account sequence mismatch, expected 0, got 5: incorrect account sequence',
    ],
    [
      'with too long a memo',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { memo: 'x'.repeat(257) }),
      12,
      'maximum number of characters is 256 but received 257 characters: memo too large',
    ],
    [
      'with too little gas',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { gas: 3000n }),
      11,
      'out of gas in location: txSize; gasWanted: 3000',
    ],
    [
      'without gas',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { gas: 0n }),
      11,
      'out of gas in location',
    ],
    [
      'with a fee that its payer does not have',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen', { fee: '2000000000uopen' }),
      5,
      'spendable balance 1000000000uopen is smaller than 2000000000uopen: insufficient funds',
    ],
    [
      'from an account that does not exist',
      (chain) => chain.send(testAccount('nobody'), chain.account(1).address, '1uopen'),
      9,
      'does not exist: unknown address',
    ],
    [
      'signed with another key',
      (chain) => {
        const message = sendMessage(chain.account(1).address, chain.account(0).address, '1uopen');
        return chain.sign(chain.account(0), [message]);
      },
      8,
      'pubKey does not match signer address',
    ],
    [
      'with a fee granter who allows nothing',
      (chain) =>
        chain.send(chain.account(0), chain.account(1).address, '1uopen', {
          granter: chain.account(2).address,
        }),
      38,
      ': fee-grant not found: not found',
    ],
    [
      'with extension options',
      (chain) =>
        chain.send(chain.account(0), chain.account(1).address, '1uopen', {
          extensionOptions: [{ typeUrl: '/some.Option', value: new Uint8Array(0) }],
        }),
      31,
      'unknown extension options',
    ],
    ['that is no transaction', () => utf8('hello world'), 2, 'tx parse error'],
    ['that is empty', () => new Uint8Array(0), 18, 'must contain at least one message: invalid request'],
    [
      'with an unknown message',
      (chain) => chain.sign(chain.account(0), [{ typeUrl: '/no.such.Msg', value: new Uint8Array(0) }]),
      2,
      'unable to resolve type URL /no.such.Msg: tx parse error',
    ],
    [
      'with an unknown field',
      (chain) =>
        Uint8Array.of(...chain.send(chain.account(0), chain.account(1).address, '1uopen'), 0x7a, 1, 0),
      2,
      'has no field number 15',
    ],
    [
      'cut short',
      (chain) => chain.send(chain.account(0), chain.account(1).address, '1uopen').slice(0, -3),
      2,
      'tx parse error',
    ],
    [
      'larger than the node takes',
      (chain) =>
        chain.send(chain.account(0), chain.account(1).address, '1uopen', { memo: 'x'.repeat(1_100_000) }),
      21,
      'at most 1048576: tx too large',
    ],
    [
      'with a bad recipient',
      (chain) => chain.send(chain.account(0), 'cosmos1qqqq', '1uopen'),
      7,
      'invalid to address',
    ],
    [
      'of nothing',
      (chain) =>
        chain.sign(chain.account(0), [sendMessage(chain.account(0).address, chain.account(1).address, '')]),
      10,
      'invalid coins',
    ],
  ];

  it.each(cases)('%s gets a code and a reason, and changes nothing', (_, make, code, log) => {
    const chain = new TestChain();
    chain.block();
    const result = chain.check(make(chain));
    expect({ code: result.code, log: result.log }).toEqual({ code, log: expect.stringContaining(log) });
    expect(chain.sequence(chain.account(0))).toBe(0n);
    // The check state is as before: a good transaction with the same sequence passes.
    expect(chain.check(chain.send(chain.account(0), chain.account(1).address, '1uopen')).log).toBe('');
  });

  it('is told when its height has passed', () => {
    const chain = new TestChain();
    chain.block();
    chain.block();
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen', { timeoutHeight: 1n });
    expect(chain.check(tx)).toMatchObject({
      code: 30,
      log: 'block height: 2, timeout height: 1: tx timeout height',
    });
    const last = chain.send(chain.account(0), chain.account(1).address, '1uopen', { timeoutHeight: 3n });
    expect(chain.deliver(last).code).toBe(0);
  });

  it('is told how much fee this node wants, in CheckTx only', () => {
    const chain = new TestChain({ app: { minGasPrices: '0.1uopen' } });
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen');
    chain.block();
    expect(chain.check(tx)).toMatchObject({
      code: 13,
      log: 'insufficient fees; got: 5000uopen required: 20000uopen: insufficient fee',
    });
    expect(chain.deliver(tx).code).toBe(0);
  });

  it('pays its fee and uses its sequence when a message fails', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const result = chain.deliver(chain.send(alice, bob.address, '5000000000uopen'));
    expect(result).toMatchObject({ code: 5, codespace: 'sdk', data: new Uint8Array(0) });
    expect(result.log).toBe(
      'failed to execute message; message index: 0: spendable balance 999995000uopen ' +
        'is smaller than 5000000000uopen: insufficient funds',
    );
    expect(shown(result.events)).toContain('tx: fee fee_payer');
    expect(shown(result.events)).not.toContain('message: action sender module msg_index');
    expect(chain.balance(alice.address)).toBe(999_995_000n);
    expect(chain.sequence(alice)).toBe(1n);
    expect(chain.app.brokenInvariants()).toEqual([]);
  });

  it('undoes its first message when its second fails', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const messages = [
      sendMessage(alice.address, bob.address, '10uopen'),
      sendMessage(alice.address, bob.address, '5000000000uopen'),
    ];
    expect(chain.deliver(chain.sign(alice, messages)).log).toContain('message index: 1');
    expect(chain.balance(bob.address)).toBe(1_000_000_000n);
  });

  it('runs out of gas in a message and keeps only the fee', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const result = chain.deliver(chain.send(alice, bob.address, '10uopen', { gas: 30_000n }));
    expect(result).toMatchObject({ code: 11, gasWanted: 30_000n });
    expect(result.log).toMatch(/^out of gas in location: \w+; gasWanted: 30000, gasUsed: \d+: out of gas$/);
    expect(chain.balance(bob.address)).toBe(1_000_000_000n);
    expect(chain.balance(alice.address)).toBe(999_995_000n);
  });

  it('cannot go to a module, nor change parameters', () => {
    const chain = new TestChain();
    const alice = chain.account(0);
    const { addresses } = chain.app.composition;
    const gov = addresses.toText(moduleAddress('gov'));
    expect(chain.deliver(chain.send(alice, gov, '1uopen')).log).toBe(
      `failed to execute message; message index: 0: ${gov} is not allowed to receive funds: unauthorized`,
    );
    const params = { sendEnabled: [], defaultSendEnabled: false };
    const update = anyOf(MsgUpdateParams, { authority: alice.address, params });
    expect(chain.deliver(chain.sign(alice, [update]))).toMatchObject({ codespace: 'gov', code: 13 });
  });

  it('that cannot be decoded has an entry in the block all the same', () => {
    const chain = new TestChain();
    const good = chain.send(chain.account(0), chain.account(1).address, '1uopen');
    const { txResults } = chain.block(utf8('junk'), good);
    expect(txResults.map(({ code, log }) => [code, log])).toEqual([
      [2, 'tx parse error'],
      [0, ''],
    ]);
  });
});
