import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../core/hash.ts';
import { utf8 } from '../core/bytes.ts';
import { type RequestFinalizeBlock, RequestPrepareProposal } from '../proto/gen/tendermint/abci/types.ts';
import { TestChain } from '../test/support/test-chain.ts';

const ACCOUNTS = 4;

function blockOf(height: bigint, txs: readonly Uint8Array[]): RequestFinalizeBlock {
  return {
    txs,
    decidedLastCommit: { round: 0, votes: [] },
    misbehavior: [],
    hash: sha256(utf8(`block ${height}`)),
    height,
    time: { seconds: 1_700_000_000n + height, nanos: 0 },
    nextValidatorsHash: new Uint8Array(32),
    proposerAddress: new Uint8Array(20),
  };
}

/** A block of transfers, some of which fail: from, to, amount of each. */
const transfers = fc.array(fc.tuple(fc.nat(ACCOUNTS - 1), fc.nat(ACCOUNTS - 1), fc.nat(3)), {
  maxLength: 12,
});

/** What happens between pieces: how many transactions run, and what is asked afterwards. */
const pieces = fc.array(
  fc.record({
    txs: fc.nat(4),
    ask: fc.constantFrom('nothing', 'check', 'recheck', 'simulate', 'tasks', 'proposal', 'query', 'info'),
  }),
  { maxLength: 12 },
);
type Piece = { readonly txs: number; readonly ask: string };

function ask(chain: TestChain, what: string, tx: Uint8Array): void {
  if (what === 'check') chain.check(tx);
  else if (what === 'recheck') chain.recheck(tx);
  else if (what === 'simulate') chain.app.simulate(tx);
  else if (what === 'tasks') chain.app.signatureTasks(tx);
  else if (what === 'proposal')
    chain.app.prepareProposal(RequestPrepareProposal.create({ txs: [tx], maxTxBytes: 9999n }));
  else if (what === 'query') chain.rawQuery('/app/version', new Uint8Array(0));
  else chain.app.info({ version: '', blockVersion: 0n, p2pVersion: 0n, abciVersion: '' });
}

function inPieces(chain: TestChain, request: RequestFinalizeBlock, cuts: readonly Piece[]): unknown {
  const other = chain.send(chain.account(0), chain.account(1).address, '7uopen');
  const balances = () => chain.accounts.map(({ address }) => chain.balance(address));
  const before = chain.app.height === 0n ? [] : balances();
  const execution = chain.app.beginBlock(request);
  for (const { txs, ask: what } of cuts) {
    execution.run(txs);
    if (chain.app.height === 0n) continue;
    ask(chain, what, request.txs[0] ?? other);
    ask(chain, what, other);
    expect(balances()).toEqual(before);
  }
  execution.run(execution.remaining);
  return execution.end();
}

describe('a block in pieces', () => {
  it('gives what it gives at once, whatever is asked between the pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(transfers, pieces), { minLength: 1, maxLength: 4 }), (plan) => {
        const [whole, cut] = [new TestChain({ accounts: ACCOUNTS }), new TestChain({ accounts: ACCOUNTS })];
        for (const [i, [sent, cuts]] of plan.entries()) {
          const txs = sent.map(([from, to, amount]) =>
            whole.send(whole.account(from), whole.account(to).address, `${amount}uopen`),
          );
          const request = blockOf(BigInt(i + 1), txs);
          expect(inPieces(cut, request, cuts)).toEqual(whole.app.finalizeBlock(request));
          expect(cut.app.commit()).toEqual(whole.app.commit());
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is dropped without a trace when another begins', () => {
    const chain = new TestChain();
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen');
    const dropped = chain.app.beginBlock(blockOf(1n, [tx]));
    dropped.run(1);
    const { appHash } = chain.app.finalizeBlock(blockOf(1n, []));
    expect(appHash).toEqual(new TestChain().app.finalizeBlock(blockOf(1n, [])).appHash);
    expect(() => dropped.end()).toThrow('the block under way is another one');
  });

  it('is neither ended nor committed before its transactions have run', () => {
    const chain = new TestChain();
    const execution = chain.app.beginBlock(blockOf(1n, [utf8('junk')]));
    expect(() => execution.end()).toThrow('a block ends when all of its transactions have run');
    expect(() => chain.app.commit()).toThrow('Commit in the middle of a block');
    execution.run(1);
    expect(execution.end().txResults).toMatchObject([{ code: 2 }]);
    chain.app.commit();
    expect(() => execution.end()).toThrow('the block under way is another one');
  });
});
