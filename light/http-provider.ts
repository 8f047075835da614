/** A full node behind its RPC. Source: CometBFT v0.38.21 `light/provider/http/http.go`. */
import { LedgerError } from '../core/errors.ts';
import { checkLightBlock, type LightBlock, type SignedHeader } from '../consensus/types/light-block.ts';
import type { LightClientAttackEvidence } from '../consensus/types/light-client-attack.ts';
import { VALIDATORS_MAX } from '../consensus/types/limits.ts';
import type { Validator } from '../consensus/types/validator.ts';
import type { JsonField } from './json/field.ts';
import { evidenceJson } from './json/print.ts';
import { readSignedHeader, readValidator, validatorSetOf } from './json/read.ts';
import { type Fetch, JsonRpc, JsonRpcError } from './json-rpc.ts';
import type { LightClock } from './ports.ts';
import { type LightProvider, type ProviderErrorCode, providerError } from './provider.ts';

/** How the provider asks. */
export interface HttpProviderOptions {
  readonly chainId: string;
  readonly url: string;
  /** Waits between attempts. */
  readonly clock: LightClock;
  /** How long one request may take. Default: 5 s. */
  readonly timeoutMs?: number;
  /** Attempts of a request that gets no answer. Default: 3. */
  readonly attempts?: number;
  readonly fetch?: Fetch;
}

const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_ATTEMPTS = 3;
/** Twice the largest commit that there can be. */
const RESPONSE_BYTES_MAX = 8 * 1024 * 1024;
const PER_PAGE = 100;
const PAGES_MAX: number = VALIDATORS_MAX / PER_PAGE;
const RETRY_MS = 500;

// What CometBFT's and our own RPC say; there are no codes for it (tendermint#4740).
const TOO_HIGH = /height \d+ must be less than or equal to/;
const NOT_AVAILABLE = /height \d+ is not available/;

/** A provider over HTTP. Requests that get no answer are made again, a few times. */
export class HttpProvider implements LightProvider {
  readonly chainId: string;
  readonly name: string;
  readonly #rpc: JsonRpc;
  readonly #options: HttpProviderOptions;

  constructor(options: HttpProviderOptions) {
    const { chainId, url, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.chainId = chainId;
    this.name = url;
    this.#options = options;
    this.#rpc = new JsonRpc({
      url,
      timeoutMs,
      responseBytesMax: RESPONSE_BYTES_MAX,
      ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
    });
  }

  async lightBlock(height: bigint | undefined, signal?: AbortSignal): Promise<LightBlock> {
    const signed = await this.#signedHeader(height, signal);
    const { height: at, chainId } = signed.header;
    if (height !== undefined && at !== height)
      throw this.#error('light.bad_block', `it answers with block ${at}`, { height });
    if (chainId !== this.chainId)
      throw this.#error('light.bad_block', `its block is of chain ${chainId}, not ${this.chainId}`, {
        height: at,
      });
    const members = await this.#validators(at, signal);
    return this.#honest(at, () => checkLightBlock({ ...signed, validators: validatorSetOf(members) }));
  }

  async reportEvidence(evidence: LightClientAttackEvidence, signal?: AbortSignal): Promise<void> {
    await this.#rpc.call('broadcast_evidence', { evidence: evidenceJson(evidence) }, signal);
  }

  async #signedHeader(height: bigint | undefined, signal: AbortSignal | undefined): Promise<SignedHeader> {
    const params = height === undefined ? {} : { height: height.toString() };
    const answer = await this.#ask('commit', params, { height, signal });
    return this.#honest(height, () => {
      const signedHeader = answer.at('signed_header');
      // So answers a CometBFT node that is to begin above height 1 and has no block yet (cometbft#575).
      if (signedHeader.at('header').isEmpty || signedHeader.at('commit').isEmpty)
        throw this.#error('light.height_too_high', 'it has no block yet', { height });
      return readSignedHeader(signedHeader);
    });
  }

  async #validators(height: bigint, signal: AbortSignal | undefined): Promise<readonly Validator[]> {
    const members: Validator[] = [];
    for (let page = 1; page <= PAGES_MAX; page++) {
      const params = { height: height.toString(), page: page.toString(), per_page: PER_PAGE.toString() };
      const answer = await this.#ask('validators', params, { height, signal });
      const total = this.#honest(height, () => {
        const list = answer.at('validators').list(PER_PAGE).map(readValidator);
        if (list.length === 0) throw answer.at('validators').wrong('a page with validators');
        members.push(...list);
        return answer.at('total').int64();
      });
      if (BigInt(members.length) >= total) return members;
    }
    throw this.#error('light.bad_block', `it lists more than ${VALIDATORS_MAX} validators`, { height });
  }

  /** Asks again when there is no answer, later each time. */
  async #ask(
    method: string,
    params: Readonly<Record<string, string>>,
    { height, signal }: { readonly height: bigint | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<JsonField> {
    const { attempts = DEFAULT_ATTEMPTS, clock } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#rpc.call(method, params, signal);
      } catch (error) {
        const again = error instanceof LedgerError && error.code === 'light.unreachable';
        if (!again || attempt >= attempts || signal?.aborted === true) throw this.#translated(error, height);
        await clock.sleep(RETRY_MS * attempt * attempt, signal);
      }
    }
  }

  #translated(error: unknown, height: bigint | undefined): unknown {
    if (error instanceof JsonRpcError) {
      const { data, message } = error.rpc;
      const text = `${message} ${data}`;
      if (TOO_HIGH.test(text)) return this.#error('light.height_too_high', data, { height });
      if (NOT_AVAILABLE.test(text)) return this.#error('light.not_found', data, { height });
      return this.#error('light.no_response', text, { height, cause: error });
    }
    if (!(error instanceof LedgerError)) return error;
    const code = error.code === 'light.unreachable' ? 'light.no_response' : 'light.bad_block';
    // It names the node already.
    return new LedgerError(code, error.message, { provider: this.name, height }, error);
  }

  /** Turns what cannot be read or does not fit together into proof of bad faith. */
  #honest<T>(height: bigint | undefined, read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof LedgerError) || error.code.startsWith('light.')) throw error;
      throw this.#error('light.bad_block', error.message, { height, cause: error });
    }
  }

  #error(
    code: ProviderErrorCode,
    message: string,
    details: { readonly height: bigint | undefined; readonly cause?: unknown },
  ): LedgerError {
    return providerError(code, message, { provider: this.name, ...details });
  }
}
