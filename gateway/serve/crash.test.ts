import { expect, test } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import {
  answered,
  type GatewayProcess,
  GatewayWorld,
  PowerCut,
  receiptKey,
  statedReceipts,
} from '../../test/support/gateway-world.ts';

/** What each answer costs: see serve.test.ts. */
const FEE = 1_016n;

const PROMPTS = ['a', 'b', 'c'];

/** Buys, claims and settles until all is done, coming back whenever power goes. The receipts that payers got. */
async function liveThrough(gateway: GatewayWorld, cutAt: number): Promise<ReadonlyMap<string, string>> {
  const got = new Map<string, string>();
  gateway.power.on(cutAt);
  for (let lives = 0; lives < 3; lives++) {
    const process = await gateway.process();
    try {
      await live(gateway, process, got);
      return got;
    } catch (error) {
      if (!gateway.power.isOff) throw error;
      gateway.power.on();
      await requireFiles(gateway);
    }
  }
  throw new PowerCut('it never ended');
}

/** Of each round that is noted there is the whole file, whenever power went. */
async function requireFiles(gateway: GatewayWorld): Promise<void> {
  const { epochs } = await gateway.process();
  for (const { roundId } of epochs.rounds()) await epochs.ofRound(roundId);
}

async function live(
  gateway: GatewayWorld,
  { desk, settler }: GatewayProcess,
  got: Map<string, string>,
): Promise<void> {
  await settler.observe();
  for (const [i, prompt] of PROMPTS.entries()) {
    const lane = i % 2;
    const last = `prompt ${prompt}`;
    if (got.has(last)) continue;
    const { receipt } = answered(await gateway.buy(desk, lane, prompt));
    const known = got.get(receiptKey(receipt));
    expect(known ?? toHex(receipt)).toBe(toHex(receipt));
    got.set(receiptKey(receipt), toHex(receipt));
    got.set(last, toHex(receipt));
    if (i === 0) await settler.round();
  }
  await settler.round();
}

test('power goes at any write: no receipt is lost, none is signed twice, every charge is stated once', async () => {
  const whole = await GatewayWorld.start();
  await liveThrough(whole, Number.POSITIVE_INFINITY);
  const { writes } = whole.power;
  expect(writes).toBeGreaterThan(30);
  for (let cutAt = 1; cutAt <= writes + 2; cutAt++) {
    const gateway = await GatewayWorld.start(cutAt);
    const got = await liveThrough(gateway, cutAt);
    const { epochs, settler } = await gateway.process();
    await settler.round();
    const stated = await statedReceipts(epochs);
    const receipts = [...got].filter(([key]) => !key.startsWith('prompt'));
    expect(receipts).toHaveLength(PROMPTS.length);
    for (const [key, receipt] of receipts) expect(stated.get(key), `cut ${cutAt}`).toBe(receipt);
    expect(stated.size).toBe(PROMPTS.length);
    for (const { epochId } of epochs.rounds())
      expect((await epochs.served(epochId))?.commitment).toEqual(gateway.world.epoch(epochId)?.commitment);
    expect(gateway.payer.charged).toBe(BigInt(PROMPTS.length) * FEE);
    expect(gateway.alarms, `cut ${cutAt}`).toEqual([]);
    gateway.world.waitWindow(12);
    expect(gateway.world.moduleBalance('settlement')).toBe(0n);
    gateway.world.sound();
  }
});
