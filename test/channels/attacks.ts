/** What nobody may get away with, on the chain and at the payee. */
import { toHex } from '../../core/bytes.ts';
import { type SignedVoucher, signVoucher } from '../../client/vouchers/signatures.ts';
import type { VoucherContent } from '../../modules/channels/format/voucher.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import { rowFor, sessionSigner } from '../support/channels.ts';
import type { Ran } from './chain.ts';
import { librarySigner, LANES_USED, type PayerParty } from './parties.ts';
import { asPayee, claimRows } from './payee-steps.ts';
import type { FuzzWorld } from './world.ts';

/** The power will go, at one of the next operations of a disk. */
export function arm(w: FuzzWorld, { disk }: PayerParty): void {
  if (w.isQuiet) return;
  (w.random.oneIn(2) ? disk : w.payee.disk).arm(w.random.between(1, 6));
}

/** Rows of before, once more: as they were, for more than the voucher says, for other channels, lanes and requests. */
export function replayRows(w: FuzzWorld): void {
  const row = w.random.some(w.oldRows);
  if (row === undefined) return;
  w.count('attack: replay of a row');
  mustPayNothing(w, claimRows(w, [row]), 'a row that was claimed before');
  w.count('attack: claim above the voucher');
  const { cumulative, hashChain } = row.voucher;
  const most = BigInt(cumulative) + BigInt(row.preimageIndex) * BigInt(hashChain?.unit ?? 0);
  mustPayNothing(w, claimRows(w, [{ ...row, total: `${most + 1n}` }]), 'a claim above the voucher');
  w.count('attack: row of another request');
  const crossed = { ...row, voucher: { ...row.voucher, resource: w.random.bytes(32) } };
  mustPayNothing(w, claimRows(w, [crossed]), 'a voucher of another request');
  const lane = (row.voucher.lane + 1) % LANES_USED;
  w.count('attack: row of another lane');
  mustPayNothing(
    w,
    claimRows(w, [{ ...row, voucher: { ...row.voucher, lane } }]),
    'a voucher of another lane',
  );
  const other = w.random.pick(w.payers);
  if (!other.isOpen || toHex(other.id) === toHex(row.voucher.channelId)) return;
  const { keyVersion } = other;
  const moved = { ...row, voucher: { ...row.voucher, channelId: other.id, keyVersion } };
  w.count('attack: row of another channel');
  mustPayNothing(w, claimRows(w, [moved]), 'a voucher of another channel');
}

/** It fails, or brings nothing. */
function mustPayNothing(w: FuzzWorld, ran: Ran, what: string): void {
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
  if (signed !== stolen) onChain(w, party, full);
  const at = signed === stolen ? other : party;
  const taken = await asPayee(w, () =>
    w.payee.payee.accept(signed, { resource: signed.voucher.resource, ceilingMin: 0n }),
  );
  w.count(`attack: ${nameOf(signed, { foreign, forged })}`);
  w.expect(taken?.kind !== 'serve', `a voucher is taken that was not signed for ${toHex(at.id)}`);
  // A voucher that is right, for another request than it was signed for.
  if (last !== undefined) {
    w.count('attack: voucher for another request');
    const crossed = await asPayee(w, () => w.payee.payee.accept(last, { resource, ceilingMin: 0n }));
    w.expect(crossed?.kind !== 'serve', 'a voucher is taken for another request');
  }
}

function nameOf(
  signed: SignedVoucher,
  { foreign, forged }: { readonly foreign: SignedVoucher; readonly forged: SignedVoucher },
): string {
  if (signed === foreign) return 'voucher of another chain';
  return signed === forged ? 'voucher by another key' : 'voucher of another channel';
}

/** The chain is asked for what the payer has signed for another chain, and for what a thief has signed. */
function onChain(w: FuzzWorld, { signer }: PayerParty, voucher: VoucherContent): void {
  w.count('attack: row of another chain');
  const foreign = rowFor(voucher, { signer, chainId: 'test-chain-2' });
  mustPayNothing(w, claimRows(w, [foreign]), 'a voucher of another chain');
  w.count('attack: row by another key');
  const forged = rowFor(voucher, { signer: sessionSigner('thief') });
  mustPayNothing(w, claimRows(w, [forged]), 'a voucher by another key');
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
  w.count('attack: voucher behind the library');
  w.send({ ...w.to(party, signed), kind: 'voucher', resource, ceiling });
}
