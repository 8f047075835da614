/** Channels: opened, topped up, rotated, ended; and what must hold of one that has ended. */
import { toHex } from '../../core/bytes.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import { sessionSigner } from '../support/channels.ts';
import type { ModuleChain } from './chain.ts';
import { librarySigner, type PayerParty, RECEIVER_SIGNER, type Wanted } from './parties.ts';
import { payerAsks, payerRepeats } from './payer-steps.ts';
import { asPayee, finishJob, lookAndFinish, observe, tick } from './payee-steps.ts';
import { deliver } from './network.ts';
import { type FuzzWorld, larger } from './world.ts';

/** Opens the next channel of a payer. */
export async function openChannel(w: FuzzWorld, party: PayerParty): Promise<void> {
  // A deposit may be dust.
  const isDust = w.random.oneIn(6);
  party.deposited = BigInt(isDust ? w.random.between(1, 30) : w.random.between(200, 900));
  if (isDust) w.count('attack: deposit of dust');
  await party.newChannel(w.chain.block.time.seconds);
  const opened = w.chain.run(wire.MsgOpenChannel, {
    config: party.config,
    deposit: `${party.deposited}`,
  });
  w.expect('response' in opened, `a channel is not opened: ${'log' in opened ? opened.log : ''}`);
  party.isOpen = true;
  w.count('channels opened');
  observe(w);
}

/** The payer or a stranger pays more in. */
export function topUp(w: FuzzWorld, party: PayerParty): void {
  if (!party.isOpen || party.isWithdrawing) return;
  const amount = BigInt(w.random.between(1, 400));
  const sender = w.random.oneIn(4) ? w.random.pick(w.payers) : party;
  if (sender !== party) w.count('attack: deposit by a stranger');
  const message = {
    sender: sender.account.address,
    channelId: party.id,
    amount: { denom: 'uopen', amount: `${amount}` },
  };
  const ran = w.chain.run(wire.MsgTopUpChannel, message);
  w.expect('response' in ran, 'a top-up is refused');
  party.deposited += amount;
  party.payer.update({ deposited: party.deposited });
}

/** Another key signs from now on. */
export function rotate(w: FuzzWorld, party: PayerParty): void {
  if (!party.isOpen) return;
  const signer = sessionSigner(`${toHex(party.id)} ${party.keyVersion + 1}`);
  const message = { payer: party.account.address, channelId: party.id, payerAuthorizer: signer.key };
  if (!('response' in w.chain.run(wire.MsgRotateKey, message))) return;
  w.count('rotations');
  party.rotated(signer);
}

/** Ends a channel, one time in four. */
export async function maybeEnd(w: FuzzWorld, party: PayerParty): Promise<void> {
  if (w.random.oneIn(4)) await endChannel(w, party);
}

/** Ends a channel, by agreement or by a withdrawal, looks at all that must hold, and opens another. */
export async function endChannel(w: FuzzWorld, party: PayerParty): Promise<void> {
  const isQuiet = w.random.oneIn(2);
  if (isQuiet) await settleDown(w, party);
  const mirror = w.chain.mirror(party.id);
  if (mirror === undefined) throw new RangeError('the channel is not there');
  const isAgreed = w.random.oneIn(2) && (await closeByAgreement(w, party));
  if (!isAgreed) await withdraw(w, party);
  party.isOpen = false;
  judge(w, party, isQuiet);
  const again = w.chain.run(wire.MsgOpenChannel, { config: party.config, deposit: '50' });
  w.expect(!('response' in again), 'an id is used twice');
  await openChannel(w, party);
}

