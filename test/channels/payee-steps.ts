/** What the payee does. */
import { toHex } from '../../core/bytes.ts';
import type { Acceptance } from '../../client/vouchers/payee.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import type { Ran } from './chain.ts';
import { isCrash, MIRROR_AGE_MAX, RECEIVER_ACCOUNT } from './parties.ts';
import { type FuzzWorld, type Letter, type Job, larger, raise } from './world.ts';

/** Rows of claims that are kept, to be played again. */
const ROWS_KEPT = 40;

/** Runs a step of the payee; after a crash it comes back from its disk, and its requests are lost. */
export async function asPayee<T>(w: FuzzWorld, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!isCrash(error)) throw error;
    w.count('payee crashes');
    w.payee.disk.crash();
    w.jobs = [];
    await w.payee.start();
    observe(w);
    return undefined;
  }
}

/** A voucher arrives. */
export async function payeeTakes(
  w: FuzzWorld,
  letter: Extract<Letter, { readonly kind: 'voucher' }>,
): Promise<void> {
  const { party, signed, resource, ceiling } = letter;
  const offer = { resource, ceilingMin: ceiling };
  const accepted: Acceptance | undefined = await asPayee(w, () => w.payee.payee.accept(signed, offer));
  if (accepted === undefined) return;
  const wanted = party.wanted.get(toHex(resource));
  const back = w.to(party, signed);
  w.count(accepted.kind === 'refused' ? `refused: ${accepted.reason}` : accepted.kind);
  switch (accepted.kind) {
    case 'serve': {
      w.expect(wanted !== undefined, 'a voucher is taken for a request that nobody has made');
      if (wanted === undefined) return;
      w.jobs.push({ party, signed, wanted, index: accepted.linkIndex });
      if (wanted.stream !== undefined) w.send({ ...back, kind: 'go-on', index: accepted.linkIndex });
      return;
    }
    case 'settled':
      if (wanted !== undefined) wanted.isCharged = true;
      w.send({ ...back, kind: 'answer', charged: accepted.charged });
      return;
    case 'corrective':
      w.send({ ...back, kind: 'corrective', lane: accepted.lane });
      return;
    case 'refused':
      w.send({ ...back, kind: 'refused', reason: accepted.reason });
  }
}

/** A link pays for the next part of a stream, which leaves when the link is taken. */
export async function payeeLinks(
  w: FuzzWorld,
  { party, signed, preimage }: Extract<Letter, { readonly kind: 'link' }>,
): Promise<void> {
  const job = w.jobs.find((one) => one.signed === signed && one.party === party);
  const unit = job?.wanted.stream?.unit;
  if (job === undefined || unit === undefined) return;
  const { channelId, lane } = signed.voucher;
  raise(job, BigInt(job.index + 1) * unit);
  const index = await asPayee(w, () => w.payee.payee.link(channelId, lane, { preimage }));
  if (index === undefined) return;
  w.count('links');
  job.index = index;
  job.wanted.served = larger(job.wanted.served, BigInt(index) * unit);
  w.send({ ...w.to(party, signed), kind: 'go-on', index });
}

/** A request is served, and charged; or has failed. */
export async function finishJob(w: FuzzWorld, job: Job | undefined = w.random.some(w.jobs)): Promise<void> {
  // A crash has taken it.
  if (job === undefined || !w.jobs.includes(job)) return;
  w.jobs = w.jobs.filter((one) => one !== job);
  const { party, signed, wanted, index } = job;
  const { channelId, lane, ceiling, hashChain } = signed.voucher;
  if (w.random.oneIn(6)) {
    w.count('abandoned');
    w.payee.payee.abandon(channelId, lane);
    return;
  }
  const inLinks = BigInt(hashChain?.links ?? 0) * (hashChain?.unit ?? 0n);
  const shown = BigInt(index) * (hashChain?.unit ?? 0n);
  const charge = shown + BigInt(w.random.below(Number(ceiling - inLinks) + 1));
  raise(job, charge);
  const settled = await asPayee(w, () => w.payee.payee.settle(channelId, lane, charge));
  if (settled === undefined) return;
  w.count('charged');
  wanted.isCharged = true;
  wanted.served = larger(wanted.served, charge);
  w.send({ ...w.to(party, signed), kind: 'answer', charged: settled.charged });
}

/** The payee looks at the chain, at the latest when what it knows is old. */
export function observe(w: FuzzWorld): void {
  w.observedAt = w.chain.now;
  for (const party of w.payers) {
    const mirror = w.chain.mirror(party.id);
    if (mirror === undefined) w.payee.payee.forget(party.id);
    else w.payee.payee.observe(mirror);
  }
  for (const id of w.payee.payee.urgent()) claim(w, [id]);
}

/** Nothing is served for longer than a key or a channel has left: it ends when the payee sees that. */
export async function lookAndFinish(w: FuzzWorld): Promise<void> {
  observe(w);
  const ending = w.jobs.filter(
    ({ party, signed }) => party.isWithdrawing || signed.voucher.keyVersion < party.keyVersion,
  );
  for (const job of ending) await finishJob(w, job);
  if (ending.length > 0) observe(w);
}

/** The next block. */
export async function tick(w: FuzzWorld): Promise<void> {
  w.chain.tick(w.random.between(1, 9));
  const isOld = w.chain.now - w.observedAt > MIRROR_AGE_MAX / 2;
  if (isOld || w.random.oneIn(2)) await lookAndFinish(w);
}

/** All that is due on all channels. */
export function claimAll(w: FuzzWorld): void {
  observe(w);
  claim(w, undefined);
}

function claim(w: FuzzWorld, ids: readonly Uint8Array[] | undefined): void {
  const rows = w.payee.payee.claims(ids);
  if (rows.length === 0) return;
  const ran = claimRows(w, rows);
  w.expect('response' in ran, `the payee’s own claim fails: ${'log' in ran ? ran.log : ''}`);
  w.count('claims');
  w.oldRows = [...w.oldRows, ...rows].slice(-ROWS_KEPT);
  if (!('response' in ran)) return;
  for (const { outcome } of wire.MsgClaimVouchersResponse.decode(ran.response).results)
    w.expect(
      outcome !== wire.ClaimOutcome.CLAIM_OUTCOME_KEY_RETIRED &&
        outcome !== wire.ClaimOutcome.CLAIM_OUTCOME_PAID_IN_PART &&
        outcome !== wire.ClaimOutcome.CLAIM_OUTCOME_DEPOSIT_EMPTY,
      `a claim in time brings nothing: outcome ${outcome}`,
    );
}

/** Claims as the receiver. */
export function claimRows(w: FuzzWorld, rows: readonly wire.ClaimRow[]): Ran {
  return w.chain.run(wire.MsgClaimVouchers, { claimer: RECEIVER_ACCOUNT.address, rows });
}
