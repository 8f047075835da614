/**
 * Compares a verified block with the witnesses, and reports an attack when one of them proves another.
 * Source: CometBFT v0.38.21 `light/detector.go`; its loop over a witness's latest block is bounded here,
 * and a comparison has one result (cometbft#5820: a witness that disagreed was counted as agreeing, too).
 */
import { LedgerError, messageOf } from '../core/errors.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import type { LightClientAttackEvidence } from '../consensus/types/light-client-attack.ts';
import { compareTime } from '../consensus/types/time.ts';
import { attackEvidence, type Divergence, findDivergence, sameHeader } from './attack.ts';
import type { LightPorts } from './ports.ts';
import { samePriorities } from './priorities.ts';
import { isBenign, type LightProvider } from './provider.ts';
import { noWitnesses, type ProviderPool } from './provider-pool.ts';
import type { VerifyOptions } from './verify.ts';

/** How often a witness that is behind is asked for its latest block: mostly it is one block behind. */
const LATEST_POLL_MS = 1_000;

/** How often evidence is sent to one that does not take it, and the time between: about a block. */
const REPORT_TRIES = 3;
const REPORT_AGAIN_MS = 2_000;

/** What the detector is made of. */
export interface DetectorPorts extends Pick<LightPorts, 'clock' | 'log' | 'signal'> {
  readonly pool: ProviderPool;
  /** How long a witness that is behind is given to catch up. */
  readonly waitMs: number;
}

type Comparison =
  | { readonly kind: 'same' }
  | { readonly kind: 'conflict'; readonly block: LightBlock }
  | { readonly kind: 'priorities' }
  /** It cannot help now. */
  | { readonly kind: 'silent'; readonly error: unknown }
  | { readonly kind: 'faulty'; readonly error: unknown };

interface Compared {
  readonly witness: LightProvider;
  readonly comparison: Comparison;
}

/** The second wall of defence, behind verification. */
export class Detector {
  readonly #ports: DetectorPorts;

  constructor(ports: DetectorPorts) {
    this.#ports = ports;
  }

  /**
   * Compares the last block of a verified trace with that of every witness. One that agrees suffices; one
   * that proves another block ends everything.
   * @throws LedgerError `light.attack` (evidence has been sent), `light.priorities`,
   *   `light.no_cross_reference` (no witness has it), `light.no_witnesses`
   */
  async detect(trace: readonly LightBlock[], options: VerifyOptions): Promise<void> {
    const block = trace.at(-1);
    if (block === undefined) throw new LedgerError('assert', 'an empty trace');
    const compared = await this.#compareWithAll(block);
    const faulty: LightProvider[] = [];
    let agreed = false;
    for (const { witness, comparison } of compared) {
      switch (comparison.kind) {
        case 'same':
          agreed = true;
          break;
        case 'conflict':
          await this.#examine({ trace, witness, claimed: comparison.block }, options);
          faulty.push(witness); // it could not prove what it claims
          break;
        case 'priorities':
          throw differentPriorities(block, witness);
        case 'faulty':
          faulty.push(witness);
          this.#log('warn', 'a witness is faulty', { witness: witness.name, error: comparison.error });
          break;
        case 'silent':
          this.#log('info', 'a witness cannot compare', { witness: witness.name, error: comparison.error });
          break;
      }
    }
    this.#ports.pool.removeWitnesses(faulty);
    if (!agreed) throw notCompared(block, compared);
  }

  /**
   * Compares the block that a client begins with. Nothing but its hash is known, so that a conflict cannot be
   * examined; witnesses that are silent do not matter, for the user has vouched for the hash.
   * @throws LedgerError `light.conflict`, `light.priorities`, `light.no_witnesses`
   */
  async compareFirst(block: LightBlock): Promise<void> {
    const compared = await this.#compareWithAll(block);
    const faulty: LightProvider[] = [];
    for (const { witness, comparison } of compared) {
      if (comparison.kind === 'conflict') throw conflict(block, witness);
      if (comparison.kind === 'priorities') throw differentPriorities(block, witness);
      if (comparison.kind === 'faulty') faulty.push(witness);
    }
    if (faulty.length < compared.length) this.#ports.pool.removeWitnesses(faulty);
    else throw noWitnesses();
  }

