import { LedgerError, messageOf } from '../core/errors.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import type { LightPorts } from './ports.ts';
import { isBenign, type LightProvider } from './provider.ts';

/**
 * The primary and the witnesses. A primary that cannot help changes places with the first witness that can;
 * one that lies is dropped. At least one witness is always left: without one nothing can be compared.
 */
export class ProviderPool {
  readonly #ports: LightPorts;
  #primary: LightProvider;
  #witnesses: readonly LightProvider[];

  constructor(ports: LightPorts) {
    this.#ports = ports;
    this.#primary = ports.primary;
    this.#witnesses = ports.witnesses;
  }

  get primary(): LightProvider {
    return this.#primary;
  }

  get witnesses(): readonly LightProvider[] {
    return this.#witnesses;
  }

  /**
   * A block of the primary, or of the witness that takes its place. Nothing is verified.
   * @throws LedgerError the primary's error when no witness has the block either
   */
  async lightBlock(height: bigint | undefined): Promise<LightBlock> {
    const { signal } = this.#ports;
    try {
      return await this.#primary.lightBlock(height, signal);
    } catch (error) {
      if (signal?.aborted === true) throw error;
      return this.replacePrimary(height, error);
    }
  }

  /**
   * Makes the first witness that answers with a block the primary. The old one becomes a witness, if its
   * error was no proof of bad faith.
   * @returns the block
   * @throws LedgerError `light.no_witnesses`, or the given error when no witness has the block
   */
  async replacePrimary(height: bigint | undefined, reason: unknown): Promise<LightBlock> {
    const keep = isBenign(reason);
    const facts = { primary: this.#primary.name, error: messageOf(reason), height };
    this.#log(
      'warn',
      keep ? 'the primary cannot help: asking the witnesses' : 'the primary is faulty',
      facts,
    );
    if (this.#witnesses.length < (keep ? 1 : 2)) throw keep ? reason : noWitnesses(reason);
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    this.#ports.signal?.addEventListener('abort', abort);
    try {
      return await this.#firstAnswer({ height, reason, keep, signal: stop.signal });
    } finally {
      abort();
      this.#ports.signal?.removeEventListener('abort', abort);
    }
  }

  async #firstAnswer(asked: {
    readonly height: bigint | undefined;
    readonly reason: unknown;
    readonly keep: boolean;
    readonly signal: AbortSignal;
  }): Promise<LightBlock> {
    const answers = new Map(
      this.#witnesses.map((witness) => [witness, answerOf(witness, asked.height, asked.signal)] as const),
    );
    const liars: LightProvider[] = [];
    while (answers.size > 0) {
      const { witness, block, error } = await Promise.race(answers.values());
      answers.delete(witness);
      if (block !== undefined) {
        this.#promote(witness, { keep: asked.keep, liars });
        return block;
      }
      if (!isBenign(error)) liars.push(witness);
      this.#log('info', 'a witness cannot replace the primary', {
        witness: witness.name,
        error: messageOf(error),
      });
    }
    if (liars.length > 0 && liars.length < this.#witnesses.length) this.removeWitnesses(liars);
    throw asked.reason;
  }

  #promote(
    witness: LightProvider,
    { keep, liars }: { readonly keep: boolean; readonly liars: readonly LightProvider[] },
  ): void {
    const others = this.#witnesses.filter((each) => each !== witness);
    const honest = others.filter((each) => !liars.includes(each));
    const left = keep ? [...honest, this.#primary] : honest;
    // A liar is still better than nobody to compare with: it cannot make a wrong header right.
    this.#witnesses = left.length > 0 ? left : others;
    this.#primary = witness;
    this.#log('info', 'a witness is the primary now', { primary: witness.name });
  }

  /**
   * Drops witnesses.
   * @throws LedgerError `light.no_witnesses` when none would be left; then none is dropped
   */
  removeWitnesses(removed: readonly LightProvider[]): void {
    if (removed.length === 0) return;
    const left = this.#witnesses.filter((each) => !removed.includes(each));
    if (left.length === 0) throw noWitnesses();
    this.#witnesses = left;
    this.#log('warn', 'witnesses were removed', { removed: removed.map((each) => each.name) });
  }

  #log(level: 'info' | 'warn', message: string, facts: Readonly<Record<string, unknown>>): void {
    this.#ports.log?.(level, message, facts);
  }
}

interface WitnessAnswer {
  readonly witness: LightProvider;
  readonly block?: LightBlock;
  readonly error?: unknown;
}

async function answerOf(
  witness: LightProvider,
  height: bigint | undefined,
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  try {
    return { witness, block: await witness.lightBlock(height, signal) };
  } catch (error) {
    return { witness, error };
  }
}

/** What to throw when there is nobody left to compare with. */
export function noWitnesses(cause?: unknown): LedgerError {
  const message = 'no witness is left: start the light client again with other witnesses';
  return new LedgerError('light.no_witnesses', message, {}, cause);
}
