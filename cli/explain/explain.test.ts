import { expect, test } from 'vitest';
import type { DerivedClaimPayout, DerivedReceipt } from '../../client/verifier/types.ts';
import { LedgerError } from '../../core/errors.ts';
import { JsonRpcError } from '../../light/json-rpc.ts';
import { PoolKind } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { deliverOk, withdraw } from '../../test/support/economic-loop.ts';
import type { ExplainChain } from './chain.ts';
import type { Explained } from './collect.ts';
import { explain, runExplain } from './run.ts';
import { jsonText, reportText } from './report.ts';
import type { RecordedChain } from './testing/recorded-chain.ts';
import { bothQuotes, claim, claimScene, explainOne, pay, payPrivately, playScene } from './testing/scenes.ts';

const SCALE = 1n << 64n;

function payoutOf({ derived }: Explained): DerivedClaimPayout {
  const [payout] = derived;
  if (payout?.kind !== 'claim') throw new RangeError('no claim');
  return payout;
}

/** `carried + credits = amount + left`, in parts of a unit. */
function addsUp({ amount, carried, left, credits }: DerivedClaimPayout): boolean {
  return carried + credits.reduce((sum, { share }) => sum + share, 0n) === amount * SCALE + left;
}

function receiptsOf(payout: DerivedClaimPayout): readonly DerivedReceipt[] {
  return payout.credits.flatMap(({ receipt }) => receipt ?? []);
}

test('a claim is explained down to the quoted spans, to the unit', async () => {
  const explained = await claimScene();
  const payout = payoutOf(explained);
  expect(addsUp(payout)).toBe(true);
  expect(payout).toMatchObject({ pool: 'datanet/1', slot: 0n, amount: 1_156n, carried: 0n, weight: 1_000n });
  const [first, , third] = receiptsOf(payout);
  expect(first?.parts).toEqual({ platform: 103n, model: 205n, stakers: 205n, contributors: 513n });
  expect(first?.claim?.quotes.map(({ contribution, length, text }) => [contribution, length, text])).toEqual([
    [1n, 100, expect.stringContaining('state of the union')],
    [2n, 50, expect.stringContaining('jefferson')],
  ]);
  expect(third?.claim).toBe(null);
  const text = reportText({ explained: [explained], received: [] }, { proofs: 'payout.json' });
  expect(text).toContain('1156uopen to open1');
  expect(text).toContain('quotes 100 bytes from 200 on of contribution 1');
  expect(text).toContain(`--height ${explained.trusted.height} --hash ${explained.trusted.hash}`);
  expect(
    JSON.parse(jsonText({ explained: [explained], received: [], unexplained: [] })).payouts[0].derived[0]
      .amount,
  ).toBe('1156');
});

test('a later claim is of what came since, and of the fraction that was carried', async () => {
  const scene = playScene();
  const { chain, loop } = scene;
  pay(scene, []);
  // Nothing was ever paid or settled: the row of the debt is not there before.
  const first = payoutOf(
    await explainOne(chain, { kind: 'tx', hash: claim(chain, loop.first, { slots: [0n] }) }),
  );
  pay(scene, bothQuotes(scene));
  pay(scene, []);
  const hash = claim(chain, loop.first, { slots: [0n] });
  const second = payoutOf(await explainOne(chain, { kind: 'tx', hash }));
  expect([addsUp(first), addsUp(second)]).toEqual([true, true]);
  expect([first.carried, second.carried]).toEqual([0n, first.left]);
  expect(first.left).toBeGreaterThan(0n);
  expect(receiptsOf(second).map(({ id }) => id)).toEqual([2n, 3n]);
});

test('a model’s part reaches its owner; an answer by its root only still shows what it quotes', async () => {
  const scene = playScene();
  const { chain, loop } = scene;
  payPrivately(scene);
  const model = { kind: PoolKind.POOL_KIND_MODEL, slots: [0n] };
  const hash = claim(chain, loop.seller, model);
  const payout = payoutOf(await explainOne(chain, { kind: 'tx', hash }));
  expect([addsUp(payout), payout.pool, payout.amount]).toEqual([true, 'model/1', 205n]);
  const [quote] = receiptsOf(payout)[0]?.claim?.quotes ?? [];
  expect(quote?.length).toBe(40);
});

test('a slot that was withdrawn has earned by the weight that it had', async () => {
  const scene = playScene();
  const { chain, loop } = scene;
  pay(scene, []);
  deliverOk(chain, loop.first, withdraw(loop.first, 1n));
  chain.block();
  pay(scene, []);
  const hash = claim(chain, loop.first, { slots: [0n] });
  const payout = payoutOf(await explainOne(chain, { kind: 'tx', hash }));
  expect([addsUp(payout), payout.weight, payout.credits.length]).toEqual([true, 1_000n, 1]);
});

