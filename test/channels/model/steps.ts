/** Steps of the parties: the library decides, power goes at each write in each way, and letters leave. */
import { LedgerError } from '../../../core/errors.ts';
import type { Acceptance, Payee } from '../../../client/vouchers/payee.ts';
import type { Payer } from '../../../client/vouchers/payer.ts';
import type { SignedVoucher } from '../../../client/vouchers/signatures.ts';
import { larger, Violation } from '../world.ts';
import { imageAfterEnd, POWER_CUTS, type PowerCut } from './disk.ts';
import { asPayee, asPayer, mirrorOf, RECEIVER_LIBRARY_SIGNER } from './parties.ts';
import {
  type Fate,
  type Letter,
  type ModelFaults,
  type ModelJob,
  type ModelState,
  requestOf,
  resourceOf,
  type Scenario,
  voucherName,
  withFate,
  withLetters,
} from './world.ts';

/** What all steps of an exploration share. */
export interface Model {
  readonly scenario: Scenario;
  readonly faults: ModelFaults;
  readonly id: Uint8Array;
}

/** A step and where it leads. */
export interface Step {
  readonly label: string;
  readonly next: ModelState;
}

const CUTS: readonly (PowerCut | undefined)[] = [undefined, ...POWER_CUTS];
/** Seconds from an agreement to its end: one block. */
export const AGREEMENT_TIME = 30n;

const NEW_FATE: Fate = {
  charges: new Map<string, bigint>(),
  served: 0n,
  isAnswered: false,
  isGivenUp: false,
};

interface Doing<P, T> {
  readonly label: string;
  readonly run: (party: P) => Promise<T>;
  /** What the world sees of it. */
  readonly outside: (next: ModelState, result: T) => ModelState;
  /** What holds from the moment that the write is durable. */
  readonly durable?: (next: ModelState) => ModelState;
}

async function payerSteps<T>(m: Model, s: ModelState, doing: Doing<Payer, T>): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const cut of CUTS) {
    const { result, disk, hasWritten } = await asPayer(s, { ...m, cut }, doing.run);
    if (cut !== undefined && !hasWritten) break;
    let next: ModelState = { ...s, payerDisk: disk };
    if (result !== undefined) next = doing.outside(next, result);
    if (isDurable(cut, result)) next = doing.durable?.(next) ?? next;
    steps.push({ label: nameOf(doing, cut), next });
  }
  return steps;
}

async function payeeSteps<T>(m: Model, s: ModelState, doing: Doing<Payee, T>): Promise<readonly Step[]> {
  const steps: Step[] = [];
  for (const cut of CUTS) {
    const { result, disk, hasWritten, isCut } = await asPayee(s, { ...m, cut }, doing.run);
    if (cut !== undefined && !hasWritten) break;
    let next: ModelState = { ...s, payeeDisk: disk };
    if (result !== undefined) next = doing.outside(next, result);
    if (isDurable(cut, result)) next = doing.durable?.(next) ?? next;
    if (isCut) next = observed(m, { ...next, jobs: [] });
    steps.push({ label: nameOf(doing, cut), next });
  }
  return steps;
}

function isDurable(cut: PowerCut | undefined, result: unknown): boolean {
  return cut === undefined ? result !== undefined : cut === 'after';
}

function nameOf({ label }: { readonly label: string }, cut: PowerCut | undefined): string {
  return cut === undefined ? label : `${label}; power goes ${cut === 'torn' ? 'in' : cut} the write`;
}

/** The payee looks at the chain. */
export function observed(m: Model, s: ModelState): ModelState {
  const mirror = mirrorOf(s.chain, m.id);
  if (m.faults.blind !== true || mirror === undefined) return { ...s, mirror };
  const channel = { ...mirror.record.channel, withdrawal: undefined };
  return { ...s, mirror: { ...mirror, record: { ...mirror.record, channel } } };
}

/** The payer asks for the next thing, on a free lane or in place of what was not answered on one. */
export async function asks(
  m: Model,
  s: ModelState,
  instead: SignedVoucher | undefined,
): Promise<readonly Step[]> {
  const request = s.fates.length;
  let asked: ModelState = { ...s, fates: [...s.fates, NEW_FATE] };
  if (instead !== undefined)
    asked = withFate(asked, requestOf(instead, m.scenario), () => ({ isGivenUp: true }));
  const label = instead === undefined ? `ask ${request}` : `ask ${request} on lane ${instead.voucher.lane}`;
  return signs(m, asked, { request, lane: instead?.voucher.lane, label });
}

