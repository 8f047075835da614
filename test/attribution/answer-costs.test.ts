/** What answering requests costs a publisher, at the default parameters and gas prices. */
import { expect, test } from 'vitest';
import { attributionErrors } from '../../modules/attribution/errors.ts';
import { DEFAULT_PARAMS } from '../../modules/attribution/params.ts';
import { openSection, provableContent } from '../../modules/attribution/verify.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { Admission } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { MsgUpdateAllowList } from '../../proto/gen/openledger/datanet/v1/tx.ts';
import { bondsHeld, publishIndexOk, SHORT, shardOf } from '../support/attribution-world.ts';
import { contribute, createDatanet, deliverOk, publishSnapshot } from '../support/economic-loop.ts';
import {
  FEE,
  asking,
  begin,
  coin,
  expectWhole,
  LONG,
  loop,
  sectionAt,
  serving,
} from '../support/request-world.ts';
import { anyOf } from '../support/test-chain.ts';

const SECTIONS = 8;
const BOND = Number(DEFAULT_PARAMS.requestBond);

/** Millionths of a unit of money for a unit of gas: 0.001uopen. */
const GAS_PRICE_MILLIONTHS = 1_000n;
/** `cli/attest/account.ts` pays for a fifth more than a simulation says. */
const feeOf = (gas: bigint): bigint => (((gas * 12n) / 10n) * GAS_PRICE_MILLIONTHS) / 1_000_000n;

/** A shard of one text, and a request for each section of it. */
function askAll(): readonly { readonly content: Uint8Array; readonly hashes: readonly Uint8Array[] }[] {
  begin({ ...LONG, requestBond: DEFAULT_PARAMS.requestBond, accountRequestsMax: SECTIONS });
  const { chain, owner, first, attestor, challenger } = loop;
  deliverOk(chain, owner, createDatanet(owner, { slug: 'long', admission: Admission.ADMISSION_ALLOW_LIST }));
  const allow = { owner: owner.address, datanetId: 2n, add: [first.address], remove: [] };
  deliverOk(chain, owner, anyOf(MsgUpdateAllowList, allow));
  const text = Uint8Array.from({ length: SECTIONS * 16_384 }, (_, i) => (i * 31 + (i >> 8)) % 256);
  deliverOk(chain, first, contribute(first, provableContent(text), { datanetId: 2n }));
  deliverOk(chain, owner, publishSnapshot(owner, 2n));
  const shard = { ...shardOf(loop).commitment, datanetId: 2n, documents: 1 };
  publishIndexOk(loop, attestor, [shard], { snapshotId: 2n });
  return Array.from({ length: SECTIONS }, (_, i) => {
    const bond = coin(BOND * (i + 1));
    deliverOk(chain, challenger, asking(challenger, { shardId: 1n, place: sectionAt(i), bond }));
    const section = openSection(text, i);
    if (section === undefined) throw new Error(`no section ${i}`);
    return section;
  });
}

const messagesOf = (sections: ReturnType<typeof askAll>): readonly Any[] =>
  sections.map((section, i) => serving(loop.attestor, BigInt(i + 1), section));

test('an answer costs a sixth of what it brings, and several in one transaction less', () => {
  const messages = messagesOf(askAll());
  const { chain, attestor } = loop;
  const gasOf = (count: number): bigint => {
    const { error, gasUsed } = chain.app.simulate(chain.sign(attestor, messages.slice(0, count)));
    expect(error).toBeUndefined();
    return gasUsed;
  };
  const [one, all] = [gasOf(1), gasOf(SECTIONS)];
  // 270,059 and 1,982,682 units: 325 and 298 uopen for each answer.
  expect(one).toBeLessThan(272_000n);
  expect(all).toBeLessThan(1_995_000n);
  const brings = (DEFAULT_PARAMS.requestBond * BigInt(DEFAULT_PARAMS.answerBps)) / 10_000n;
  expect(6n * feeOf(one)).toBeLessThan(brings);
  expect(6n * feeOf(all)).toBeLessThan(brings * BigInt(SECTIONS));
});

test('answers of one transaction are all paid; one that was given before fails all of them', () => {
  const sections = askAll();
  const messages = messagesOf(sections);
  const { chain, attestor, first } = loop;
  const gas = 3_000_000n;
  deliverOk(chain, first, serving(first, 3n, sections[2] ?? {}));
  const { code, log } = chain.deliver(chain.sign(attestor, messages, { gas }));
  expect([code, log]).toEqual([
    attributionErrors['unknown-request'].code,
    expect.stringContaining('index: 2'),
  ]);
  const open = BigInt(((SECTIONS * (SECTIONS + 1)) / 2 - 3) * BOND);
  expect(bondsHeld(loop)).toBe(SHORT.shardBond + open);
  const before = chain.balance(attestor.address);
  const rest = messages.filter((_, i) => i !== 2);
  expect(chain.deliver(chain.sign(attestor, rest, { gas })).code).toBe(0);
  expect(chain.balance(attestor.address)).toBe(before - FEE + open / 10n);
  expectWhole();
});