test('a receipt, a slot and an account are explained; what paid nobody is not', async () => {
  const scene = playScene();
  const { chain, loop } = scene;
  pay(scene, bothQuotes(scene));
  const earlier = claim(chain, loop.first, { slots: [0n] });
  const height = chain.height - 1n;
  pay(scene, bothQuotes(scene));
  claim(chain, loop.first, { slots: [0n] });
  const { derived } = await explainOne(chain, { kind: 'receipt', id: 1n });
  expect(derived).toMatchObject([{ kind: 'receipt', receipt: { id: 1n, fee: 1_026n, claim: { id: 1n } } }]);
  const slot = { kind: 'slot', pool: 'datanet/1', slot: 0n } as const;
  expect(payoutOf(await explainOne(chain, { ...slot, height: undefined })).height).toBe(chain.height - 1n);
  expect(payoutOf(await explainOne(chain, { ...slot, height })).height).toBe(height);
  const { address } = loop.first;
  const claimsSince = async (since: bigint): Promise<readonly Explained[]> => {
    const subject = { kind: 'account', address, since } as const;
    return (await explain(chain, { subject, receiptsMax: 10 }, undefined)).explained;
  };
  expect((await claimsSince(1n)).map((each) => payoutOf(each).amount)).toEqual([342n, 342n]);
  expect(await claimsSince(height)).toHaveLength(2);
  expect(await claimsSince(height + 1n)).toHaveLength(1);
  const none = (subject: Parameters<typeof explainOne>[1]) => expect(explainOne(chain, subject)).rejects;
  await none({ kind: 'account', address, since: 99n }).toThrow('has received nothing since 99');
  await none({ ...slot, height: 3n }).toThrow('was not paid in block 3');
  await none({ ...slot, slot: 7n, height: undefined }).toThrow('was not paid');
  await none({ kind: 'receipt', id: 77n }).toThrow('payments has no row');
  await none({ kind: 'tx', hash: 'AB'.repeat(32) }).toThrow('knows no transaction');
  expect(earlier).toHaveLength(64);
});

test('a claim whose state is gone hides no later one: it is named, and the command fails at its end', async () => {
  const scene = playScene();
  const { chain, loop } = scene;
  const heights: bigint[] = [];
  for (let i = 0; i < 3; i++) {
    pay(scene, bothQuotes(scene));
    claim(chain, loop.first, { slots: [0n] });
    heights.push(chain.height - 1n);
  }
  const [, gone = 0n] = heights;
  const settings = {
    subject: { kind: 'account', address: loop.first.address, since: 1n } as const,
    ...{ node: '', gateway: undefined, receiptsMax: 10, proofs: undefined },
  };
  const play = async (json: boolean, failure?: Error) => {
    const [printed, notes]: [string[], string[]] = [[], []];
    const terminal = {
      out: (text: string) => void printed.push(text),
      note: (line: string) => void notes.push(line),
    };
    const error = await runExplain(
      { ...settings, json },
      terminal,
      failure === undefined ? chain : withoutState(chain, gone, failure),
    ).catch((thrown: unknown) => thrown);
    return { printed: printed.join(''), notes, error };
  };
  const whole = await play(false);
  expect([whole.notes, whole.error]).toEqual([[], undefined]);
  const pruned = new LedgerError('explain.query', `no state of version ${gone}`);
  const { printed, notes, error } = await play(false, pruned);
  expect(printed.match(/claimed in block \d+/g)).toEqual(
    [heights[0], heights[2]].map((height) => `claimed in block ${height}`),
  );
  expect(notes).toEqual([
    `not explained: block ${gone}: the node has not kept the states around block ${gone}: ` +
      `ask one with a longer pruning: no state of version ${gone}`,
  ]);
  expect(error).toMatchObject({
    code: 'explain.incomplete',
    message: '1 of 3 blocks with claims are not explained',
  });
  const json = await play(true, new JsonRpcError('url', { code: -32603, message: 'no block', data: '' }));
  expect(JSON.parse(json.printed)).toMatchObject({
    payouts: [{ derived: [{ amount: '342' }] }, { derived: [{ amount: '342' }] }],
    unexplained: [{ height: `${gone}`, reason: 'url answered: no block' }],
  });
  expect(json.error).toMatchObject({ code: 'explain.incomplete' });
  const unreachable = await play(false, new LedgerError('light.unreachable', 'cannot reach url'));
  expect([unreachable.printed, unreachable.error]).toMatchObject(['', { code: 'light.unreachable' }]);
});

/** The same chain behind a node that has no state of one height. */
function withoutState(chain: RecordedChain, gone: bigint, failure: Error): ExplainChain {
  return {
    latest: () => chain.latest(),
    header: (height) => chain.header(height),
    ask: (question) => (question.height === gone ? Promise.reject(failure) : chain.ask(question)),
    tx: (hash) => chain.tx(hash),
    txs: (query) => chain.txs(query),
    blocks: (query) => chain.blocks(query),
    blockEvents: (height) => chain.blockEvents(height),
  };
}
