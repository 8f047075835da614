import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../core/bytes.ts';
import { moduleAddress } from '../framework/address.ts';
import { MsgMultiSend, MsgUpdateParams } from '../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { TxMsgData } from '../proto/gen/cosmos/base/abci/v1beta1/abci.ts';
import { SimulateRequest, SimulateResponse } from '../proto/gen/cosmos/tx/v1beta1/service.ts';
import { AuthInfo, TxBody, TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { BlockParams, ConsensusParams } from '../proto/gen/tendermint/types/params.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../modules/consensus/params.ts';
import type { Event, RequestFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import { ResponseProcessProposal_ProposalStatus as ProposalStatus } from '../proto/gen/tendermint/abci/types.ts';
import { anyOf, sendMessage, TestChain, testAccount } from '../test/support/test-chain.ts';

function paramsWith(block: BlockParams): ConsensusParams {
  const maxAgeDuration = { seconds: 1n, nanos: 0 };
  const evidence = { maxAgeNumBlocks: 1n, maxAgeDuration, maxBytes: 1000n };
  return { ...DEFAULT_CONSENSUS_PARAMS, block, evidence };
}

function emptyBlock(height: bigint, ...txs: readonly Uint8Array[]): RequestFinalizeBlock {
  return {
    txs,
    decidedLastCommit: { round: 0, votes: [] },
    misbehavior: [],
    hash: new Uint8Array(32),
    height,
    time: { seconds: 1n, nanos: 0 },
    nextValidatorsHash: new Uint8Array(0),
    proposerAddress: new Uint8Array(0),
  };
}

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
      'invalid number of signer;  expected: 2, got 1: unauthorized',
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
      'with a fee granter',
      (chain) =>
        chain.send(chain.account(0), chain.account(1).address, '1uopen', {
          granter: chain.account(2).address,
        }),
      18,
      'fee grants are not enabled: invalid request',
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
    expect(chain.deliver(chain.sign(alice, [update]))).toMatchObject({ codespace: 'gov', code: 7 });
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

describe('CheckTx', () => {
  it('takes several transactions of one sender in order, until the next commit', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    chain.block();
    const tx = (sequence: bigint): Uint8Array => chain.send(alice, bob.address, '1uopen', { sequence });
    expect([tx(0n), tx(1n), tx(2n)].map((bytes) => chain.check(bytes).code)).toEqual([0, 0, 0]);
    expect(chain.check(tx(2n)).code).toBe(32);
    chain.block(tx(0n));
    expect(chain.recheck(tx(1n)).code).toBe(0);
    expect(chain.recheck(tx(0n)).code).toBe(32);
  });

  it('works before the first block', () => {
    const chain = new TestChain();
    expect(chain.check(chain.send(chain.account(0), chain.account(1).address, '1uopen')).log).toBe('');
  });

  it('names the signatures that it would verify', () => {
    const chain = new TestChain();
    chain.block();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const [task] = chain.app.signatureTasks(chain.send(alice, bob.address, '1uopen'));
    expect(task?.pubKey.bytes).toEqual(alice.pubKey.bytes);
    expect(chain.app.signatureTasks(utf8('junk'))).toEqual([]);
    expect(chain.app.signatureTasks(chain.send(testAccount('nobody'), bob.address, '1uopen'))).toEqual([]);
  });
});

describe('simulation', () => {
  const path = '/cosmos.tx.v1beta1.Service/Simulate';
  const types = { request: SimulateRequest, response: SimulateResponse };

  function unsigned(chain: TestChain, sequence: bigint): Uint8Array {
    const alice = chain.account(0);
    const body = { memo: '', timeoutHeight: 0n, extensionOptions: [], nonCriticalExtensionOptions: [] };
    const messages = [sendMessage(alice.address, chain.account(1).address, '1uopen')];
    const modeInfo = { single: { mode: 0 }, multi: undefined };
    return TxRaw.encode({
      bodyBytes: TxBody.encode({ ...body, messages }),
      authInfoBytes: AuthInfo.encode({
        signerInfos: [{ publicKey: alice.pubKey.any, modeInfo, sequence }],
        fee: { amount: [], gasLimit: 0n, payer: '', granter: '' },
        tip: undefined,
      }),
      signatures: [new Uint8Array(0)],
    });
  }

  it('needs no signature and no fee, keeps nothing, and its gas is enough', () => {
    const chain = new TestChain();
    chain.block();
    const answer = chain.query(path, types, { txBytes: unsigned(chain, 0n) });
    expect(answer.gasInfo?.gasWanted).toBe(2n ** 64n - 1n);
    expect(answer.result?.msgResponses).toHaveLength(1);
    expect(chain.sequence(chain.account(0))).toBe(0n);
    const gas = ((answer.gasInfo?.gasUsed ?? 0n) * 14n) / 10n;
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen', { gas });
    expect(chain.deliver(tx).log).toBe('');
  });

  it('explains a failure in the words of the SDK', () => {
    const chain = new TestChain();
    chain.block();
    const request = SimulateRequest.encode({ tx: undefined, txBytes: unsigned(chain, 9n) });
    const answer = chain.rawQuery(path, request);
    expect(answer).toMatchObject({ code: 6, codespace: 'sdk' });
    expect(answer.log).toMatch(
      /^rpc error: code = Unknown desc = account sequence mismatch, expected 0, got 9: incorrect account sequence with gas used: '\d+': unknown request$/,
    );
  });
});

describe('blocks', () => {
  it('respect the gas limit of the block', () => {
    const block = { maxBytes: 1_000_000n, maxGas: 60_000n };
    const chain = new TestChain({ genesis: { consensusParams: paramsWith(block) } });
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const tx = (sequence: bigint, gas: bigint): Uint8Array =>
      chain.send(alice, bob.address, '1uopen', { sequence, gas });
    const results = chain.block(tx(0n, 60_000n), tx(1n, 60_000n), tx(1n, 60_000n), tx(2n, 60_001n)).txResults;
    expect(results.map(({ code }) => code)).toEqual([0, 11, 11, 11]);
    expect(results[1]?.log).toContain('out of gas in location: block gas meter');
    expect(results[2]?.log).toBe('no block gas left to run tx: out of gas');
    expect(chain.deliver(tx(2n, 60_001n)).log).toBe(
      'tx gas limit 60001 exceeds block max gas 60000: invalid gas limit',
    );
  });

  it('are proposed with what fits in bytes and gas, never with part of a sender’s row', () => {
    const chain = new TestChain({
      genesis: { consensusParams: paramsWith({ maxBytes: 1_000_000n, maxGas: 250_000n }) },
    });
    chain.block();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const a0 = chain.send(alice, bob.address, '1uopen', { gas: 200_000n, sequence: 0n });
    const a1 = chain.send(alice, bob.address, '1uopen', { gas: 100_000n, sequence: 1n });
    const a2 = chain.send(alice, bob.address, '1uopen', { gas: 20_000n, sequence: 2n });
    const b0 = chain.send(bob, alice.address, '1uopen', { gas: 50_000n });
    const prepare = (maxTxBytes: bigint): readonly Uint8Array[] => {
      const empty = { round: 0, votes: [] };
      const shared = { misbehavior: [], height: 2n, time: { seconds: 1n, nanos: 0 } };
      const hashes = { nextValidatorsHash: new Uint8Array(0), proposerAddress: new Uint8Array(0) };
      const txs = [a0, a1, utf8('junk'), a2, b0];
      return chain.app.prepareProposal({ ...shared, ...hashes, maxTxBytes, txs, localLastCommit: empty }).txs;
    };
    expect(prepare(100_000n)).toEqual([a0, b0]);
    expect(prepare(BigInt(a0.length + 10))).toEqual([a0]);
    expect(prepare(10n)).toEqual([]);
  });

  it('are refused when they hold junk or too much gas', () => {
    const chain = new TestChain({
      genesis: { consensusParams: paramsWith({ maxBytes: 1_000_000n, maxGas: 250_000n }) },
    });
    chain.block();
    const process = (...txs: readonly Uint8Array[]): number =>
      chain.app.processProposal({
        txs,
        proposedLastCommit: { round: 0, votes: [] },
        misbehavior: [],
        hash: new Uint8Array(32),
        height: 2n,
        time: { seconds: 1n, nanos: 0 },
        nextValidatorsHash: new Uint8Array(0),
        proposerAddress: new Uint8Array(0),
      }).status;
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen');
    expect(process(tx)).toBe(ProposalStatus.ACCEPT);
    expect(process(tx, tx)).toBe(ProposalStatus.REJECT);
    expect(process(utf8('junk'))).toBe(ProposalStatus.REJECT);
  });

  it('give the same hash when executed again before the commit', () => {
    const chain = new TestChain();
    chain.block();
    const request = emptyBlock(2n, chain.send(chain.account(0), chain.account(1).address, '1uopen'));
    const first = chain.app.finalizeBlock(request).appHash;
    expect(chain.app.finalizeBlock({ ...request, txs: [] }).appHash).not.toEqual(first);
    expect(chain.app.finalizeBlock(request).appHash).toEqual(first);
    chain.app.commit();
    expect(chain.app.height).toBe(2n);
  });

  it('must follow each other', () => {
    const chain = new TestChain();
    chain.block();
    chain.block();
    expect(() => chain.app.finalizeBlock(emptyBlock(2n))).toThrow('invalid height: 2; expected: 3');
  });
});

describe('queries by path', () => {
  it('answer unknown paths, unknown stores and pruned heights with an error', () => {
    const chain = new TestChain();
    chain.block();
    expect(chain.rawQuery('/no/such', utf8('x'))).toMatchObject({ code: 6, codespace: 'sdk', height: 1n });
    expect(chain.rawQuery('', utf8('x')).code).toBe(6);
    expect(chain.rawQuery('/store/nope/key', utf8('x')).code).toBe(6);
    expect(chain.rawQuery('/store/bank/subspace', utf8('x')).code).toBe(6);
    expect(chain.rawQuery('/store/bank/key', new Uint8Array(0)).code).toBe(2);
    expect(chain.rawQuery('/cosmos.bank.v1beta1.Query/Params', utf8(''), 9n)).toMatchObject({
      code: 18,
      height: 9n,
    });
    expect(chain.rawQuery('/cosmos.bank.v1beta1.Query/Params', utf8(''), -1n).code).toBe(18);
    expect(chain.rawQuery('/cosmos.bank.v1beta1.Query/Balance', utf8('junk')).code).toBe(18);
  });

  it('answer a key of a store with its proofs', () => {
    const chain = new TestChain();
    chain.block();
    const { value, proofOps } = chain.rawQuery(
      '/store/bank/key',
      Uint8Array.of(0, ...utf8('uopen')),
      0n,
      true,
    );
    expect(fromUtf8(value)).toBe('3000000000');
    expect(proofOps?.ops.map(({ type }) => type)).toEqual(['ics23:iavl', 'ics23:simple']);
  });

  it('answer from past heights', () => {
    const chain = new TestChain();
    chain.block();
    chain.deliver(chain.send(chain.account(0), chain.account(1).address, '5uopen'));
    const { addresses, bank } = chain.app.composition;
    const bob = addresses.toBytes(chain.account(1).address);
    expect(bank.balance(chain.app.contextAt(1n), bob, 'uopen')).toBe(1_000_000_000n);
    expect(bank.balance(chain.app.contextAt(2n), bob, 'uopen')).toBe(1_000_000_005n);
  });
});

describe('genesis', () => {
  it('is exported so that a chain that starts from it has the same state', () => {
    const chain = new TestChain();
    chain.deliver(chain.send(chain.account(0), testAccount('new').address, '5uopen'));
    const sections = chain.app.exportAppState();
    const again = new TestChain({ genesis: { sections } });
    again.block();
    expect(again.app.exportAppState()).toEqual(sections);
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

  it('of another chain is refused', () => {
    expect(() => new TestChain({ genesis: { chainId: 'other' } })).toThrow('invalid chain-id on InitChain');
  });
});
