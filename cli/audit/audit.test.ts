import { beforeAll, describe, expect, test } from 'vitest';
import type { OpenLedgerApp } from '../../app/app.ts';
import { type Block, dataHash } from '../../consensus/types/block.ts';
import { commitHash } from '../../consensus/types/commit.ts';
import { toUpperHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { txHashHex } from '../../core/tx-hash.ts';
import { coinReceived, coinSpent } from '../../modules/bank/events.ts';
import { bankState } from '../../modules/bank/state.ts';
import { TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { SignedChain, type SignedBlockContent } from '../../test/support/signed-chain.ts';
import { sendMessage, testAccount, TestChain } from '../../test/support/test-chain.ts';
import type { AuditReport } from './audit.ts';
import type { Difference } from './difference.ts';
import type { BlockSource } from './source.ts';
import { auditScene, memorySource, playScene, sceneGenesis, SIGNERS } from './testing.ts';

let chain: SignedChain;
let report: AuditReport;

beforeAll(async () => {
  chain = playScene();
  report = await auditScene(memorySource(chain));
}, 120_000);

/** What an audit finds. */
async function differenceOf(run: Promise<unknown>): Promise<Difference> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (typeof error !== 'object' || error === null || !('difference' in error)) throw error;
  return (error as { difference: Difference }).difference;
}

const amountOf = (
  row: string,
  of: 'opening' | 'closing' | 'in' | 'burned' | 'minted',
  in_ = report,
): bigint => in_.rows.find((each) => each.row === row && each.denom === 'uopen')?.[of] ?? -1n;

describe('a chain with payments, slashes, governance, inflation and restarts', () => {
  test('is replayed to its app hash, and every unit is accounted for', () => {
    expect(report.appHash).toBe(toUpperHex(chain.state.appHash));
    expect([report.transactions, report.failed]).toEqual([12, 1]);
    expect([report.blocks, report.confirmedBy, report.evidence]).toEqual([
      BigInt(chain.blocks.length),
      'node',
      { judged: 1, unjudged: 0 },
    ]);
    const sum = (of: 'opening' | 'minted' | 'in' | 'out' | 'burned' | 'closing'): bigint =>
      report.rows.reduce((total, row) => total + row[of], 0n);
    expect(sum('in')).toBe(sum('out'));
    expect(sum('opening') + sum('minted') - sum('burned')).toBe(sum('closing'));
    expect(sum('closing')).toBe(report.supply[0]?.amount);
  });

  test('slashes, burned deposits, fees and minted coins are told by what they are', () => {
    const purpose = (name: string): bigint =>
      report.purposes.find((each) => each.name === name)?.amount ?? -1n;
    expect(purpose('slashed stake')).toBe(amountOf('bonded_tokens_pool', 'burned'));
    expect(purpose('slashed stake')).toBeGreaterThan(0n);
    expect(purpose('burned deposits')).toBe(200n);
    expect(purpose('gas fees')).toBe(5000n * BigInt(report.transactions));
    expect(purpose('minted by mint')).toBe(amountOf('mint', 'minted'));
    expect(purpose('rewards withdrawn')).toBeGreaterThan(0n);
    expect(purpose('paid into pools')).toBe(amountOf('pools', 'in'));
    expect(purpose('paid into pools')).toBe(205n + 513n);
  });

  test('fees of inferences are told by party and add up', () => {
    expect(report.inference).toEqual([
      {
        denom: 'uopen',
        receipts: 1,
        fee: 1026n,
        parties: {
          platform: 103n,
          model: 205n,
          stakers: 205n,
          contributors: 513n,
          unattributed: 0n,
          escrow: 0n,
        },
      },
    ]);
  });

  test('a range is told apart from what was before it, and one range goes on where another ends', async () => {
    const before = await auditScene(memorySource(chain), { to: 20n });
    const after = await auditScene(memorySource(chain), { from: 21n, invariantsEvery: 10n });
    expect(before.confirmedBy).toBe('next header');
    expect(after.appHash).toBe(report.appHash);
    expect(after.inference).toEqual([]);
    for (const { row } of report.rows) {
      expect(amountOf(row, 'opening', after)).toBe(amountOf(row, 'closing', before));
      expect(amountOf(row, 'closing', after)).toBe(amountOf(row, 'closing'));
    }
  });

  test('a block hash that is trusted must come out', async () => {
    const hash = chain.blocks[9]?.commit.blockId.hash ?? new Uint8Array();
    await auditScene(memorySource(chain), { to: 10n, trusted: { height: 10n, hash } });
    const other = { height: 10n, hash: sha256(hash) };
    const found = await differenceOf(auditScene(memorySource(chain), { to: 10n, trusted: other }));
    expect(found).toMatchObject({ height: 10n, what: 'block hash', chain: toUpperHex(hash) });
  });

  test.each([
    [{ from: 0n }, 'cli.usage'],
    [{ from: 9n, to: 8n }, 'cli.usage'],
    [{ to: 1000n }, 'audit.block_missing'],
  ])('a range that there is not is refused: %o', async (options, code) => {
    await expect(auditScene(memorySource(chain), options)).rejects.toMatchObject({ code });
  });

  test('a source that begins later, and one without the last precommits, are refused', async () => {
    const range = async (): Promise<{ base: bigint; height: bigint }> => ({ base: 5n, height: 20n });
    await expect(auditScene(memorySource(chain, { range }))).rejects.toThrow('has blocks 5 to 20');
    const lastCommit = async (): Promise<undefined> => undefined;
    const lacking = memorySource(chain, { lastCommit });
    await expect(auditScene(lacking)).rejects.toMatchObject({ code: 'audit.commit_missing' });
    const appHash = async (): Promise<undefined> => undefined;
    const { confirmedBy } = await auditScene(memorySource(chain, { appHash }));
    expect(confirmedBy).toBe('nothing');
  });
});

/** The source with one block changed. */
function tampered(height: bigint, change: (block: Block) => Block): BlockSource {
  const source = memorySource(chain);
  return {
    ...source,
    block: async (at) => (at === height ? change(await source.block(at)) : source.block(at)),
  };
}

/** The height of the first block with a payment for an inference. */
const PAYMENT = 6n;

describe('a block that was tampered with is named by its height', () => {
  const withAmount = (block: Block): Block => {
    const raw = TxRaw.decode(block.txs[0] ?? new Uint8Array());
    const body = TxBody.decode(raw.bodyBytes);
    const bodyBytes = TxBody.encode({ ...body, messages: [sendMessage('a', 'b', '1uopen')] });
    const txs = [TxRaw.encode({ ...raw, bodyBytes })];
    return { ...block, txs, header: { ...block.header, dataHash: dataHash(txs) } };
  };
  const withoutTx = (block: Block): Block => ({
    ...block,
    txs: [],
    header: { ...block.header, dataHash: dataHash([]) },
  });

  test.each([
    ['a changed transaction', withAmount],
    ['a removed transaction', withoutTx],
  ])('%s is not what was signed', async (_, change) => {
    const found = await differenceOf(auditScene(tampered(PAYMENT, change)));
    const hash = toUpperHex(chain.blocks[Number(PAYMENT) - 1]?.commit.blockId.hash ?? new Uint8Array());
    expect(found).toMatchObject({ height: PAYMENT, what: 'block hash', chain: `precommits for ${hash}` });
  });

  test('bytes that are no block are named, and so is a block of another height', async () => {
    const source = memorySource(chain);
    const { decodeBlock, encodeBlock } = await import('../../consensus/types/block.ts');
    const block = async (at: bigint): Promise<Block> => {
      const { header, ...rest } = await source.block(at);
      return at === 7n ? decodeBlock(encodeBlock({ header, ...rest, txs: [] })) : { header, ...rest };
    };
    const found = await differenceOf(auditScene({ ...source, block }));
    expect(found).toMatchObject({ height: 7n, what: 'block', chain: 'block: wrong data hash' });
    const other = { ...source, block: async (at: bigint) => source.block(at === 8n ? 9n : at) };
    expect(await differenceOf(auditScene(other))).toMatchObject({ height: 8n, what: 'height', chain: '9' });
  });

  test('changed precommits are named with the block that they decide', async () => {
    const change = (block: Block): Block => {
      const signatures = block.lastCommit.signatures.map((entry) => ({
        ...entry,
        signature: Uint8Array.from(entry.signature, (byte, i) => (i === 3 ? byte ^ 1 : byte)),
      }));
      const lastCommit = { ...block.lastCommit, signatures };
      return { ...block, lastCommit, header: { ...block.header, lastCommitHash: commitHash(lastCommit) } };
    };
    const found = await differenceOf(auditScene(tampered(20n, change)));
    expect(found).toMatchObject({ height: 19n, what: 'signatures', note: 'they stand in block 20' });
  });

  test('results that its node tells wrong are named with the transaction', async () => {
    const source = memorySource(chain);
    const results: BlockSource['results'] = async (height) => {
      const told = await source.results(height);
      return height === PAYMENT ? told?.map((one) => ({ ...one, gasUsed: one.gasUsed + 1n })) : told;
    };
    await auditScene(source, { results: true, to: 20n });
    const found = await differenceOf(auditScene({ ...source, results }, { results: true, to: 20n }));
    const hash = txHashHex(chain.blocks[Number(PAYMENT) - 1]?.block.txs[0] ?? new Uint8Array());
    expect(found).toMatchObject({ height: PAYMENT, what: 'result', transaction: { index: 0, hash } });
    const none = { ...source, results: async () => undefined };
    await expect(auditScene(none, { results: true })).rejects.toMatchObject({
      code: 'audit.results_missing',
    });
    const fewer = { ...source, results: async () => [] };
    expect(await differenceOf(auditScene(fewer, { results: true }))).toMatchObject({ what: 'results' });
  });

  test('an app hash that its node has and the replay has not is named', async () => {
    const wrong = memorySource(chain, { appHash: async () => sha256(new Uint8Array()) });
    const found = await differenceOf(auditScene(wrong));
    expect(found).toMatchObject({ height: report.to, what: 'app hash', replay: report.appHash });
  });
});

/** The first transaction of an account. */
function transfer(): Uint8Array {
  const accounts = new TestChain({ accounts: 7 });
  const [from, to] = [accounts.account(1), accounts.account(2)];
  return accounts.sign(from, [sendMessage(from.address, to.address, '7uopen')]);
}

/** A short chain whose validators all sign what they should not. */
function corrupted(content: SignedBlockContent, more: SignedBlockContent = {}): SignedChain {
  const short = new SignedChain({ document: sceneGenesis(), signers: SIGNERS });
  short.add({ txs: [transfer()] });
  short.add(content);
  short.add(more);
  return short;
}

describe('what all validators have signed and is not so', () => {
  const hash = sha256(new Uint8Array(1));

  test.each([
    ['app hash', { appHash: hash }, 1n],
    ['results hash', { lastResultsHash: hash }, 1n],
    ['validators hash', { validatorsHash: hash }, 2n],
    ['next validators hash', { nextValidatorsHash: hash }, 2n],
    ['consensus parameters hash', { consensusHash: hash }, 2n],
    ['last block id', { lastBlockId: { hash, partSetHeader: { total: 1, hash } } }, 2n],
  ])('%s', async (what, header, height) => {
    const found = await differenceOf(auditScene(memorySource(corrupted({ header }))));
    expect(found).toMatchObject({ height, what });
    expect(found.chain).toContain(toUpperHex(hash));
    expect(found.chain).not.toBe(found.replay);
  });

  test('a results hash is traced to the transaction, where the source tells of results', async () => {
    const source = memorySource(corrupted({ header: { lastResultsHash: hash } }));
    const { note } = await differenceOf(auditScene(source));
    expect(note).toContain('the same results of all 1 transactions');
    const told = { ...source, results: async () => [{ code: 5, data: hash, gasWanted: 1n, gasUsed: 1n }] };
    const found = await differenceOf(auditScene(told));
    expect(found).toMatchObject({ height: 1n, what: 'results hash', transaction: { index: 0 } });
    expect(found.note).toContain('code 5');
  });

  test('the time of a block', async () => {
    const header = { time: { seconds: 1_800_000_000n, nanos: 0 } };
    const found = await differenceOf(auditScene(memorySource(corrupted({ header }))));
    expect(found).toMatchObject({ height: 2n, what: 'block', replay: 'block has a wrong time' });
  });

  test('evidence of votes that were not signed, and evidence that was in a block before', async () => {
    const good = corrupted({}).doubleSign(2);
    const forged = { ...good, voteB: { ...good.voteB, signature: good.voteA.signature } };
    const false_ = corrupted({}, {});
    false_.add({ evidence: [forged] });
    expect(await differenceOf(auditScene(memorySource(false_)))).toMatchObject({
      height: 4n,
      what: 'evidence',
    });
    const twice = corrupted({});
    const evidence = [twice.doubleSign(2)];
    twice.add({ evidence });
    twice.add({ evidence });
    expect(await differenceOf(auditScene(memorySource(twice)))).toMatchObject({
      height: 5n,
      what: 'evidence',
    });
  });
});

/** A bug that chain and replay both have: their hashes agree, and only the ledger can tell. */
async function planted(bug: (app: OpenLedgerApp) => void): Promise<Difference> {
  const short = new SignedChain({ document: sceneGenesis(), signers: SIGNERS, prepare: bug });
  short.add();
  short.add({ txs: [transfer()] });
  short.add();
  return differenceOf(auditScene(memorySource(short), {}, { prepare: bug }));
}

describe('a bug of the state machine that moves coins past the books', () => {
  const thief = testAccount('thief');
  type Fee = OpenLedgerApp['composition']['bank']['collectFee'];
  const onFee =
    (act: (app: OpenLedgerApp, ...args: Parameters<Fee>) => void) =>
    (app: OpenLedgerApp): void => {
      const { bank } = app.composition;
      const collect: Fee = bank.collectFee.bind(bank);
      bank.collectFee = (...args) => {
        collect(...args);
        act(app, ...args);
      };
    };

  test('a coin that is made from nothing, without an event', async () => {
    const found = await planted(
      onFee((_, context) => bankState().balances.set(context, [thief.pubKey.address, 'uopen'], 1n)),
    );
    expect(found).toMatchObject({
      height: 2n,
      what: `balance of ${thief.address}`,
      chain: '1uopen in its state',
      replay: '0uopen by the movements of coins',
    });
  });

  test('a supply that changes by itself', async () => {
    const found = await planted(onFee((_, context) => bankState().supply.set(context, 'uopen', 5n)));
    expect(found).toMatchObject({ height: 2n, what: 'supply of uopen', chain: '5uopen in its state' });
  });

  test('coins that are received and never spent: the transaction is named', async () => {
    const found = await planted(
      onFee((app, context) => {
        app.composition.bank.receive(context, thief.pubKey.address, [{ denom: 'uopen', amount: 3n }]);
      }),
    );
    expect(found).toMatchObject({ height: 2n, what: 'movements', transaction: { index: 0 } });
    expect(found.chain).toContain('3uopen');
  });

  test('coins that are said to move and do not', async () => {
    const found = await planted(
      onFee((_, context, payer) =>
        context.emit(
          coinSpent(testAccount('4').address, '9uopen'),
          coinReceived(testAccount('5').address, payer.length > 0 ? '9uopen' : ''),
        ),
      ),
    );
    expect(found).toMatchObject({ height: 2n, what: `balance of ${testAccount('4').address}` });
  });

  test('coins that are in the first state and not in the genesis document', async () => {
    const found = await planted((app) => {
      const { bank } = app.composition;
      const setParams = bank.setParams.bind(bank);
      bank.setParams = (context, params) => {
        setParams(context, params);
        bankState().balances.set(context, [thief.pubKey.address, 'uopen'], 4n);
      };
    });
    expect(found).toMatchObject({ height: 1n, what: `balance of ${thief.address}` });
  });

  test('an invariant that does not hold', async () => {
    const found = await planted((app) => {
      app.brokenInvariants = () => ['payments/conservation: receipt 1 is wrong'];
    });
    expect(found).toMatchObject({ height: 3n, what: 'invariant' });
    expect(found.replay).toContain('payments/conservation');
  });
});

test('a block that this program cannot execute is an error of its own, not a difference', async () => {
  const failing = (app: OpenLedgerApp): void => {
    app.beginBlock = () => {
      throw new Error('needs another program');
    };
  };
  await expect(auditScene(memorySource(chain), {}, { prepare: failing })).rejects.toMatchObject({
    code: 'audit.program',
    message: expect.stringContaining('block 1: needs another program'),
  });
});