/** Signs for a request; the voucher leaves. */
async function signs(
  m: Model,
  s: ModelState,
  {
    request,
    lane,
    label,
  }: { readonly request: number; readonly lane: number | undefined; readonly label: string },
): Promise<readonly Step[]> {
  const wanted = m.scenario.requests[request];
  if (wanted === undefined) return [];
  return payerSteps(m, s, {
    label,
    run: async (payer) => {
      const on = lane ?? payer.takeLane();
      if (on === undefined) return 'no room';
      try {
        return await payer.sign(on, { resource: resourceOf(request), ...wanted });
      } catch (error) {
        if (error instanceof LedgerError && error.code === 'vouchers.deposit') return 'no room';
        throw error;
      }
    },
    outside: (next, signed) =>
      signed === 'no room'
        ? withFate(next, request, () => ({ isGivenUp: true }))
        : withLetters(next, [{ kind: 'voucher', request, signed }]),
  });
}

/** After a crash a payer sends what was not answered. */
export function resends(m: Model, s: ModelState, signed: SignedVoucher): Step {
  const letter: Letter = { kind: 'voucher', request: requestOf(signed, m.scenario), signed };
  return { label: `resend ${voucherName(signed)}`, next: withLetters(s, [letter]) };
}

/** A letter from the payee arrives at the payer. */
export async function payerReads(m: Model, s: ModelState, letter: Letter): Promise<readonly Step[]> {
  switch (letter.kind) {
    case 'answer':
      return payerSteps(m, s, {
        label: `answer ${voucherName(letter.signed)}`,
        run: async (payer) => {
          await noOvercharge(payer.answered(letter.signed, letter.charged));
          return true;
        },
        outside: (next) => next,
        // What its caller does with an answer before it says so is the caller's.
        durable: (next) => withFate(next, requestOf(letter.signed, m.scenario), () => ({ isAnswered: true })),
      });
    case 'go-on':
      return payerSteps(m, s, {
        label: `go on ${voucherName(letter.signed)} ${letter.index}`,
        run: async (payer) =>
          isPending(payer, letter.signed) ? payer.links(letter.signed.voucher.lane) : [],
        outside: (next, links) => {
          const preimage = links[letter.index];
          const { signed } = letter;
          return preimage === undefined ? next : withLetters(next, [{ kind: 'link', signed, preimage }]);
        },
      });
    case 'corrective':
      return corrected(m, s, letter);
    case 'rotated': {
      const isOurs = await asPayer(s, { ...m, cut: undefined }, async (payer) =>
        isPending(payer, letter.signed),
      );
      const version = mirrorOf(s.chain, m.id)?.record.channel.keyVersion ?? 0;
      if (isOurs.result !== true || letter.signed.voucher.keyVersion >= version) return [];
      return signsAgain(m, s, letter.signed);
    }
    default:
      return [];
  }
}

async function corrected(
  m: Model,
  s: ModelState,
  { signed, lane }: Extract<Letter, { readonly kind: 'corrective' }>,
): Promise<readonly Step[]> {
  const label = `corrective ${voucherName(signed)} ${lane.charged}`;
  const steps = await payerSteps(m, s, {
    label,
    run: async (payer) => noOvercharge(payer.corrected(signed, lane)),
    outside: (next, outcome) => (outcome === 'sign-again' ? { ...next, mustSignAgain: true } : next),
  });
  const all: Step[] = [];
  for (const step of steps) {
    const { mustSignAgain, ...next } = step.next as ModelState & { readonly mustSignAgain?: boolean };
    if (mustSignAgain !== true) all.push({ label: step.label, next });
    else
      all.push(
        ...(await signsAgain(m, next, signed)).map((one) => ({ ...one, label: `${label}, ${one.label}` })),
      );
  }
  return all;
}

/** The same request under another voucher; a stream, parts of which may have been paid for, is given up. */
async function signsAgain(m: Model, s: ModelState, signed: SignedVoucher): Promise<readonly Step[]> {
  const request = requestOf(signed, m.scenario);
  if (m.scenario.requests[request]?.stream !== undefined)
    return [{ label: `give up ${request}`, next: withFate(s, request, () => ({ isGivenUp: true })) }];
  return signs(m, s, { request, lane: signed.voucher.lane, label: `sign ${request} again` });
}

async function noOvercharge<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'vouchers.overcharge')
      throw new Violation(`an honest payer is told of a charge that it has not signed: ${error.message}`);
    throw error;
  }
}

function isPending(payer: Payer, signed: SignedVoucher): boolean {
  return payer.pending().some((one) => voucherName(one) === voucherName(signed));
}

/** A voucher arrives at the payee. */
export function payeeTakes(
  m: Model,
  s: ModelState,
  { request, signed }: Extract<Letter, { readonly kind: 'voucher' }>,
): Promise<readonly Step[]> {
  const ceilingMin = m.scenario.requests[request]?.ceiling ?? 0n;
  return payeeSteps(m, s, {
    label: `voucher ${voucherName(signed)}`,
    run: (payee) => payee.accept(signed, { resource: resourceOf(request), ceilingMin }),
    outside: (next, accepted) => afterAccept(m, next, { request, signed, accepted }),
  });
}

