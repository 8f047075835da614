import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../core/bytes.ts';
import { SimulateRequest, SimulateResponse } from '../proto/gen/cosmos/tx/v1beta1/service.ts';
import { AuthInfo, TxBody, TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { BlockParams, ConsensusParams } from '../proto/gen/tendermint/types/params.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../modules/consensus/params.ts';
import type { RequestFinalizeBlock } from '../proto/gen/tendermint/abci/types.ts';
import { ResponseProcessProposal_ProposalStatus as ProposalStatus } from '../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../store/multistore.ts';
import { createApp } from './app.ts';
import { composeModules, storeNames } from './modules.ts';
import { plainVerifier, sendMessage, TestChain, testAccount } from '../test/support/test-chain.ts';

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

  it('keeps no decoded transaction that a block has taken', () => {
    const chain = new TestChain();
    chain.block();
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen');
    const before = chain.app.decodedTxsBytes;
    chain.check(tx);
    expect(chain.app.decodedTxsBytes).toBeGreaterThan(before);
    chain.block(tx);
    expect(chain.app.decodedTxsBytes).toBe(before);
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
    const body = {
      memo: '',
      timeoutHeight: 0n,
      timeoutTimestamp: undefined,
      unordered: false,
      extensionOptions: [],
      nonCriticalExtensionOptions: [],
    };
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

  it('can be executed again also when they are the first', () => {
    const chain = new TestChain();
    const first = chain.app.finalizeBlock(emptyBlock(1n)).appHash;
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen');
    expect(chain.app.finalizeBlock(emptyBlock(1n, tx)).appHash).not.toEqual(first);
    expect(chain.app.finalizeBlock(emptyBlock(1n)).appHash).toEqual(first);
    chain.app.commit();
    expect(chain.balance(chain.account(0).address)).toBe(1_000_000_000n);
  });

  it('may begin at a later height', () => {
    const chain = new TestChain({ genesis: { initialHeight: 100n } });
    expect(() => chain.app.finalizeBlock(emptyBlock(1n))).toThrow('invalid height: 1; expected: 100');
    chain.app.finalizeBlock(emptyBlock(100n));
    chain.app.commit();
    expect(chain.app.height).toBe(100n);
  });

  it('cannot be executed before genesis', () => {
    const { modules } = composeModules('open');
    const store = new MemoryMultiStore({ stores: storeNames(modules) });
    const app = createApp({ store, chainId: 'c', prefix: 'open', verifier: plainVerifier });
    expect(() => app.finalizeBlock(emptyBlock(1n))).toThrow('FinalizeBlock before InitChain');
    expect(() => app.commit()).toThrow('Commit without FinalizeBlock');
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
