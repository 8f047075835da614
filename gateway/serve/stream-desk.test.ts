import { expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { contentRoot } from '../../modules/attribution/verify.ts';
import { encodeAttribution } from '../../modules/settlement/proof/attribution.ts';
import { decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { GatewayWorld, statedReceipts } from '../../test/support/gateway-world.ts';
import type { StreamedPart } from './ports.ts';
import type { GivenPiece, StreamEnding } from './stream-desk.ts';

/** Of 10 tokens in and so many out: see serve.test.ts. 1,001 of it is paid up front. */
const FEES = new Map([
  [0, 1_001n],
  [10, 1_004n],
  [20, 1_007n],
  [30, 1_010n],
  [40, 1_013n],
  [50, 1_016n],
]);

async function serve(gateway: GatewayWorld) {
  const process = await gateway.process();
  await process.settler.observe();
  return process;
}

/** Of an ending that was paid for: its tokens, fee and text. */
function paidOf(ending: StreamEnding | undefined) {
  if (ending?.paid === undefined) throw new RangeError('nothing was paid for');
  const receipt = decodeReceipt(ending.paid.receipt);
  expect(receipt?.responseHash).toEqual(Uint8Array.from(contentRoot(ending.paid.answer)));
  const fee = (receipt?.after ?? 0n) - (receipt?.before ?? 0n);
  return { ended: ending.ended, tokens: receipt?.tokensOut, fee, text: fromUtf8(ending.paid.answer) };
}

test('a stream is paid for while it is given; the charge is the fee of its tokens, no multiple of a link', async () => {
  const gateway = await GatewayWorld.start();
  const { streams, settler, epochs } = await serve(gateway);
  const { given, ending } = await gateway.buyStream(streams, 0, { prompt: 'a' });
  expect(given.map(({ tokens, due }) => [tokens, due])).toEqual([...FEES]);
  const text = given.map((piece) => piece.text).join('');
  expect(paidOf(ending)).toEqual({ ended: 'whole', tokens: 50, fee: 1_016n, text });
  const again = await gateway.buyStream(streams, 0, { prompt: 'b' });
  expect(paidOf(again.ending).fee).toBe(1_016n);
  await settler.round();
  expect(gateway.world.epoch()).toMatchObject({ state: EpochState.EPOCH_STATE_PENDING });
  expect((await statedReceipts(epochs)).size).toBe(2);
  expect(gateway.alarms).toEqual([]);
  gateway.world.waitWindow(12);
  gateway.world.sound();
});

test.each([0, 10, 20, 30, 40, 50])(
  'a payer that pays up to %i tokens gets ten more, and is charged for those that it paid for',
  async (most) => {
    const gateway = await GatewayWorld.start();
    const { streams, settler, epochs } = await serve(gateway);
    const isPaid = ({ tokens }: GivenPiece): boolean => tokens <= most;
    const { given, ending } = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
    expect(given.at(-1)?.tokens).toBe(Math.min(most + 10, 50));
    expect(streams.serving).toBe(0);
    const paid = paidOf(ending);
    expect(paid).toMatchObject({
      ended: most === 50 ? 'whole' : 'unpaid',
      tokens: most,
      fee: FEES.get(most),
    });
    expect(
      given
        .map(({ text }) => text)
        .join('')
        .startsWith(paid.text),
    ).toBe(true);
    await settler.round();
    expect((await statedReceipts(epochs)).size).toBe(1);
    expect(gateway.alarms).toEqual([]);
  },
);

test('what was paid for is answered again for its voucher, in this process and in the next', async () => {
  const gateway = await GatewayWorld.start();
  const { streams } = await serve(gateway);
  const request = { modelId: 1n, prompt: utf8('a'), tokensOutMax: 100, resource: sha256(utf8('a')) };
  const stream = { unit: 2n, links: 15 };
  const voucher = await gateway.payer.sign(0, { resource: request.resource, ceiling: 1_031n, stream });
  const isPaid = ({ tokens }: GivenPiece): boolean => tokens <= 20;
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect(await streams.open({ ...request, voucher })).toEqual({ ...ending?.paid, again: true });
  const next = await serve(gateway);
  expect(await next.streams.open({ ...request, voucher })).toEqual({ ...ending?.paid, again: true });
  expect([gateway.inferences, next.streams.serving]).toEqual([1, 0]);
});

test('links of a stream that is not over are not claimed: a receipt would not cover them', async () => {
  const gateway = await GatewayWorld.start();
  const { streams, settler, payee } = await serve(gateway);
  const amounts: bigint[] = [];
  const isPaid = (): boolean => {
    amounts.push(settler.unclaimed);
    return true;
  };
  await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect([...new Set(amounts)]).toEqual([0n]);
  expect(payee.claims().map(({ total }) => total)).toEqual(['1016']);
});

test('what a crash cuts is charged for what was paid, of the last try, also when the log was rewritten', async () => {
  const gateway = await GatewayWorld.start();
  const { streams, settler } = await serve(gateway);
  await gateway.buyStream(streams, 0, { prompt: 'other' });
  await gateway.buyStream(streams, 1, { prompt: 'a', isPaid: () => false });
  let given = '';
  // Each is paid for before it is given: the stream before has used up the window.
  const crash = async ({ tokens, text }: GivenPiece): Promise<boolean> => {
    given += text;
    if (tokens === 20) await settler.round();
    if (tokens === 30) throw new RangeError('crash');
    return true;
  };
  await expect(gateway.buyStream(streams, 1, { prompt: 'a', isPaid: crash })).rejects.toThrow('crash');
  expect(gateway.world.epoch()).toBeDefined();
  const next = await serve(gateway);
  const { opened } = await gateway.buyStream(next.streams, 1, { prompt: 'a' });
  if (opened.kind !== 'answered') throw new RangeError(opened.kind);
  const paid = paidOf({ ended: 'left', paid: opened });
  expect(paid).toEqual({ ended: 'left', tokens: 30, fee: 1_010n, text: given });
  // Nothing is left of its pieces.
  expect(next.receipts.pieces(gateway.world.channel, 1)).toEqual([]);
  expect(gateway.inferences).toBe(3);
});

test('only links that follow are taken, of streams that are served', async () => {
  const gateway = await GatewayWorld.start();
  const { streams } = await serve(gateway);
  const { channel } = gateway.world;
  const link = { preimage: new Uint8Array(32), index: 1 };
  expect(await streams.pay(channel, 0, link)).toEqual({ kind: 'refused', reason: 'no_stream' });
  const said: unknown[] = [];
  const isPaid = ({ tokens }: GivenPiece): boolean => {
    if (tokens === 10)
      said.push(streams.pay(channel, 0, link), streams.pay(channel, 0, { ...link, index: 16 }));
    if (tokens === 20) said.push(streams.pay(channel, 0, link));
    return true;
  };
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect(ending?.ended).toBe('whole');
  const invalid = { kind: 'refused', reason: 'invalid_link' };
  // One that was shown before, or would have been, changes nothing.
  expect(await Promise.all(said)).toEqual([invalid, invalid, { kind: 'paid', index: 2 }]);
});

function broken(parts: readonly StreamedPart[]): GatewayWorld['parts'] {
  return function* () {
    yield* parts;
    throw new LedgerError('gateway.inference', 'it broke');
  };
}

const PIECE: StreamedPart = { kind: 'piece', text: 'a', tokens: 10 };

test.each([
  ['breaks off', broken([PIECE, PIECE]), 20],
  ['ends without an end', () => [PIECE, PIECE], 20],
  ['says another sum', () => [PIECE, PIECE, { kind: 'end', tokens: 21, claimId: 0n } as const], 20],
  ['says more at once than is given ahead', () => [PIECE, PIECE, { ...PIECE, tokens: 11 }], 20],
  ['says a piece of no token', () => [PIECE, PIECE, { ...PIECE, tokens: 0 }], 20],
  ['says more than was asked for', () => Array.from({ length: 11 }, () => PIECE), 100],
  ['says more bytes than are kept', () => [PIECE, PIECE, { ...PIECE, text: 'x'.repeat(1_000) }], 20],
])('a model that %s: what was paid for until then is charged', async (_, parts, tokens) => {
  const gateway = await GatewayWorld.start();
  gateway.parts = parts;
  const { streams } = await serve(gateway);
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a' });
  expect(paidOf(ending)).toMatchObject({ ended: 'failed', tokens });
  expect(gateway.alarms).toEqual(['a stream broke off']);
});

test('a model that says nothing costs nothing, and its voucher is good for another try, links and all', async () => {
  const gateway = await GatewayWorld.start();
  gateway.parts = broken([]);
  const { streams, payee } = await serve(gateway);
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a' });
  expect([ending, payee.claims()]).toEqual([{ ended: 'failed', paid: undefined }, []]);
  gateway.parts = function* () {
    yield PIECE;
    yield { kind: 'end', tokens: 10, claimId: 0n };
  };
  const again = await gateway.buyStream(streams, 0, { prompt: 'a' });
  expect(paidOf(again.ending)).toMatchObject({ ended: 'whole', fee: 1_004n });
});

test('who leaves, or is told to stop, is charged for what was paid', async () => {
  const gateway = await GatewayWorld.start();
  const { streams } = await serve(gateway);
  const request = { modelId: 1n, prompt: utf8('a'), tokensOutMax: 100, resource: sha256(utf8('a')) };
  const stream = { unit: 2n, links: 15 };
  const voucher = await gateway.payer.sign(0, { resource: request.resource, ceiling: 1_031n, stream });
  const opened = await streams.open({ ...request, voucher });
  if (opened.kind !== 'stream') throw new RangeError(opened.kind);
  expect(await streams.open({ ...request, voucher })).toEqual({ kind: 'refused', reason: 'lane_busy' });
  const leaving = new AbortController();
  const give = async ({ tokens, due }: GivenPiece): Promise<void> => {
    const link = gateway.payer.linkFor(0, due);
    if (link !== undefined && tokens <= 20) await streams.pay(gateway.world.channel, 0, link);
    if (tokens === 30) leaving.abort();
  };
  expect(paidOf(await opened.run(give, leaving.signal))).toMatchObject({ ended: 'left', tokens: 20 });
});

test('what is not offered is refused; a voucher without a chain pays for all of it up front', async () => {
  const gateway = await GatewayWorld.start();
  const { streams } = await serve(gateway);
  const resource = sha256(utf8('a'));
  const request = { modelId: 1n, prompt: utf8('a'), tokensOutMax: 100, resource };
  const voucher = await gateway.payer.sign(0, { resource, ceiling: 1_031n });
  const ask = async (change: object) => await streams.open({ ...request, voucher, ...change });
  expect(await ask({ modelId: 2n })).toEqual({ kind: 'refused', reason: 'unknown_model' });
  expect(await ask({ prompt: new Uint8Array(1_001) })).toEqual({
    kind: 'refused',
    reason: 'prompt_too_long',
  });
  expect(await ask({ tokensOutMax: 101 })).toEqual({ kind: 'refused', reason: 'ceiling_too_low' });
  expect(streams.serving).toBe(0);
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid: () => false });
  expect(paidOf(ending)).toMatchObject({ ended: 'whole', fee: 1_016n });
  const openings = await Promise.all(
    Array.from({ length: 9 }, () => streams.open({ ...request, voucher, modelId: 2n })),
  );
  expect(openings.map((each) => 'reason' in each && each.reason)).toContain('busy');
});

test('a whole answer that rests on a claim is divided by it; one that is cut short rests on none', async () => {
  const gateway = await GatewayWorld.start();
  const place = { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index: 1 };
  const weights = { entries: [{ place, weight: 3n }], unattributed: 1n };
  gateway.claim = { modelId: 1n, answerRoot: contentRoot(utf8('aa')), weights };
  gateway.parts = () => [PIECE, PIECE, { kind: 'end', tokens: 20, claimId: 1n }];
  const { streams } = await serve(gateway);
  const whole = await gateway.buyStream(streams, 0, { prompt: 'a' });
  const named = Uint8Array.from(sha256(encodeAttribution({ claimId: 1n, ...weights })));
  expect(decodeReceipt(whole.ending?.paid?.receipt ?? utf8(''))?.attribution).toEqual(named);
  const isPaid = ({ tokens }: GivenPiece): boolean => tokens <= 10;
  const cut = await gateway.buyStream(streams, 1, { prompt: 'b', isPaid });
  expect(decodeReceipt(cut.ending?.paid?.receipt ?? utf8(''))?.attribution).toEqual(new Uint8Array(32));
});