async function closeByAgreement(w: FuzzWorld, party: PayerParty): Promise<boolean> {
  const closeBefore = w.chain.block.time.seconds + 30n;
  const { id: channelId, keyVersion } = party;
  observe(w);
  for (const job of w.jobs.filter((one) => one.party === party)) await finishJob(w, job);
  const before = w.chain.mirror(channelId);
  const agreement = { channelId, keyVersion, total: party.payer.charged, closeBefore };
  const due = BigInt(before?.record.balance.claimed ?? '0');
  if (agreement.total < due) return false;
  const signature = await asPayee(w, () => w.payee.payee.consent(agreement, librarySigner(RECEIVER_SIGNER)));
  if (signature === undefined) return false;
  w.count('agreements');
  // Between consent and close the payer may go on: a stale close must not cost the payee anything.
  for (let i = w.random.below(12); i > 0 && !w.isQuiet; i--) {
    const step = w.random.pick([() => payerAsks(w, party), () => deliver(w), () => finishJob(w)]);
    await step();
  }
  const isStale = w.random.oneIn(4);
  while (isStale && w.chain.block.time.seconds < closeBefore) await tick(w);
  const message = {
    sender: party.account.address,
    channelId,
    total: `${agreement.total}`,
    closeBefore,
    consent: { signature, form: 0 },
  };
  if (agreement.total > due) {
    w.count('attack: close with another total');
    const less = { ...message, total: `${agreement.total - 1n}` };
    w.expect(!('response' in w.chain.run(wire.MsgCloseChannel, less)), 'a close with another total passes');
  }
  const ran = w.chain.run(wire.MsgCloseChannel, message);
  if (isStale) {
    w.count('attack: stale close');
    w.expect(!('response' in ran), 'an agreement passes that is over');
  }
  if (!('response' in ran)) return false;
  const { paid } = wire.MsgCloseChannelResponse.decode(ran.response);
  const claimed = BigInt(lastClaimed(before));
  w.paid.set(toHex(channelId), claimed + BigInt(paid));
  return true;
}

function lastClaimed(mirror: ReturnType<ModuleChain['mirror']>): string {
  return mirror?.record.balance.claimed ?? '0';
}

async function withdraw(w: FuzzWorld, party: PayerParty): Promise<void> {
  const message = { payer: party.account.address, channelId: party.id };
  const started = w.chain.run(wire.MsgInitiateWithdrawal, message);
  w.expect('response' in started, 'a withdrawal is refused');
  party.isWithdrawing = true;
  for (let i = 0; ; i++) {
    await tick(w);
    // The payee ends what it serves when it sees the withdrawal, and then takes nothing more.
    if (i === 2 || w.random.oneIn(3)) {
      await lookAndFinish(w);
    }
    if (w.random.oneIn(2)) await payerRepeats(w, party);
    await deliver(w);
    if (w.random.oneIn(2)) await finishJob(w);
    const claimed = lastClaimed(w.chain.mirror(party.id));
    if ('response' in w.chain.run(wire.MsgFinalizeWithdrawal, message)) {
      w.paid.set(toHex(party.id), BigInt(claimed));
      return;
    }
  }
}

/** No faults for a while: everything that is open is asked for until it is answered. */
async function settleDown(w: FuzzWorld, party: PayerParty): Promise<void> {
  w.isQuiet = true;
  party.disk.arm(Number.POSITIVE_INFINITY);
  w.payee.disk.arm(Number.POSITIVE_INFINITY);
  for (let i = 0; i < 400; i++) {
    observe(w);
    if (party.payer.pending().length === 0 && w.letters.length === 0 && w.jobs.length === 0) break;
    if (w.letters.length > 0) await deliver(w);
    else if (w.jobs.length > 0) await finishJob(w);
    else await payerRepeats(w, party);
  }
  w.isQuiet = false;
}

function judge(w: FuzzWorld, party: PayerParty, isQuiet: boolean): void {
  const paid = w.paid.get(toHex(party.id)) ?? 0n;
  w.paid.delete(toHex(party.id));
  const all = [...party.wanted.values()];
  const served = all.reduce((sum, one) => sum + one.served, 0n);
  const charged = all.reduce((sum, one) => sum + chargedFor(party, one), 0n);
  const name = `channel ${toHex(party.id).slice(0, 8)} of ${party.isRogue ? 'a rogue' : 'an honest payer'}`;
  w.expect(served <= paid, `${name}: unpaid service: ${served} were served, ${paid} paid`);
  w.expect(paid <= charged, `${name}: double charge: ${paid} were paid, ${charged} charged`);
  w.expect(paid <= party.deposited, `${name}: ${paid} were paid of ${party.deposited}`);
  if (!party.isRogue)
    w.expect(paid <= party.payer.exposure, `${name}: ${paid} were paid, ${party.payer.exposure} signed for`);
  w.count('channels ended');
  if (party.isRogue || !isQuiet) return;
  const denied = all.filter(
    (one) => one.isCharged && !one.isAnswered && !one.isGivenUp && chargedFor(party, one) > 0n,
  );
  w.count('channels ended after a quiet time');
  w.expect(denied.length === 0, `${name}: ${denied.length} requests were charged and not answered`);
}

/**
 * Once for each request. Who signs other vouchers on the lane in between has made the payee forget what was
 * charged for it: then once for each voucher.
 */
function chargedFor({ isRogue }: PayerParty, { charges }: Wanted): bigint {
  return [...charges.values()].reduce((all, one) => (isRogue ? all + one : larger(all, one)), 0n);
}