  async #compareWithAll(block: LightBlock): Promise<readonly Compared[]> {
    const { witnesses } = this.#ports.pool;
    if (witnesses.length === 0) throw noWitnesses();
    const compared = await Promise.all(
      witnesses.map(async (witness) => ({ witness, comparison: await this.#compare(block, witness) })),
    );
    if (this.#ports.signal?.aborted === true)
      throw new LedgerError('light.stopped', 'the light client stops');
    return compared;
  }

  async #compare(block: LightBlock, witness: LightProvider): Promise<Comparison> {
    try {
      const own = await this.#blockOf(witness, block);
      if (own === undefined) return { kind: 'silent', error: 'it is behind' };
      if (!sameHeader(block, own)) return { kind: 'conflict', block: own };
      return samePriorities(block.validators, own.validators) ? { kind: 'same' } : { kind: 'priorities' };
    } catch (error) {
      return isBenign(error) ? { kind: 'silent', error } : { kind: 'faulty', error };
    }
  }

  /**
   * The witness's block of that height. If its chain does not reach that far: its latest block, when that is
   * not earlier, which no honest chain allows; undefined when it stays behind.
   */
  async #blockOf(witness: LightProvider, block: LightBlock): Promise<LightBlock | undefined> {
    const { clock, signal, waitMs } = this.#ports;
    const { height } = block.header;
    try {
      return await witness.lightBlock(height, signal);
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code !== 'light.height_too_high') throw error;
    }
    for (let leftMs = waitMs; ; ) {
      const latest = await witness.lightBlock(undefined, signal);
      if (latest.header.height === height) return latest;
      if (latest.header.height > height) return await witness.lightBlock(height, signal);
      if (compareTime(latest.header.time, block.header.time) >= 0) return latest;
      if (leftMs <= 0) return undefined;
      const stepMs = Math.min(LATEST_POLL_MS, leftMs);
      leftMs -= stepMs;
      await clock.sleep(stepMs, signal);
    }
  }

  /** Returns when the witness cannot prove its block. */
  async #examine(
    claim: {
      readonly trace: readonly LightBlock[];
      readonly witness: LightProvider;
      readonly claimed: LightBlock;
    },
    options: VerifyOptions,
  ): Promise<void> {
    const { trace, witness, claimed } = claim;
    const { primary } = this.#ports.pool;
    const facts = { primary: primary.name, witness: witness.name, height: claimed.header.height };
    let against: Divergence;
    try {
      const examined = { trace, target: claimed, source: witness };
      against = await findDivergence(examined, options, this.#ports.signal);
    } catch (error) {
      this.#log('warn', 'a witness claims another block and cannot prove it', { ...facts, error });
      return;
    }
    // One of the two lies, and we cannot know which: each is told what the other did.
    const evidence = [attackEvidence(against)];
    await this.#report(evidence[0], witness);
    try {
      const examined = { trace: against.sourceTrace, target: against.conflicting, source: primary };
      const reverse = await findDivergence(examined, options, this.#ports.signal);
      evidence.push(attackEvidence(reverse));
      await this.#report(evidence[1], primary);
    } catch (error) {
      this.#log('warn', 'the primary cannot prove its block a second time', { ...facts, error });
    }
    throw attack(facts, evidence);
  }

  /** Tries a few times: a full node cannot judge every attack on its last block until the next one is there. */
  async #report(evidence: LightClientAttackEvidence | undefined, receiver: LightProvider): Promise<void> {
    if (evidence === undefined) return;
    const facts = { receiver: receiver.name, height: evidence.conflictingBlock.header.height };
    const { clock, signal } = this.#ports;
    for (let triesLeft = REPORT_TRIES - 1; ; triesLeft--) {
      try {
        await receiver.reportEvidence(evidence, signal);
        this.#log('error', 'attack: evidence was sent', facts);
        return;
      } catch (error) {
        this.#log('error', 'attack: evidence was not taken', { ...facts, error });
      }
      if (triesLeft === 0 || signal?.aborted === true) return;
      await clock.sleep(REPORT_AGAIN_MS, signal);
    }
  }

  #log(level: 'info' | 'warn' | 'error', message: string, facts: Readonly<Record<string, unknown>>): void {
    const { error } = facts;
    const text = error === undefined ? facts : { ...facts, error: messageOf(error) };
    this.#ports.log?.(level, message, text);
  }
}

function attack(
  facts: Readonly<Record<string, unknown>>,
  evidence: readonly LightClientAttackEvidence[],
): LedgerError {
  return new LedgerError(
    'light.attack',
    `two blocks of height ${String(facts['height'])} are signed by enough validators, one from ` +
      `${String(facts['primary'])} and one from ${String(facts['witness'])}: one of them is an attack. ` +
      'Nothing more is verified; find out which chain is the true one and start again from it',
    { ...facts, evidence },
  );
}

function conflict(block: LightBlock, witness: LightProvider): LedgerError {
  const { height } = block.header;
  return new LedgerError(
    'light.conflict',
    `${witness.name} has another block of the trusted height ${height}: check the trusted hash, or use ` +
      'another witness',
    { height, witness: witness.name },
  );
}

function differentPriorities(block: LightBlock, witness: LightProvider): LedgerError {
  const { height } = block.header;
  return new LedgerError(
    'light.priorities',
    `${witness.name} and the primary have different proposer priorities at height ${height}: one of them ` +
      'is wrong, and the header cannot say which. Use another primary or another witness',
    { height, witness: witness.name },
  );
}

function notCompared(block: LightBlock, compared: readonly Compared[]): LedgerError {
  const { height } = block.header;
  const why = compared.map(({ witness, comparison }) =>
    'error' in comparison ? `${witness.name}: ${messageOf(comparison.error)}` : witness.name,
  );
  return new LedgerError(
    'light.no_cross_reference',
    `no witness could confirm block ${height} (${why.join('; ')}): try again, or use other witnesses`,
    { height },
  );
}
