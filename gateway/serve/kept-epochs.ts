/**
 * Epochs that a gateway has committed to: what it stated is on its disk before the chain sees it, so that it
 * can be served, and shown to whoever is paid, after any crash.
 *
 * A file holds the receipts and attributions of a round and the commitment; trees are built from them again.
 */
import { defined, LedgerError } from '../../core/errors.ts';
import { concatBytes, equalBytes, toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { Journal } from '../../client/vouchers/journal.ts';
import type { ModelTerms } from '../../modules/settlement/proof/chain.ts';
import { decodeReceipt, RECEIPT_BYTES } from '../../modules/settlement/proof/leaves.ts';
import { EpochCommitment } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { EpochBuilder } from '../epochs/build-aside.ts';
import { type PackedLeaves, packedLeaf } from '../epochs/packed.ts';
import type { PublishedEpoch } from '../epochs/published.ts';
import type { EpochFiles, PriceBook } from './ports.ts';
import { type LaneInterval, RECORDS } from './receipt-log.ts';
import { inSlices, slicesOf } from './in-slices.ts';
import { framesOf, goodFrames, type LogRecord } from './record-log.ts';

/** What was made of a round. */
export interface KeptRound {
  readonly roundId: bigint;
  /** 0 until the chain has it. */
  readonly epochId: bigint;
  /** `dropped`: the log of receipts does not hold them any more. */
  readonly state: 'built' | 'stated' | 'dropped' | 'convicted';
}

/** What an epoch is kept by. */
export interface KeptEpochsPorts {
  readonly files: EpochFiles;
  readonly journal: Journal;
  readonly prices: Pick<PriceBook, 'terms'>;
  /** Default: one that builds large epochs on a thread. */
  readonly builder?: Pick<EpochBuilder, 'build'>;
}

/** Epochs whose trees are in memory: those that were asked for last. */
const OPEN_EPOCHS_MAX = 2;

/** See the file comment. */
export class KeptEpochs {
  readonly #ports: KeptEpochsPorts;
  readonly #builder: Pick<EpochBuilder, 'build'>;
  /** By round; the one that was asked for last is the last. */
  readonly #open = new Map<bigint, Promise<PublishedEpoch>>();
  /** Those that are being built again, also when others were asked for since: nobody builds one twice. */
  readonly #loading = new Map<bigint, Promise<PublishedEpoch>>();

  constructor(ports: KeptEpochsPorts) {
    this.#ports = ports;
    this.#builder = ports.builder ?? new EpochBuilder();
  }

  /**
   * Builds the epoch of a round from receipts that cover it, which it takes for itself. It keeps attributions
   * of its own.
   */
  async build({ receipts, attribution, rowsMax }: EpochSource): Promise<PublishedEpoch> {
    const named = await namedBy(receipts, { prices: this.#ports.prices, given: attribution });
    return await this.#builder.build({ receipts, ...named, rowsMax });
  }

  /** Writes an epoch down; then it may be stated. */
  async keep(roundId: bigint, epoch: PublishedEpoch): Promise<void> {
    const frames: Uint8Array[] = [];
    for await (const frame of slicesOf(framesOf(recordsOf(epoch)))) frames.push(frame);
    await this.#ports.files.write(fileOf(roundId), concatBytes(...frames));
    await this.#note({ roundId, epochId: 0n, state: 'built' });
    this.#remember(roundId, Promise.resolve(epoch));
  }

  /** Notes what became of a round. */
  async note(round: KeptRound): Promise<void> {
    await this.#note(round);
  }

  /** All rounds that were ever built. */
  rounds(): readonly KeptRound[] {
    return this.#ports.journal.keys('round/').flatMap((key) => this.#round(key) ?? []);
  }

  /** What was made of a round; undefined for nothing. */
  round(roundId: bigint): KeptRound | undefined {
    return this.#round(`round/${roundId}`);
  }

  /** An epoch as it was stated; undefined when it is not of this gateway, or was convicted. */
  async served(epochId: bigint): Promise<PublishedEpoch | undefined> {
    const round = this.rounds().find((one) => one.epochId === epochId && one.state !== 'convicted');
    return round && (await this.ofRound(round.roundId));
  }

  /**
   * What was built of a round.
   * @throws LedgerError `gateway.lost_epoch` when its file is missing, or does not lead to what it says
   */
  async ofRound(roundId: bigint): Promise<PublishedEpoch> {
    const epoch = this.#open.get(roundId) ?? this.#loading.get(roundId) ?? this.#begin(roundId);
    this.#remember(roundId, epoch);
    return await epoch;
  }

  #begin(roundId: bigint): Promise<PublishedEpoch> {
    const epoch = this.#load(roundId);
    this.#loading.set(roundId, epoch);
    const over = (): void => void this.#loading.delete(roundId);
    epoch.then(over, () => {
      over();
      this.#open.delete(roundId);
    });
    return epoch;
  }

  async #load(roundId: bigint): Promise<PublishedEpoch> {
    const name = fileOf(roundId);
    const bytes = await this.#ports.files.read(name);
    const content = bytes && (await readContent(bytes));
    if (content === undefined) throw lost(name, 'is missing or damaged');
    const { receipts, attributions, commitment } = content;
    const attribution = (hash: Uint8Array): Uint8Array | undefined => attributions.get(toHex(hash));
    const epoch = await this.build({ receipts, attribution, rowsMax: commitment.rows.length });
    const [built, stated] = [epoch.commitment, commitment].map((one) => EpochCommitment.encode(one));
    if (!equalBytes(defined(built, 'built'), defined(stated, 'stated')))
      throw lost(name, 'leads to another commitment than it states');
    return epoch;
  }

  #remember(roundId: bigint, epoch: Promise<PublishedEpoch>): void {
    this.#open.delete(roundId);
    this.#open.set(roundId, epoch);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= OPEN_EPOCHS_MAX) return;
      this.#open.delete(oldest);
    }
  }

  #round(key: string): KeptRound | undefined {
    const entry = this.#ports.journal.get(key);
    if (entry === undefined) return undefined;
    const { epoch, state } = entry.value as { readonly epoch: string; readonly state: KeptRound['state'] };
    return { roundId: BigInt(key.slice('round/'.length)), epochId: BigInt(epoch), state };
  }

  async #note({ roundId, epochId, state }: KeptRound): Promise<void> {
    const { journal } = this.#ports;
    const key = `round/${roundId}`;
    const version = journal.get(key)?.version ?? 0;
    await defined(journal.compareAndSet(key, version, { epoch: `${epochId}`, state }), 'own version');
  }
}

