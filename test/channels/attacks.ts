/** What nobody may get away with, on the chain and at the payee. */
import { toHex } from '../../core/bytes.ts';
import { type SignedVoucher, signVoucher } from '../../client/vouchers/signatures.ts';
import { channelId } from '../../modules/channels/format/configuration.ts';
import type { VoucherContent } from '../../modules/channels/format/voucher.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import { configOf, rowFor, sessionSigner, voucherFor } from '../support/channels.ts';
import type { Ran } from './chain.ts';
import { librarySigner, LANES_USED, type PayerParty, RECEIVER_ACCOUNT } from './parties.ts';
import { asPayee, claimRows } from './payee-steps.ts';
import type { FuzzWorld } from './world.ts';

/** The power will go, at one of the next operations of a disk. */
export function arm(w: FuzzWorld, { disk }: PayerParty): void {
  if (w.isQuiet) return;
  (w.random.oneIn(2) ? disk : w.payee.disk).arm(w.random.between(1, 6));
}

/** Rows of before, once more: as they were, for more, for other channels, lanes and requests. */
export function replayRows(w: FuzzWorld): void {
  const row = w.random.some(w.oldRows);
  if (row === undefined) return;
  w.count('attack: replay of a row');
  mustPayNothing(w, claimRows(w, [row]), 'a row that was claimed before');
  w.count('attack: claim above the voucher');
  const { cumulative, hashChain } = row.voucher;
  const most = BigInt(cumulative) + BigInt(row.preimageIndex) * BigInt(hashChain?.unit ?? 0);
  mustBeRefused(w, claimRows(w, [{ ...row, total: `${most + 1n}` }]), 'a claim above the voucher');
  w.count('attack: row of another request');
  const crossed = { ...row, voucher: { ...row.voucher, resource: w.random.bytes(32) } };
  mustBeRefused(w, claimRows(w, [crossed]), 'a voucher of another request');
  const lane = (row.voucher.lane + 1) % LANES_USED;
  w.count('attack: row of another lane');
  mustBeRefused(
    w,
    claimRows(w, [{ ...row, voucher: { ...row.voucher, lane } }]),
    'a voucher of another lane',
  );
  // Also the next channel of the same payer, which begins with the same key.
  const other = w.random.pick(w.payers);
  if (!other.isOpen || toHex(other.id) === toHex(row.voucher.channelId)) return;
  const { keyVersion } = other;
  const moved = { ...row, voucher: { ...row.voucher, channelId: other.id, keyVersion } };
  w.count('attack: row of another channel');
  mustBeRefused(w, claimRows(w, [moved]), 'a voucher of another channel');
}

/**
 * A channel of dust, and vouchers of all its lanes that are good for more: the lanes together are paid the
 * deposit and not a unit of others' deposits, and the rest goes back.
 */
export function overdraw(w: FuzzWorld, { account, signer }: PayerParty): void {
  const deposit = BigInt(w.random.between(1, 40));
  const now = w.chain.block.time.seconds;
  const change = { salt: w.random.bytes(32), withdrawDelay: 60, payerAuthorizer: signer.key };
  const parties = { payer: account, receiver: RECEIVER_ACCOUNT, now };
  const config = configOf(parties, { ...change, openBefore: now + 300n });
  const opened = w.chain.run(wire.MsgOpenChannel, { config, deposit: `${deposit}` });
  w.expect('response' in opened, 'a channel of dust is not opened');
  const id = channelId(w.chain.block.chainId, config);
  const rows = Array.from({ length: LANES_USED }, (_, lane) => {
    const cumulative = BigInt(w.random.between(1, 30));
    return rowFor(voucherFor(id, { lane, cumulative, ceiling: cumulative }), { signer });
  });
  const signed = rows.reduce((sum, { total }) => sum + BigInt(total), 0n);
  w.count(signed > deposit ? 'attack: lanes over one deposit' : 'lanes below their deposit');
  const paid = resultsOf(claimRows(w, rows)).reduce((sum, one) => sum + BigInt(one.paid), 0n);
  const due = signed < deposit ? signed : deposit;
  w.expect(paid === due, `lanes were paid ${paid} of a deposit of ${deposit}, not ${due}`);
  const closed = w.chain.run(wire.MsgCloseChannel, {
    sender: RECEIVER_ACCOUNT.address,
    channelId: id,
    total: `${paid}`,
    closeBefore: now + 30n,
    consent: undefined,
  });
  const { returned } =
    'response' in closed ? wire.MsgCloseChannelResponse.decode(closed.response) : { returned: '' };
  w.expect(
    returned === `${deposit - paid}`,
    `${returned} came back of ${deposit}, of which ${paid} were paid`,
  );
}

function resultsOf(ran: Ran): readonly wire.ClaimResult[] {
  return 'response' in ran ? wire.MsgClaimVouchersResponse.decode(ran.response).results : [];
}

function mustPayNothing(w: FuzzWorld, ran: Ran, what: string): void {
  w.expect(!resultsOf(ran).some(({ paid }) => paid !== '0'), `${what} is paid`);
}

/** What could never be right fails the message; only a channel or key that is gone is not even looked at. */
function mustBeRefused(w: FuzzWorld, ran: Ran, what: string): void {
  const { CLAIM_OUTCOME_NO_CHANNEL, CLAIM_OUTCOME_KEY_RETIRED } = wire.ClaimOutcome;
  const isTaken = resultsOf(ran).some(
    ({ outcome }) => outcome !== CLAIM_OUTCOME_NO_CHANNEL && outcome !== CLAIM_OUTCOME_KEY_RETIRED,
  );
  w.expect(!isTaken, `${what} is taken`);
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
  mustBeRefused(w, claimRows(w, [foreign]), 'a voucher of another chain');
  w.count('attack: row by another key');
  const forged = rowFor(voucher, { signer: sessionSigner('thief') });
  mustBeRefused(w, claimRows(w, [forged]), 'a voucher by another key');
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
