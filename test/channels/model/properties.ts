/** What must hold of every state. */
import { larger, Violation } from '../world.ts';
import { claimedInTime, claimedOf } from './chain-steps.ts';
import { imageAfterEnd } from './disk.ts';
import { asPayer } from './parties.ts';
import { type Model, observed, payeeTakes, payerReads, settles, type Step } from './steps.ts';
import { type Fate, type ModelState, requestOf, voucherName } from './world.ts';

/** Rounds after which an answer has come, when nothing fails. */
const ROUNDS = 6;

/**
 * Ends both processes where they are, has the payee claim what it then knows, and compares; of a closed
 * channel, what was paid. What was charged and not answered must be answered when nothing fails any more.
 * @throws Violation
 */
export async function checkState(m: Model, s: ModelState): Promise<void> {
  const ended = {
    ...s,
    payerDisk: await imageAfterEnd(s.payerDisk),
    payeeDisk: await imageAfterEnd(s.payeeDisk),
  };
  const claimed = s.isOpen ? await claimedInTime(m, { ...ended, jobs: [] }, 'all') : ended;
  const paid = s.isOpen ? claimedOf(m, claimed) : s.paid;
  const served = s.fates.reduce((sum, one) => sum + one.served, 0n);
  const charged = s.fates.reduce((sum, one) => sum + chargeOf(one), 0n);
  const { result: exposure = 0n } = await asPayer(
    ended,
    { ...m, cut: undefined },
    async (payer) => payer.exposure,
  );
  expect(served <= paid, `unpaid service: ${served} were served, ${paid} paid`);
  expect(paid <= charged, `double charge: ${paid} were paid, ${charged} charged`);
  expect(paid <= m.scenario.deposit, `${paid} were paid of a deposit of ${m.scenario.deposit}`);
  expect(paid <= exposure, `${paid} were paid, and the payer knows that it has signed for ${exposure}`);
  if (s.isOpen && s.fates.some(isWaiting)) await checkAnswered(m, { ...ended, jobs: [] });
}

/** A request is charged once, whatever vouchers were signed for it. */
function chargeOf({ charges }: Fate): bigint {
  return [...charges.values()].reduce(larger, 0n);
}

function isWaiting(fate: Fate): boolean {
  return chargeOf(fate) > 0n && !fate.isAnswered && !fate.isGivenUp;
}

/** Nothing paid and denied: the payer sends what is pending again, and each answer arrives. */
async function checkAnswered(m: Model, from: ModelState): Promise<void> {
  let s = observed(m, from);
  if (s.mirror?.record.channel.withdrawal !== undefined) return;
  for (let i = 0; i < ROUNDS && s.fates.some(isWaiting); i++) {
    const { result: pending = [] } = await asPayer(s, { ...m, cut: undefined }, async (payer) =>
      payer.pending(),
    );
    for (const signed of pending) {
      const request = requestOf(signed, m.scenario);
      s = first(await payeeTakes(m, { ...s, letters: new Map() }, { kind: 'voucher', request, signed }), s);
      const job = s.jobs.find((one) => voucherName(one.signed) === voucherName(signed));
      if (job !== undefined) {
        const shown = BigInt(job.index) * (signed.voucher.hashChain?.unit ?? 0n);
        s = first(await settles(m, s, job, shown), s);
      }
      for (const letter of [...s.letters.values()]) s = first(await payerReads(m, s, letter), s);
    }
  }
  const denied = s.fates.flatMap((fate, i) => (isWaiting(fate) ? [i] : []));
  expect(denied.length === 0, `request ${denied} was charged and is not answered`);
}

/** Where a step leads when the power stays. */
function first([step]: readonly Step[], otherwise: ModelState): ModelState {
  return step?.next ?? otherwise;
}

function expect(holds: boolean, problem: string): void {
  if (!holds) throw new Violation(problem);
}
