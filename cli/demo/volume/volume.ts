/**
 * The demo's second act: the answers of the first are given again, so often that no chain could carry a
 * transaction for each, and settled by channels and one epoch.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setInterval, setTimeout as pause } from 'node:timers/promises';
import type { IndexedTx } from '@cosmjs/stargate';
import { LedgerError } from '../../../core/errors.ts';
import { toHex } from '../../../core/bytes.ts';
import { openFileDisk } from '../../../client/vouchers/file-disk.ts';
import { Journal } from '../../../client/vouchers/journal.ts';
import type { StatedEpoch } from '../../../gateway/serve/settler.ts';
import { checkEpoch, type EpochSums, sumsOfEpoch } from '../../../modules/settlement/proof/epoch.ts';
import { ed25519Signer } from '../../../node/crypto/ed25519.ts';
import type { Model } from '../../../proto/gen/openledger/models/v1/models.ts';
import { EpochState } from '../../../proto/gen/openledger/settlement/v1/settlement.ts';
import { tryLock } from '../../process-lock.ts';
import { claimAll, owedTo } from '../earnings.ts';
import type { Settled } from '../inference.ts';
import type { DemoChain, Party } from '../party.ts';
import { balanceOf } from '../stage.ts';
import { closeChannels, openChannels } from './channels.ts';
import { type DemoGateway, demoGatewayFolder, openDemoGateway } from './gateway.ts';
import { buyAnswers, knownQuestions, repeating, type Traffic } from './traffic.ts';

/** Requests at a time are channels times lanes: what waits for a disk waits together. */
const CHANNELS = 80;
const LANES = 4;
const PROGRESS_STEPS = 10;
const POLL_MS = 250;
const OBSERVE_MS = 30_000;
/** Blocks that are waited for beyond the window. */
const PATIENCE_BLOCKS = 20;

/** Who plays, and what with. */
export interface VolumeAct {
  readonly chain: DemoChain;
  /** Of the devnet. */
  readonly home: string;
  readonly seller: Party;
  readonly payer: Party;
  readonly contributors: readonly Party[];
  /** What the gateway's key is made of. */
  readonly mnemonic: string;
  readonly model: Model;
  readonly settled: readonly Settled[];
  readonly inferences: number;
  readonly say: (text: string) => void;
}

/** A step that took a transaction. */
export interface VolumeStep {
  readonly name: string;
  readonly bytes: number;
  readonly gas: bigint;
}

/** What came of it, to the unit. */
export interface Volume {
  readonly traffic: Traffic;
  readonly stated: StatedEpoch;
  readonly sums: EpochSums;
  /** What the payer's account lost beyond gas. */
  readonly paid: bigint;
  /** What contributors were owed more than before, and what they claimed. */
  readonly earned: bigint;
  readonly claimed: bigint;
  readonly steps: readonly VolumeStep[];
  readonly seconds: { readonly answers: number; readonly all: number };
  readonly finalHeight: bigint;
}

/** Plays the act. @throws LedgerError `demo.sums` when a unit is missing */
export async function settleVolume(act: VolumeAct): Promise<Volume> {
  const { chain, contributors, home } = act;
  const begun = performance.now();
  const folder = demoGatewayFolder(home, toHex(randomBytes(4)));
  const questions = knownQuestions(act.settled);
  const gateway = await openDemoGateway({
    ...act,
    folder,
    modelId: act.model.id,
    inference: repeating(questions),
  });
  try {
    const owedBefore = total(await owedTo(chain, contributors));
    const payments = await payByVouchers(act, gateway, folder);
    const stated = await stateEpoch(act, gateway);
    const finalHeight = await waitFinal(act, stated);
    const earned = total(await owedTo(chain, contributors)) - owedBefore;
    const claimed = total(await claimAll(chain, contributors));
    const steps = stepsOf([payments.opened, ...gateway.sent, payments.closed]);
    const sums = sumsOfEpoch(stated.epoch.commitment);
    const all = (performance.now() - begun) / 1000;
    const { traffic, paid, seconds: answers } = payments;
    const volume = {
      ...{ traffic, stated, sums, paid, earned, claimed, steps, finalHeight },
      seconds: { answers, all },
    };
    requireUnits(volume, owedBefore);
    return volume;
  } finally {
    await gateway.close();
  }
}

