/** `openledgerd gateway` as processes: a gateway that is killed, stopped, and started wrongly. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openGatewayHome } from '../../cli/gateway/home.ts';
import { defined } from '../../core/errors.ts';
import { toHex } from '../../core/bytes.ts';
import type { RunningCommand } from './attest-command.ts';
import { GatewayScene, type Said, urlOf, type Wanted } from './gateway-scene.ts';

/** Longer than any test of these takes. */
const STUCK_MS = 120_000;
/** Of five to eight bytes (two tokens), answered in seven tokens: 2 + 14, and 1,000 for the call. */
const FEE = 1_016n;
/** Of two pieces of seven tokens, before a stream is cut. */
const CUT_FEE = 1_030n;
const WHOLE_FEE = 1_044n;

let scene: GatewayScene;
let serving: RunningCommand;

beforeAll(async () => {
  scene = await GatewayScene.begin();
}, STUCK_MS);

afterAll(() => scene.end(), STUCK_MS);

/** Tells the payer. */
async function paid({ voucher }: Wanted, { status, body }: Said): Promise<void> {
  expect([status, body]).toEqual([200, expect.objectContaining({ charged: `${FEE}` })]);
  await scene.payer.answered(voucher, FEE);
}

it('what is wrong with a gateway is said, with exit code 1', { timeout: STUCK_MS }, async () => {
  const elsewhere = join(scene.home, 'elsewhere');
  const keyless = join(scene.home, 'keyless');
  for (const home of [elsewhere, keyless])
    cpSync(join(scene.home, 'keyring-test'), join(home, 'keyring-test'), { recursive: true });
  mkdirSync(join(elsewhere, 'gateway'));
  writeFileSync(join(elsewhere, 'gateway', 'receipt_key'), '07'.repeat(32));
  const commands = [
    [scene.serve(scene.as('alice')), 'is no gateway on this chain'],
    [scene.serve(scene.as('attestor', elsewhere)), 'the one in this home is another'],
    [scene.serve(scene.as('attestor', keyless)), 'there is none in this home'],
  ] as const;
  for (const [command, words] of commands) {
    expect(await command.ended, command.lines.join()).toBe(1);
    expect(command.lines.join('\n')).toContain(words);
  }
});

it('killed in the midst of requests, it gives for each voucher one answer, and charges it once', {
  timeout: STUCK_MS,
}, async () => {
  serving = scene.serve();
  const url = await urlOf(serving);
  const before = await scene.want(0, 'before');
  const first = await scene.infer(url, before);
  const inFlight = [await scene.want(1, 'hold one'), await scene.want(2, 'hold two')];
  const cut = inFlight.map((wanted) => expect(scene.infer(url, wanted)).rejects.toThrow('fetch failed'));
  await Promise.all(inFlight.map(({ prompt }) => scene.begun(prompt)));
  const streamed = await scene.want(7, 'hold it!', { isStream: true });
  const stream = scene.stream(url, streamed);
  const events = [await stream.next(), await stream.next(), await stream.next()];
  const cutStream = expect(stream.next()).rejects.toThrow('terminated');
  // These are anywhere: at the backend, between the receipt and the charge, or answered.
  const racing = await Promise.all([3, 4, 5, 6].map((lane) => scene.want(lane, `race ${lane}`)));
  const races = racing.map((wanted) => scene.infer(url, wanted).catch(() => undefined));
  await Promise.race(races);
  await serving.kill();
  const answers = await Promise.all(races);
  await Promise.all([...cut, cutStream]);
  scene.letGo();

  serving = scene.serve();
  const again = await urlOf(serving);
  expect(await scene.infer(again, before)).toEqual({ status: 200, body: { ...first.body, again: true } });
  for (const [i, wanted] of racing.entries()) {
    const said = await scene.infer(again, wanted);
    const known = answers[i];
    if (known !== undefined) expect(said.body).toEqual({ ...known.body, again: true });
    await paid(wanted, said);
  }
  expect(answers).toContainEqual(expect.objectContaining({ status: 200 }));
  await paid(before, first);
  for (const wanted of inFlight) await paid(wanted, await scene.infer(again, wanted));
  // Of the stream what was paid for: two pieces.
  const answer = events.map(({ value }) => String(value['text'])).join('');
  const said = await scene.infer(again, streamed);
  expect(said.body).toMatchObject({ answer, charged: `${CUT_FEE}`, again: true });
  await scene.payer.answered(streamed.voucher, CUT_FEE);
  const whole = await scene.want(7, 'stream', { isStream: true });
  const ends: unknown[] = [];
  for await (const event of scene.stream(again, whole)) ends.push(event);
  expect(ends.at(-1)).toMatchObject({ ended: 'whole', charged: `${CUT_FEE + WHOLE_FEE}` });
  await scene.payer.answered(whole.voucher, CUT_FEE + WHOLE_FEE);
  expect(scene.asked().filter((prompt) => prompt === 'before')).toHaveLength(1);
  const wanted = [...Array.from({ length: 7 }, () => FEE), CUT_FEE + WHOLE_FEE, 0n];
  const sum = wanted.reduce((all, one) => all + one);
  const claimed = async () => (await scene.claimed()).reduce((all, one) => all + one);
  await scene.eventually('all is claimed', async () => (await claimed()) >= sum);
  expect(await scene.claimed()).toEqual(wanted);
});

it('another process on its home is refused; asked to stop, it charges nothing that it has not answered', {
  timeout: STUCK_MS,
}, async () => {
  const second = scene.serve();
  expect(await second.ended).toBe(1);
  expect(second.lines.join('\n')).toContain('is open already');
  scene.hold();
  const url = await urlOf(serving);
  const wanted = await scene.want(8, 'hold on');
  const cut = scene.infer(url, wanted).catch(() => undefined);
  const stream = scene.stream(url, await scene.want(7, 'hold end', { isStream: true }));
  const pieces = [await stream.next(), await stream.next(), await stream.next()];
  await scene.begun(wanted.prompt);
  expect(await serving.stop('SIGTERM')).toBe(0);
  expect((await cut)?.status).not.toBe(200);
  // A stream has its receipt.
  expect(pieces.map(({ value }) => value['due'])).toEqual(['1002', '1016', '1030']);
  const charged = CUT_FEE + WHOLE_FEE + CUT_FEE;
  expect((await stream.next()).value).toMatchObject({ ended: 'left', charged: `${charged}` });
  const { vouchers, receipts, close } = await openGatewayHome(join(scene.home, 'gateway'));
  const kept = defined(vouchers.get(`${toHex(scene.channel)}/lane/8`), 'lane');
  await close();
  expect([kept.value, receipts.last(scene.channel, 8)]).toEqual([
    expect.objectContaining({ charged: '0', settled: false }),
    undefined,
  ]);
});
