import { expect, test } from 'vitest';
import { fromUtf8, utf8 } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { type BoughtStream, GatewayWorld } from '../../test/support/gateway-world.ts';
import type { StreamedPart } from './ports.ts';
import type { GivenPiece } from './stream-desk.ts';

/** The window of these gateways, `tokensAhead`. */
const AHEAD = 10;

async function serve(gateway: GatewayWorld) {
  const process = await gateway.process();
  await process.settler.observe();
  return process;
}

/** Tokens that were given of streams and are in no receipt. */
function unpaidOf(bought: readonly BoughtStream[]): number {
  return bought.reduce((sum, { given, ending }) => {
    const paid = ending?.paid && decodeReceipt(ending.paid.receipt)?.tokensOut;
    return sum + (given.at(-1)?.tokens ?? 0) - (paid ?? 0);
  }, 0);
}

const textOf = ({ given }: BoughtStream): string => given.map(({ text }) => text).join('');
/** Pays for the request itself alone. */
const callOnly = ({ due }: GivenPiece): boolean => due === 1_001n;
/** Answers of one piece, as long as the window. */
const short: GatewayWorld['parts'] = function* (prompt, inference) {
  yield { kind: 'piece', text: `${prompt} ${inference}`, tokens: 10 };
  yield { kind: 'end', tokens: 10, claimId: 0n };
};

test('what is given and not paid for on a channel is one window in its life, on all lanes, also after a restart', async () => {
  const gateway = await GatewayWorld.start();
  gateway.parts = short;
  let { streams, settler } = await serve(gateway);
  const bought: BoughtStream[] = [];
  for (let i = 0; i < 12; i++) {
    bought.push(await gateway.buyStream(streams, i % 3, { prompt: `${i}`, isPaid: callOnly }));
    // The log is written anew, and read.
    if (i === 4) await settler.round();
    if (i === 7) ({ streams, settler } = await serve(gateway));
  }
  expect(unpaidOf(bought)).toBe(AHEAD);
  // Each was asked for, and is owed.
  expect(bought.map(({ ending }) => ending?.paid?.again)).toEqual(Array(12).fill(false));
  expect(bought.slice(1).map(textOf).join('')).toBe('');
});

test('whose window is used up pays for each piece before it is given, and gets all of it', async () => {
  const gateway = await GatewayWorld.start();
  const { streams } = await serve(gateway);
  await gateway.buyStream(streams, 0, { prompt: 'a', isPaid: callOnly });
  const whole = await gateway.buyStream(streams, 0, { prompt: 'b' });
  expect(whole.given.map(({ text, tokens, due }) => [text !== '', tokens, due]).slice(0, 5)).toEqual([
    [false, 0, 1_001n],
    [false, 0, 1_004n],
    [true, 10, 1_004n],
    [false, 10, 1_007n],
    [true, 20, 1_007n],
  ]);
  expect([whole.ending?.ended, unpaidOf([whole])]).toEqual(['whole', 0]);
  expect(textOf(whole)).toBe(fromUtf8(whole.ending?.paid?.answer ?? new Uint8Array(0)));
});

test('lanes share the window while they run: the second is asked first, until the first has paid', async () => {
  const gateway = await GatewayWorld.start();
  const { streams } = await serve(gateway);
  let second: BoughtStream | undefined;
  const isPaid = async ({ tokens }: GivenPiece): Promise<boolean> => {
    // Ten tokens are given here and not paid for.
    if (tokens === 10) second = await gateway.buyStream(streams, 1, { prompt: 'b', isPaid: callOnly });
    return true;
  };
  const first = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect([first.ending?.ended, textOf(second ?? first)]).toEqual(['whole', '']);
  const third = await gateway.buyStream(streams, 1, { prompt: 'c', isPaid: callOnly });
  expect(unpaidOf([third])).toBe(AHEAD);
});

test('a model whose calls cost nothing gives nothing that is not paid for', async () => {
  const gateway = await GatewayWorld.start();
  gateway.isCallFree = true;
  const { streams, payee, receipts } = await serve(gateway);
  const stream = { unit: 1n, links: 1_031 };
  for (let i = 0; i < 5; i++) {
    const none = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid: () => false, stream });
    expect([none.ending, textOf(none)]).toEqual([{ ended: 'unpaid', paid: undefined }, '']);
  }
  expect([receipts.unpaid(gateway.world.channel), payee.claims()]).toEqual([0, []]);
  expect(receipts.pieces(gateway.world.channel, 0)).toEqual([]);
  const whole = await gateway.buyStream(streams, 0, { prompt: 'a', stream });
  expect([whole.ending?.ended, whole.ending?.paid?.charged]).toEqual(['whole', 15n]);
});