interface Payments {
  readonly traffic: Traffic;
  readonly opened: IndexedTx;
  readonly closed: IndexedTx;
  readonly paid: bigint;
  readonly seconds: number;
}

/** Opens channels, buys all answers, has them claimed, and closes the channels. */
async function payByVouchers(act: VolumeAct, gateway: DemoGateway, folder: string): Promise<Payments> {
  const { chain, seller, payer, model, inferences, say } = act;
  const before = await balanceOf(chain, payer.address);
  const questions = knownQuestions(act.settled);
  const prices = await Promise.all(
    questions.map(({ prompt, answer: { tokensOut } }) =>
      gateway.desk.priceOf({ modelId: model.id, prompt, tokensOutMax: tokensOut }),
    ),
  );
  const dearest = prices.reduce<bigint>((most, price = 0n) => (price > most ? price : most), 0n);
  const deposit = dearest * BigInt(Math.ceil(inferences / CHANNELS));
  const session = ed25519Signer(randomBytes(32));
  const opening = {
    chain,
    payer,
    session,
    gateway: seller,
    gatewayKey: gateway.key,
    count: CHANNELS,
    deposit,
  };
  const { ids, tx: opened } = await openChannels(opening);
  say(`${CHANNELS} channels to the gateway of ${seller.name} opened in one transaction (${tally(opened)})`);
  await gateway.settler.observe();
  const journal = await Journal.open(await openFileDisk(join(folder, 'payers.log'), { tryLock }));
  const begun = performance.now();
  const buying = buyAnswers(
    {
      ...{ desk: gateway.desk, journal, session, channels: ids, deposit, lanes: LANES, questions },
      ...{ chainId: chain.chainId, prefix: chain.prefix, denom: chain.denom },
      gateway: seller.address,
      receiptKey: gateway.key.publicKey,
      modelId: model.id,
    },
    inferences,
    progressOf(inferences, say),
  );
  const traffic = await whileObserving(gateway, buying);
  const seconds = (performance.now() - begun) / 1000;
  await journal.close();
  await gateway.settler.observe();
  const rows = await gateway.settler.claim();
  say(`${rows.length} vouchers, the last of each lane, claimed (${tally(gateway.sent.at(-1))})`);
  const closed = await closeChannels(chain, seller, ids);
  // With few accounts one plays both parts.
  const own = payer.address === seller.address ? [opened, ...gateway.sent, closed] : [opened];
  const gas = own.reduce((sum, tx) => sum + gasFee(tx, chain), 0n);
  const paid = before - (await balanceOf(chain, payer.address)) - gas;
  return { traffic, opened, closed, paid, seconds };
}

/** A gateway takes no voucher when what it knows of the chain is old. */
async function whileObserving<T>({ settler }: DemoGateway, task: Promise<T>): Promise<T> {
  const over = new AbortController();
  const observing = (async (): Promise<void> => {
    for await (const _ of setInterval(OBSERVE_MS, undefined, { signal: over.signal }))
      await settler.observe();
  })();
  const stopped = observing.catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  try {
    return await Promise.race([task, stopped.then(() => task)]);
  } finally {
    over.abort();
    await stopped;
  }
}

function progressOf(count: number, say: (text: string) => void): (answered: number) => void {
  const begun = performance.now();
  const step = Math.max(1, Math.floor(count / PROGRESS_STEPS));
  return (answered) => {
    if (answered % step !== 0) return;
    const seconds = (performance.now() - begun) / 1000;
    say(`  ${grouped(answered)} of ${grouped(count)} answered and paid, ${seconds.toFixed(1)} s`);
  };
}