function afterAccept(
  m: Model,
  s: ModelState,
  {
    request,
    signed,
    accepted,
  }: {
    readonly request: number;
    readonly signed: SignedVoucher;
    readonly accepted: Acceptance;
  },
): ModelState {
  switch (accepted.kind) {
    case 'serve': {
      const index = accepted.linkIndex;
      const isStream = m.scenario.requests[request]?.stream !== undefined;
      const next = { ...s, jobs: [...s.jobs, { request, signed, index }] };
      return isStream ? withLetters(next, [{ kind: 'go-on', signed, index }]) : next;
    }
    case 'settled':
      return withLetters(s, [{ kind: 'answer', signed, charged: accepted.charged }]);
    case 'corrective':
      return withLetters(s, [{ kind: 'corrective', signed, lane: accepted.lane }]);
    case 'refused':
      return accepted.reason === 'wrong_key_version' ? withLetters(s, [{ kind: 'rotated', signed }]) : s;
  }
}

/** A link arrives: the next part of the stream leaves when it is taken. */
export async function payeeLinks(
  m: Model,
  s: ModelState,
  { signed, preimage }: Extract<Letter, { readonly kind: 'link' }>,
): Promise<readonly Step[]> {
  const job = s.jobs.find((one) => one.signed === signed || voucherName(one.signed) === voucherName(signed));
  const unit = signed.voucher.hashChain?.unit;
  if (job === undefined || unit === undefined) return [];
  const { channelId, lane } = signed.voucher;
  const amount = BigInt(job.index + 1) * unit;
  let isTaken = false;
  return payeeSteps(m, s, {
    label: `link ${voucherName(signed)} after ${job.index}`,
    run: async (payee) => {
      isTaken = true;
      const index = await payee.link(channelId, lane, { preimage });
      isTaken = index !== undefined;
      return index ?? 'not the next';
    },
    outside: (next, index) => {
      if (index === 'not the next') return next;
      const jobs = next.jobs.map((one) => (one === job ? { ...one, index } : one));
      const served = withFate({ ...next, jobs }, job.request, (fate) => ({
        served: larger(fate.served, BigInt(index) * unit),
      }));
      return withLetters(served, [{ kind: 'go-on', signed, index }]);
    },
    durable: (next) => (isTaken ? charged(next, job, amount) : next),
  });
}

/** A request is served and charged. */
export async function settles(
  m: Model,
  s: ModelState,
  job: ModelJob,
  charge: bigint,
): Promise<readonly Step[]> {
  const { request, signed } = job;
  const { channelId, lane } = signed.voucher;
  const leave = (next: ModelState, total: bigint): ModelState => {
    const served = withFate(next, request, (fate) => ({ served: larger(fate.served, charge) }));
    return withLetters(served, [{ kind: 'answer', signed, charged: total }]);
  };
  const steps = await payeeSteps(m, s, {
    label: `charge ${charge} for ${request}`,
    run: async (payee) => {
      const settled = await payee.settle(channelId, lane, charge);
      const again = await payee.accept(signed, { resource: resourceOf(request), ceilingMin: 0n });
      if (again.kind !== 'settled')
        throw new Violation(`a voucher that was charged is taken again: ${again.kind}`);
      return settled;
    },
    outside: (next, { charged: total }) =>
      leave({ ...next, jobs: next.jobs.filter((one) => one !== job) }, total),
    durable: (next) => charged(next, job, charge),
  });
  if (m.faults.answersFirst !== true) return steps;
  return steps.map(({ label, next }) => ({ label, next: leave(next, signed.voucher.cumulative) }));
}

function charged(s: ModelState, { request, signed }: ModelJob, charge: bigint): ModelState {
  return withFate(s, request, ({ charges }) => ({
    charges: new Map([...charges, [voucherName(signed), charge]]),
  }));
}

/** The payee's process ends between two writes, and comes back. */
export async function payeeEnds(m: Model, s: ModelState): Promise<Step> {
  const payeeDisk = await imageAfterEnd(s.payeeDisk);
  return { label: 'the payee ends', next: observed(m, { ...s, payeeDisk, jobs: [] }) };
}

/** The payee agrees to close by what the payer believes was charged. */
export async function consents(m: Model, s: ModelState): Promise<readonly Step[]> {
  const { result: total = 0n } = await asPayer(s, { ...m, cut: undefined }, async (payer) => payer.charged);
  const keyVersion = mirrorOf(s.chain, m.id)?.record.channel.keyVersion ?? 0;
  const closeBefore = s.chain.block.time.seconds + AGREEMENT_TIME;
  const agreement = { channelId: m.id, keyVersion, total, closeBefore };
  return payeeSteps(m, s, {
    label: `consent to ${total}`,
    run: async (payee) => (await payee.consent(agreement, RECEIVER_LIBRARY_SIGNER)) ?? 'no',
    outside: (next, signature) =>
      signature === 'no' ? next : withLetters(next, [{ kind: 'consent', agreement, signature }]),
  });
}
