/** What payers do. */
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import { isCrash, type PayerParty, type Wanted } from './parties.ts';
import type { FuzzWorld, Letter } from './world.ts';

async function asPayer<T>(w: FuzzWorld, party: PayerParty, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof LedgerError && error.code === 'vouchers.overcharge') {
      // Whoever signs behind the library's back hears of charges that the library knows nothing of.
      w.expect(party.isRogue, `an honest payer is told of a charge that it has not signed: ${error.message}`);
      return undefined;
    }
    if (!isCrash(error)) throw error;
    w.count('payer crashes');
    party.disk.crash();
    await party.start();
    return undefined;
  }
}

/** Wants something, on a lane that is free. */
export async function payerAsks(w: FuzzWorld, party: PayerParty): Promise<void> {
  if (!party.isOpen || party.isWithdrawing) return;
  const lane = party.payer.takeLane();
  if (lane === undefined) return;
  const ceiling = BigInt(w.random.between(1, 60));
  const links = w.random.between(1, 8);
  const unit = BigInt(w.random.between(1, 4));
  const isStream = w.random.oneIn(3) && unit * BigInt(links) <= ceiling;
  const wanted = party.want(ceiling, isStream ? { unit, links } : undefined);
  await sign(w, party, lane, wanted);
}

async function sign(w: FuzzWorld, party: PayerParty, lane: number, wanted: Wanted): Promise<void> {
  const { resource, ceiling, stream } = wanted;
  const request = { resource, ceiling, ...(stream === undefined ? {} : { stream }) };
  const signed = await asPayer(w, party, async () => {
    try {
      return await party.payer.sign(lane, request);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('does not cover')) throw error;
      w.count('deposit is used up');
      return undefined;
    }
  });
  if (signed === undefined) {
    wanted.isGivenUp = true;
    party.payer.releaseLane(lane);
    return;
  }
  w.count('vouchers signed');
  w.send({ ...w.to(party, signed), kind: 'voucher', resource, ceiling });
}

/** Sends again what was not answered; seldom does something else instead, as impatient people do. */
export async function payerRepeats(w: FuzzWorld, party: PayerParty): Promise<void> {
  const signed = w.random.some(party.isOpen ? party.payer.pending() : []);
  const wanted = signed === undefined ? undefined : party.wantedOf(signed);
  if (signed === undefined || wanted === undefined) return;
  if (!w.isQuiet && w.random.oneIn(12) && !party.isWithdrawing) {
    wanted.isGivenUp = true;
    await sign(w, party, signed.voucher.lane, party.want(BigInt(w.random.between(1, 60)), undefined));
    return;
  }
  const { resource, ceiling } = wanted;
  w.send({ ...w.to(party, signed), kind: 'voucher', resource, ceiling });
}

/** A letter from the payee. */
export async function payerReads(w: FuzzWorld, letter: Letter): Promise<void> {
  const { party, signed } = letter;
  const { payer } = party;
  const { lane } = signed.voucher;
  switch (letter.kind) {
    case 'answer': {
      const wanted = party.wantedOf(signed);
      await asPayer(w, party, () => payer.answered(signed, letter.charged));
      if (wanted !== undefined) wanted.isAnswered = true;
      payer.releaseLane(lane);
      return;
    }
    case 'corrective': {
      const outcome = await asPayer(w, party, () => payer.corrected(signed, letter.lane));
      payer.releaseLane(lane);
      const wanted = party.wantedOf(signed);
      w.count(`corrective: ${outcome ?? 'crash'}`);
      if (outcome === 'sign-again' && wanted !== undefined && party.isOpen)
        await signAnew(w, party, lane, wanted);
      return;
    }
    case 'go-on': {
      const links = linksOf(party, signed);
      const preimage = links[letter.index];
      if (preimage !== undefined) w.send({ ...w.to(party, signed), kind: 'link', preimage });
      return;
    }
    case 'refused':
      await refusedPayer(w, letter.reason, party, signed);
      return;
    case 'voucher':
    case 'link':
      return;
  }
}

function linksOf(party: PayerParty, signed: SignedVoucher): readonly Uint8Array[] {
  const isPending = party.payer
    .pending()
    .some(({ signature }) => toHex(signature) === toHex(signed.signature));
  return isPending ? party.payer.links(signed.voucher.lane) : [];
}

/** A voucher of a key that was rotated meanwhile is signed anew; everything else waits. */
async function refusedPayer(
  w: FuzzWorld,
  reason: string,
  party: PayerParty,
  signed: SignedVoucher,
): Promise<void> {
  const wanted = party.wantedOf(signed);
  if (reason !== 'wrong_key_version' || wanted === undefined || party.isWithdrawing) return;
  const isPending = party.payer.pending().some((one) => toHex(one.signature) === toHex(signed.signature));
  if (isPending && signed.voucher.keyVersion < party.keyVersion)
    await signAnew(w, party, signed.voucher.lane, wanted);
}

/** The same request under another voucher; of a stream, parts of which may have been paid for, the rest. */
async function signAnew(w: FuzzWorld, party: PayerParty, lane: number, wanted: Wanted): Promise<void> {
  if (wanted.stream !== undefined) wanted.isGivenUp = true;
  const next = wanted.stream === undefined ? wanted : party.want(wanted.ceiling, wanted.stream);
  await sign(w, party, lane, next);
}