/** What an epoch is made of. */
export interface EpochSource {
  readonly receipts: PackedLeaves;
  readonly attribution: PublishedEpoch['attribution'];
  /** Most rows that the chain takes. */
  readonly rowsMax: number;
}

/** How far an epoch's receipts cover each lane. */
export async function lanesOfEpoch({ receipts }: PublishedEpoch): Promise<readonly LaneInterval[]> {
  const lanes = new Map<string, LaneInterval>();
  await inSlices(receipts.tree.leaves, (i) => {
    const { channel, lane, before, after } = defined(decodeReceipt(receipts.leaf(i)), 'receipt');
    const key = `${toHex(channel)}/${lane}`;
    const from = lanes.get(key)?.from ?? before;
    lanes.set(key, { channelId: channel, lane, from, to: after });
  });
  return [...lanes.values()];
}

/** Models and attributions that receipts name. */
async function namedBy(
  receipts: PackedLeaves,
  {
    prices,
    given,
  }: { readonly prices: Pick<PriceBook, 'terms'>; readonly given: PublishedEpoch['attribution'] },
): Promise<{
  readonly terms: ReadonlyMap<bigint, Pick<ModelTerms, 'datanets'>>;
  readonly attributions: ReadonlyMap<string, Uint8Array>;
}> {
  const terms = new Map<bigint, Pick<ModelTerms, 'datanets'>>();
  const attributions = new Map<string, Uint8Array>();
  const models = new Set<bigint>();
  await inSlices(receipts.count, (i) => {
    const { modelId, attribution } = defined(decodeReceipt(packedLeaf(receipts, i)), 'receipt');
    const key = toHex(attribution);
    const bytes = attributions.has(key) ? undefined : given(attribution);
    if (bytes !== undefined) attributions.set(key, bytes);
    if (modelId > 0n) models.add(modelId);
  });
  for (const modelId of models) {
    const { datanets } = defined(await prices.terms(modelId), `model ${modelId} of a receipt`);
    terms.set(modelId, { datanets });
  }
  return { terms, attributions };
}

function fileOf(roundId: bigint): string {
  return `round-${roundId}.epoch`;
}

function lost(name: string, how: string): LedgerError {
  return new LedgerError('gateway.lost_epoch', `${name} ${how}: what it states cannot be served`, { name });
}

function* recordsOf(epoch: PublishedEpoch): Generator<LogRecord> {
  yield { kind: RECORDS.commitment, content: EpochCommitment.encode(epoch.commitment) };
  const named = new Set<string>();
  for (let i = 0; i < epoch.receipts.tree.leaves; i++) {
    const content = epoch.receipts.leaf(i);
    const { attribution: hash } = defined(decodeReceipt(content), 'receipt');
    const bytes = named.has(toHex(hash)) ? undefined : epoch.attribution(hash);
    named.add(toHex(hash));
    if (bytes !== undefined) yield { kind: RECORDS.attribution, content: bytes };
    yield { kind: RECORDS.receipt, content };
  }
}

interface EpochContent {
  readonly receipts: PackedLeaves;
  readonly attributions: ReadonlyMap<string, Uint8Array>;
  readonly commitment: EpochCommitment;
}

/** Undefined when it is not whole. */
async function readContent(file: Uint8Array): Promise<EpochContent | undefined> {
  const leaves: Uint8Array[] = [];
  const attributions = new Map<string, Uint8Array>();
  let commitment: EpochCommitment | undefined;
  let end = 0;
  for await (const frame of slicesOf(goodFrames(file))) {
    for (const { kind, content } of frame.records())
      if (kind === RECORDS.commitment) commitment = EpochCommitment.decode(content);
      else if (kind === RECORDS.attribution) attributions.set(toHex(sha256(content)), content);
      else leaves.push(content);
    ({ end } = frame);
  }
  if (commitment === undefined || end < file.length) return undefined;
  const bytes = new Uint8Array(leaves.length * RECEIPT_BYTES);
  for (const [i, leaf] of leaves.entries()) bytes.set(leaf, i * RECEIPT_BYTES);
  return { receipts: { bytes, width: RECEIPT_BYTES, count: leaves.length }, attributions, commitment };
}
