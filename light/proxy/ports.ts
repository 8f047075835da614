import { LedgerError } from '../../core/errors.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import type { LightClient } from '../client.ts';
import type { JsonField } from '../json/field.ts';
import type { Json } from '../json/json.ts';
import type { LightClock } from '../ports.ts';

/** A node's RPC: `JsonRpc`. */
export interface Rpc {
  call(method: string, params: Readonly<Record<string, unknown>>): Promise<JsonField>;
}

/** What the proxy is made of. */
export interface ProxyPorts {
  readonly client: Pick<LightClient, 'chainId' | 'lightBlock' | 'latest'>;
  /** The RPC of the node that is the primary now. */
  readonly rpc: () => Rpc;
  readonly clock: LightClock;
  /** Whether answers about the chain that nothing can prove are passed on. Default: they are refused. */
  readonly passUnverified: boolean;
}

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, Json>>;

/** How often and how long the header after a block is waited for: what a block does is in the next one. */
const NEXT_HEADER_ATTEMPTS = 20;
const NEXT_HEADER_WAIT_MS = 500;

/** The verified block of a height, or the latest one. */
export function blockAt({ client }: ProxyPorts, height: bigint | undefined): Promise<LightBlock> {
  return height === undefined ? client.latest() : client.lightBlock(height);
}

/**
 * The verified block after a height, waited for when the chain is not there yet.
 * @throws LedgerError `light.height_too_high` when it does not come within ten seconds
 */
export async function blockAfter({ client, clock }: ProxyPorts, height: bigint): Promise<LightBlock> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.lightBlock(height + 1n);
    } catch (error) {
      const isAhead = error instanceof LedgerError && error.code === 'light.height_too_high';
      if (!isAhead || attempt >= NEXT_HEADER_ATTEMPTS) throw error;
    }
    await clock.sleep(NEXT_HEADER_WAIT_MS);
  }
}

/** What to throw when an answer contradicts a verified header. */
export function lie(what: string, facts: Readonly<Record<string, unknown>> = {}): LedgerError {
  return new LedgerError('light.lie', `the primary's answer is refused: ${what}`, facts);
}
