/** Where light blocks come from, and how it fails. */
import { LedgerError } from '../core/errors.ts';
import type { LightBlock } from '../consensus/types/light-block.ts';
import type { LightClientAttackEvidence } from '../consensus/types/light-client-attack.ts';

/** A full node, as the light client sees it. It need not be honest, nor be there. */
export interface LightProvider {
  readonly chainId: string;
  /** Names the node in errors and logs: its URL. */
  readonly name: string;
  /**
   * The light block of a height, or the latest one; its parts belong together, nothing is verified. Ends
   * within a time of its own, or when `signal` aborts.
   * @throws LedgerError with one of the codes of `ProviderErrorCode`
   */
  lightBlock(height: bigint | undefined, signal?: AbortSignal): Promise<LightBlock>;
  /** Hands in evidence. @throws LedgerError when it was not taken */
  reportEvidence(evidence: LightClientAttackEvidence, signal?: AbortSignal): Promise<void>;
}

/** Codes of a provider's errors. All but the last are no proof of bad faith. */
export type ProviderErrorCode =
  /** The node does not have that block (any more). */
  | 'light.not_found'
  /** The node's chain does not reach that far yet. */
  | 'light.height_too_high'
  /** No answer in time, or none that is for us. */
  | 'light.no_response'
  /** An answer that cannot be honest. */
  | 'light.bad_block';

/** An error of a provider. */
export function providerError(
  code: ProviderErrorCode,
  message: string,
  details: { readonly provider: string; readonly height?: bigint | undefined; readonly cause?: unknown },
): LedgerError {
  const { provider, height, cause } = details;
  return new LedgerError(code, `${provider}: ${message}`, { provider, height }, cause);
}

/** True when the error says only that the node cannot help now. */
export function isBenign(error: unknown): boolean {
  if (!(error instanceof LedgerError)) return false;
  return ['light.not_found', 'light.height_too_high', 'light.no_response'].includes(error.code);
}
