/** What a gateway serves over HTTP (`gateway/epochs/routes.ts`), in bounds: it may be an enemy. */
import { DecodeError, LedgerError } from '../../core/errors.ts';
import { EpochOpening } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { ask, type Asker, type AskLimits, systemTimers, type Timers } from '../../watch/asking.ts';
import { bodyOf, httpBase } from '../../watch/http-body.ts';
import { answerBytesMax, epochPath, type EpochRoute, type TreeName } from '../epochs/routes.ts';
import type { EpochSource, EpochSources } from './ports.ts';

/** Opens endpoints. One that is no http or https URI serves nothing. */
export function httpSources(limits: AskLimits, timers: Timers = systemTimers): EpochSources {
  return (endpoint, signal = new AbortController().signal) =>
    new HttpSource(endpoint, { limits, timers, signal });
}

class HttpSource implements EpochSource {
  readonly #base: string | undefined;
  readonly #asker: Asker;

  constructor(endpoint: string, asker: Asker) {
    this.#base = httpBase(endpoint);
    this.#asker = asker;
  }

  async leaves(
    epochId: bigint,
    tree: TreeName,
    { from, count }: { readonly from: number; readonly count: number },
  ): Promise<EpochOpening | undefined> {
    const bytes = await this.#get({ kind: 'leaves', epochId, tree, from, count });
    try {
      return bytes && EpochOpening.decode(bytes);
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  attribution(epochId: bigint, hash: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#get({ kind: 'attribution', epochId, hash });
  }

  async #get(route: EpochRoute): Promise<Uint8Array | undefined> {
    if (this.#base === undefined) return undefined;
    const read = async (response: Response): Promise<Uint8Array | undefined> => {
      if (response.status === 200) return await bodyOf(response, answerBytesMax(route));
      await response.body?.cancel();
      return undefined;
    };
    try {
      return await ask({ url: `${this.#base}${epochPath(route)}`, redirect: 'error', read }, this.#asker);
    } catch (error) {
      // Whoever does not answer serves nothing: the caller asks the chain.
      if (error instanceof LedgerError) return undefined;
      throw error;
    }
  }
}
