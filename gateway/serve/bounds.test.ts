/** Where bounds of a gateway are, to the unit. */
import { expect, test } from 'vitest';
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { ATTRIBUTION_ENTRIES_MAX, NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import { decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { PlaceKind } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { signVoucher } from '../../client/vouchers/signatures.ts';
import { librarySigner } from '../../test/channels/parties.ts';
import { sessionSigner, voucherFor } from '../../test/support/channels.ts';
import { answered, GatewayWorld } from '../../test/support/gateway-world.ts';

const FEE = 1_016n;

test('as many requests as may be are answered at a time; the next one is told to come again', async () => {
  const gateway = await GatewayWorld.start();
  const { desk } = await gateway.process();
  const resource = sha256(utf8('a'));
  const voucher = await gateway.payer.sign(0, { resource, ceiling: 1n });
  const request = { modelId: 1n, prompt: utf8('a'), tokensOutMax: 100, resource, voucher };
  const reasons = async (count: number): Promise<readonly unknown[]> => {
    const outcomes = await Promise.all(Array.from({ length: count }, () => desk.answer(request)));
    return outcomes.map((outcome) => 'reason' in outcome && outcome.reason);
  };
  expect(await reasons(9)).toEqual([...Array.from({ length: 8 }, () => 'unknown_channel'), 'busy']);
  expect(await reasons(8)).not.toContain('busy');
});

test('a prompt may have 1,000 bytes', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  const reasonOf = async (bytes: number): Promise<unknown> => {
    const prompt = new Uint8Array(bytes).fill(97);
    const resource = sha256(prompt);
    const voucher = await gateway.payer.sign(0, { resource, ceiling: 1n });
    const asked = { modelId: 1n, prompt, tokensOutMax: 100, resource, voucher };
    return Object(await desk.answer(asked)).reason;
  };
  expect([await reasonOf(1_000), await reasonOf(1_001)]).toEqual(['ceiling_too_low', 'prompt_too_long']);
});

test('an answer may have 1,000 bytes', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, settler } = await gateway.process();
  await settler.observe();
  // Two digits of each byte, and " answered 10".
  gateway.inferences = 10;
  expect(answered(await gateway.buy(desk, 0, 'a'.repeat(494))).answer).toHaveLength(1_000);
  await expect(gateway.buy(desk, 1, 'a'.repeat(495))).rejects.toThrow('1002 bytes, at most 1000');
});

test('a receipt names as many places as it can; of a claim of more it names none', async () => {
  const placesOf = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      place: { kind: PlaceKind.PLACE_KIND_DATANET, id: 1n, level: 0, index },
      weight: 1n,
    }));
  const answerRoot = sha256(utf8('answer'));
  for (const [count, isNamed] of [
    [ATTRIBUTION_ENTRIES_MAX, true],
    [ATTRIBUTION_ENTRIES_MAX + 1, false],
  ] as const) {
    const gateway = await GatewayWorld.start();
    gateway.claim = { modelId: 1n, answerRoot, weights: { entries: placesOf(count), unattributed: 1n } };
    const { desk, settler } = await gateway.process();
    await settler.observe();
    const { receipt } = answered(await gateway.buy(desk, 0, 'b'));
    const named = defined(decodeReceipt(receipt), 'receipt').attribution;
    expect([count, !equalBytes(named, NO_ATTRIBUTION)]).toEqual([count, isNamed]);
  }
});

test.each(['claimMin', 'settleMin'] as const)(
  '%s is the least that is worth a transaction',
  async (least) => {
    for (const [amount, isDone] of [
      [FEE, true],
      [FEE + 1n, false],
    ] as const) {
      const gateway = await GatewayWorld.start();
      const { desk, settler } = await gateway.process({ [least]: amount });
      await settler.observe();
      answered(await gateway.buy(desk, 0, 'a'));
      await settler.round();
      expect(gateway.sent.includes(least === 'claimMin' ? 'claims' : 'epoch')).toBe(isDone);
    }
  },
);

test('what a lane is charged in all is below 2^64, as receipts are: nothing is served beyond', async () => {
  const gateway = await GatewayWorld.start();
  const { desk, streams, settler } = await gateway.process();
  await settler.observe();
  const { world } = gateway;
  const [prompt, ceiling] = [utf8('a'), 1_500n];
  const resource = sha256(prompt);
  const signer = librarySigner(sessionSigner(world.loop.payer.address));
  const reasonsOf = async (cumulative: bigint): Promise<readonly unknown[]> => {
    const content = voucherFor(world.channel, { lane: 0, resource, ceiling, cumulative });
    const voucher = await signVoucher(content, { chainId: world.chain.chainId, denom: 'uopen' }, signer);
    const asked = { modelId: 1n, prompt, tokensOutMax: 100, resource, voucher };
    const outcomes = [await desk.answer(asked), await streams.open(asked)];
    return outcomes.map((outcome) => ('reason' in outcome ? outcome.reason : outcome.kind));
  };
  expect(await reasonsOf(1n << 64n)).toEqual(['beyond_receipts', 'beyond_receipts']);
  expect(await reasonsOf((1n << 64n) - 1n)).toEqual(['corrective', 'corrective']);
});
