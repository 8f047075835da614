/** Steps of the chain: the real modules on a fork of the state. */
import * as wire from '../../../proto/gen/openledger/channels/v1/tx.ts';
import type { ModuleChain, Ran } from '../chain.ts';
import { RECEIVER_ACCOUNT } from '../parties.ts';
import { Violation } from '../world.ts';
import { asPayee, mirrorOf, PAYER_ACCOUNT, payerKey } from './parties.ts';
import { type Model, observed, type Step } from './steps.ts';
import { type Letter, type ModelState, withLetters } from './world.ts';

/** Seconds from block to block: two of them are a withdrawal's delay. */
const BLOCK_TIME = 30;
/** The payer's key is rotated once. */
const VERSIONS = 1;

/** What the payee would claim now leaves it; it may arrive late, often, or never. */
export async function broadcasts(m: Model, s: ModelState): Promise<readonly Step[]> {
  const rows = await rowsOf(m, s, 'all');
  if (rows.length === 0) return [];
  return [{ label: 'broadcast a claim', next: withLetters(s, [{ kind: 'claim', rows }]) }];
}

async function rowsOf(m: Model, s: ModelState, which: 'all' | 'urgent'): Promise<readonly wire.ClaimRow[]> {
  const { result = [] } = await asPayee(s, { ...m, cut: undefined }, async (payee) =>
    payee.claims(which === 'all' ? undefined : payee.urgent()),
  );
  return result;
}

/** A claim that was broadcast is in a block. */
export function claimed(s: ModelState, { rows }: Extract<Letter, { readonly kind: 'claim' }>): Step {
  const chain = s.chain.fork();
  claimAll(chain, rows);
  return { label: 'a claim arrives', next: { ...s, chain } };
}

/** Claims the payee's own rows, which must never fail. */
function claimAll(chain: ModuleChain, rows: readonly wire.ClaimRow[]): readonly wire.ClaimResult[] {
  const ran = chain.run(wire.MsgClaimVouchers, { claimer: RECEIVER_ACCOUNT.address, rows });
  if (!('response' in ran)) throw new Violation(`the payee’s own claim fails: ${ran.log}`);
  return wire.MsgClaimVouchersResponse.decode(ran.response).results;
}

/** What the payee has on its disk, claimed after a look at the chain, in time: nothing of it may be lost. */
export async function claimedInTime(m: Model, s: ModelState, which: 'all' | 'urgent'): Promise<ModelState> {
  const seen = observed(m, s);
  const rows = await rowsOf(m, seen, which);
  if (rows.length === 0) return seen;
  const chain = s.chain.fork();
  for (const { outcome } of claimAll(chain, rows))
    if (outcome !== wire.ClaimOutcome.CLAIM_OUTCOME_PAID)
      throw new Violation(`a claim in time is lost: outcome ${outcome}`);
  return observed(m, { ...seen, chain });
}

/**
 * The next block. A payee looks at the chain and claims before a deadline is over that it could miss, and
 * has ended what it serves by then: that is the library's condition.
 */
export async function ticks(m: Model, s: ModelState): Promise<readonly Step[]> {
  let before = s;
  if (isDueNext(m, s) && m.faults.neverWatches !== true) {
    if (s.jobs.length > 0) return [];
    before = await claimedInTime(m, s, 'urgent');
  }
  const chain = before.chain.fork();
  chain.tick(BLOCK_TIME);
  return [{ label: 'the next block', next: { ...before, chain } }];
}

function isDueNext({ id }: Model, { chain }: ModelState): boolean {
  const channel = mirrorOf(chain, id)?.record.channel;
  const next = chain.block.time.seconds + BigInt(BLOCK_TIME);
  const deadlines = [channel?.withdrawal?.time, channel?.previousKey?.untilTime];
  return deadlines.some((time) => time !== undefined && time <= next);
}

/** The payer rotates its key, starts to withdraw, ends it, or closes by an agreement. */
export function payerEnds(m: Model, s: ModelState): readonly Step[] {
  const common = { payer: PAYER_ACCOUNT.address, channelId: m.id };
  const { channel } = mirrorOf(s.chain, m.id)?.record ?? {};
  const steps: Step[] = [];
  if (channel !== undefined && channel.keyVersion < VERSIONS) {
    const { key } = payerKey(channel.keyVersion + 1);
    const rotated = onFork(s, (chain) => chain.run(wire.MsgRotateKey, { ...common, payerAuthorizer: key }));
    if (rotated !== undefined) steps.push({ label: 'rotate', next: rotated });
  }
  const started = onFork(s, (chain) => chain.run(wire.MsgInitiateWithdrawal, common));
  if (started !== undefined) steps.push({ label: 'withdraw', next: started });
  const finished = onFork(s, (chain) => chain.run(wire.MsgFinalizeWithdrawal, common));
  if (finished !== undefined) steps.push({ label: 'finalize', next: closed(finished, claimedOf(m, s)) });
  return steps;
}

/** The payer closes by what the payee has signed. */
export function closes(
  s: ModelState,
  { agreement, signature }: Extract<Letter, { readonly kind: 'consent' }>,
): readonly Step[] {
  const { channelId, total, closeBefore } = agreement;
  const consent = { signature, form: 0 };
  const sender = PAYER_ACCOUNT.address;
  const message = { sender, channelId, total: `${total}`, closeBefore, consent };
  const next = onFork(s, (chain) => chain.run(wire.MsgCloseChannel, message));
  return next === undefined ? [] : [{ label: `close at ${total}`, next: closed(next, total) }];
}

function closed(s: ModelState, paid: bigint): ModelState {
  return { ...s, isOpen: false, paid };
}

/** What the chain has paid on the channel, which is open. */
export function claimedOf({ id }: Model, { chain }: ModelState): bigint {
  return BigInt(mirrorOf(chain, id)?.record.balance.claimed ?? '0');
}

/** The state after a message; undefined when it is refused. */
function onFork(s: ModelState, run: (chain: ModuleChain) => Ran): ModelState | undefined {
  const chain = s.chain.fork();
  return 'response' in run(chain) ? { ...s, chain } : undefined;
}