test('the model is not asked before the request itself is paid for', async () => {
  const gateway = await GatewayWorld.start();
  const { streams } = await serve(gateway);
  const stream = { unit: 1n, links: 1_031 };
  const none = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid: () => false, stream });
  expect([none.ending, gateway.inferences]).toEqual([{ ended: 'unpaid', paid: undefined }, 0]);
  const whole = await gateway.buyStream(streams, 0, { prompt: 'a', stream });
  expect([whole.ending?.ended, gateway.inferences]).toEqual(['whole', 1]);
});

test('pieces of any sizes: what is not paid for is counted in pieces, which are charged whole', async () => {
  const gateway = await GatewayWorld.start();
  const sizes = [7, 7, 3, 10, 1, 9];
  gateway.parts = function* () {
    for (const tokens of sizes) yield { kind: 'piece', text: 'x', tokens };
    yield { kind: 'end', tokens: 37, claimId: 0n };
  };
  const { streams, receipts } = await serve(gateway);
  const bought: BoughtStream[] = [];
  for (let most = 0; most < 40; most += 3) {
    // A link more than what is due pays for a part of the next piece.
    const isPaid = ({ tokens }: GivenPiece): boolean => tokens <= most;
    bought.push(await gateway.buyStream(streams, 0, { prompt: `${most}`, isPaid }));
  }
  expect(unpaidOf(bought)).toBeGreaterThan(0);
  expect(unpaidOf(bought)).toBeLessThanOrEqual(AHEAD);
  expect(receipts.unpaid(gateway.world.channel)).toBe(unpaidOf(bought));
});

test('a piece is on the disk before it is given', async () => {
  const gateway = await GatewayWorld.start();
  const { streams, receipts } = await serve(gateway);
  let seen = 0;
  const isPaid = ({ tokens, text }: GivenPiece): boolean => {
    const last = receipts.pieces(gateway.world.channel, 0).at(-1);
    if (tokens > 0)
      expect([last?.receipt.tokensOut, fromUtf8(last?.text ?? utf8(''))]).toEqual([tokens, text]);
    seen++;
    return true;
  };
  await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect(seen).toBe(6);
});

test('a stream whose time is over is charged for what was paid', async () => {
  const gateway = await GatewayWorld.start();
  gateway.isPatient = true;
  const { streams } = await serve(gateway);
  const isPaid = ({ tokens }: GivenPiece): boolean => {
    if (tokens === 30) gateway.timeOver();
    return tokens < 30;
  };
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect([ending?.ended, ending?.paid?.charged, streams.serving]).toEqual(['left', 1_007n, 0]);
});

test('what a model gave before it broke off may still be paid for', async () => {
  const gateway = await GatewayWorld.start();
  gateway.isPatient = true;
  gateway.parts = function* (): Generator<StreamedPart> {
    yield { kind: 'piece', text: 'a', tokens: 10 };
    throw new LedgerError('gateway.inference', 'it broke');
  };
  const { streams, receipts } = await serve(gateway);
  const isPaid = ({ tokens, due }: GivenPiece): boolean => {
    const late = gateway.payer.linkFor(0, due);
    // It arrives when the model has broken off.
    if (tokens > 0 && late !== undefined)
      setImmediate(() => void streams.pay(gateway.world.channel, 0, late));
    return false;
  };
  const { ending } = await gateway.buyStream(streams, 0, { prompt: 'a', isPaid });
  expect([ending?.ended, ending?.paid?.charged]).toEqual(['failed', 1_004n]);
  expect(receipts.unpaid(gateway.world.channel)).toBe(0);
});

test('a channel has a quarter of the places', async () => {
  const gateway = await GatewayWorld.start();
  gateway.isPatient = true;
  const { streams } = await serve(gateway);
  const ask = async (lane: number) => {
    const resource = sha256(utf8(`${lane}`));
    const stream = { unit: 2n, links: 15 };
    const pending = gateway.payer.pending().find(({ voucher }) => voucher.lane === lane);
    const voucher = pending ?? (await gateway.payer.sign(lane, { resource, ceiling: 1_031n, stream }));
    return await streams.open({ modelId: 1n, prompt: utf8('x'), tokensOutMax: 100, resource, voucher });
  };
  const opened = await Promise.all([0, 1, 2, 3].map(ask));
  expect(opened.map(({ kind }) => kind).sort()).toEqual(['refused', 'refused', 'stream', 'stream']);
  expect(streams.serving).toBe(2);
  const left = AbortSignal.abort();
  for (const each of opened) if (each.kind === 'stream') await each.run(async () => undefined, left);
  // Its voucher is good as soon as there is a place.
  const busy = opened.findIndex(({ kind }) => kind === 'refused');
  expect((await ask(busy)).kind).toBe('stream');
});