async function stateEpoch({ say, chain }: VolumeAct, gateway: DemoGateway): Promise<StatedEpoch> {
  const begun = performance.now();
  const [stated, ...others] = await gateway.settler.settle(1n);
  if (stated === undefined || others.length > 0)
    throw new LedgerError('demo.epoch', `${others.length} epochs were stated besides the demo's`);
  const { receipts, allocations, rows } = stated.epoch.commitment;
  const leaves = `${grouped(receipts.leaves)} receipts, ${grouped(allocations.leaves)} allocations, ${rows.length} rows`;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  say(
    `Epoch ${stated.epochId} stated on ${chain.chainId}: ${leaves} (${tally(gateway.sent.at(-1))}; ${seconds} s)`,
  );
  return stated;
}

/** The height at which it was paid. */
async function waitFinal({ chain, say }: VolumeAct, { epochId }: StatedEpoch): Promise<bigint> {
  const { settlement } = chain.connection.queries.openledger;
  const { finalHeight } = (await settlement.epoch({ epochId })).epoch;
  say(`Anybody can dispute it until height ${finalHeight}`);
  for (let height = 0n; height <= finalHeight + BigInt(PATIENCE_BLOCKS); ) {
    const { epoch } = await settlement.epoch({ epochId });
    if (epoch.state === EpochState.EPOCH_STATE_FINAL) return epoch.finalHeight;
    await pause(POLL_MS);
    height = BigInt((await chain.connection.comet.status()).syncInfo.latestBlockHeight);
  }
  throw new LedgerError(
    'demo.timeout',
    `epoch ${epochId} is not paid ${PATIENCE_BLOCKS} blocks after its window`,
  );
}

/** Every unit that was paid is somebody's, and nobody has a unit more. */
function requireUnits({ traffic, stated, sums, paid, earned, claimed }: Volume, owedBefore: bigint): void {
  const { commitment } = stated.epoch;
  checkEpoch(commitment, traffic.charged);
  const rows = commitment.rows.reduce((sum, { amount }) => sum + amount, 0n);
  const agree = [
    ['payers have signed for', traffic.charged],
    ['the chain took from the channels', BigInt(stated.round.claimed)],
    ['the payer’s account lost', paid],
    ['receipts add up to', sums.platform + sums.models + sums.stakers + sums.contributors],
    ['rows and the platform’s and stakers’ parts are', rows + sums.platform + sums.stakers],
  ] as const;
  const off = agree.find(([, amount]) => amount !== traffic.charged);
  if (off !== undefined) throw new LedgerError('demo.sums', `${off[0]} ${off[1]}, not ${traffic.charged}`);
  if (earned !== sums.contributors)
    throw new LedgerError('demo.sums', `contributors earned ${earned}, their part is ${sums.contributors}`);
  if (claimed !== earned + owedBefore)
    throw new LedgerError('demo.sums', `contributors claimed ${claimed} of ${earned + owedBefore}`);
}

function total(amounts: ReadonlyMap<string, bigint>): bigint {
  return [...amounts.values()].reduce((sum, amount) => sum + amount, 0n);
}

function stepsOf(transactions: readonly IndexedTx[]): readonly VolumeStep[] {
  const names = ['open channels', 'claim vouchers', 'state the epoch', 'close channels'];
  return transactions.map(({ tx, gasUsed }, i) => ({
    name: names[i] ?? 'further',
    bytes: tx.length,
    gas: gasUsed,
  }));
}

function tally(tx: IndexedTx | undefined): string {
  return tx === undefined
    ? 'nothing to send'
    : `${grouped(tx.tx.length)} bytes, ${grouped(Number(tx.gasUsed))} gas`;
}

/** 100,000. */
export function grouped(count: number): string {
  return `${count}`.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** What the transaction paid for gas, as it says. */
function gasFee({ events }: IndexedTx, { denom }: DemoChain): bigint {
  const fees = events.filter(({ type }) => type === 'tx').flatMap(({ attributes }) => attributes);
  const fee = fees.find(({ key }) => key === 'fee')?.value ?? '';
  return BigInt(new RegExp(`^(\\d+)${denom}$`).exec(fee)?.[1] ?? 0);
}
