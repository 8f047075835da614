/** What nobody may get away with, on the chain and at the payee. */
import { toHex } from '../../core/bytes.ts';
import { signVoucher } from '../../client/vouchers/signatures.ts';
import type { VoucherContent } from '../../modules/channels/format/voucher.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import { sessionSigner } from '../support/channels.ts';
import type { Ran } from './chain.ts';
import { librarySigner, LANES_USED, type PayerParty } from './parties.ts';
import { asPayee, claimRows } from './payee-steps.ts';
import type { FuzzWorld } from './world.ts';

/** The power will go, at one of the next operations of a disk. */
export function arm(w: FuzzWorld, { disk }: PayerParty): void {
  if (w.isQuiet) return;
  (w.random.oneIn(2) ? disk : w.payee.disk).arm(w.random.between(1, 6));
}

/** Rows of before, once more: as they were, for more than the voucher says, and for other channels. */
export function replayRows(w: FuzzWorld): void {
  const row = w.random.some(w.oldRows);
  if (row === undefined) return;
  w.count('rows replayed');
  claimRows(w, [row]);
  const { cumulative, hashChain } = row.voucher;
  const most = BigInt(cumulative) + BigInt(row.preimageIndex) * BigInt(hashChain?.unit ?? 0);
  mustFail(w, claimRows(w, [{ ...row, total: `${most + 1n}` }]), 'a claim above the voucher');
  const other = w.random.pick(w.payers);
  if (!other.isOpen || toHex(other.id) === toHex(row.voucher.channelId)) return;
  const { keyVersion } = other;
  const moved = { ...row, voucher: { ...row.voucher, channelId: other.id, keyVersion } };
  mustFail(w, claimRows(w, [moved]), 'a voucher of another channel');
  const lane = (row.voucher.lane + 1) % LANES_USED;
  const shifted = { ...row, voucher: { ...row.voucher, lane } };
  const ran = claimRows(w, [shifted]);
  if ('response' in ran)
    for (const { paid } of wire.MsgClaimVouchersResponse.decode(ran.response).results)
      w.expect(paid === '0', 'a voucher of another lane is paid');
}

function mustFail(w: FuzzWorld, ran: Ran, what: string): void {
  const isPaid =
    'response' in ran &&
    wire.MsgClaimVouchersResponse.decode(ran.response).results.some(({ paid }) => paid !== '0');
  w.expect(!isPaid, `${what} is paid`);
}

/** Vouchers made behind the library's back: for other chains, channels and requests, by other keys. */
export async function cheat(w: FuzzWorld, party: PayerParty): Promise<void> {
  if (!party.isOpen) return;
  const last = w.random.some(party.payer.pending());
  const resource = w.random.bytes(32);
  const lane = w.random.below(LANES_USED);
  const voucher: VoucherContent = {
    channelId: party.id,
    lane,
    keyVersion: party.keyVersion,
    cumulative: BigInt(w.random.below(80)),
    ceiling: 0n,
    resource,
    hashChain: undefined,
  };
  const full = { ...voucher, ceiling: voucher.cumulative };
  if (party.isRogue && w.random.oneIn(2)) return cheatWith(w, party, full);
  // What no payer can have signed for: nothing of it may be taken.
  const domain = { chainId: 'test-chain-2', denom: 'uopen' };
  const foreign = await signVoucher(full, domain, librarySigner(party.signer));
  const forged = await signVoucher(
    full,
    { ...domain, chainId: 'test-chain-1' },
    librarySigner(sessionSigner('thief')),
  );
  const other = w.random.pick(w.payers);
  const stolen = last === undefined ? forged : { ...last, voucher: { ...last.voucher, channelId: other.id } };
  const signed = w.random.pick([foreign, forged, ...(other === party ? [] : [stolen])]);
  const at = signed === stolen ? other : party;
  const taken = await asPayee(w, () =>
    w.payee.payee.accept(signed, { resource: signed.voucher.resource, ceilingMin: 0n }),
  );
  w.count('forgeries');
  w.expect(taken?.kind !== 'serve', `a voucher is taken that was not signed for ${toHex(at.id)}`);
  // A voucher that is right, for another request than it was signed for.
  if (last !== undefined) {
    const crossed = await asPayee(w, () => w.payee.payee.accept(last, { resource, ceilingMin: 0n }));
    w.expect(crossed?.kind !== 'serve', 'a voucher is taken for another request');
  }
}

/** The payer's own voucher, with whatever base; the request is real, so that what it is served counts. */
async function cheatWith(w: FuzzWorld, party: PayerParty, full: VoucherContent): Promise<void> {
  const mirror = w.chain.mirror(party.id);
  const charged = BigInt(mirror?.lanes.find(({ lane }) => lane === full.lane)?.claimed ?? '0');
  const wanted = party.want(BigInt(w.random.between(1, 60)), undefined);
  wanted.isGivenUp = true;
  const base = w.random.oneIn(3) ? charged : BigInt(w.random.below(200));
  const { resource, ceiling } = wanted;
  const voucher = { ...full, resource, ceiling, cumulative: base + ceiling };
  const domain = { chainId: 'test-chain-1', denom: 'uopen' };
  const signed = await signVoucher(voucher, domain, librarySigner(party.signer));
  w.count('rogue vouchers');
  w.send({ ...w.to(party, signed), kind: 'voucher', resource, ceiling });
}
