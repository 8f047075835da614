/** A node's RPC over a made-up chain, as a `fetch`. */
import { defined } from '../../core/errors.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import { commitJson, headerJson, validatorJson } from '../json/print.ts';
import type { Json } from '../json/json.ts';
import type { Fetch } from '../json-rpc.ts';

/** What a call is answered with: a result, a thrown RpcFailure, or whatever response is made. */
export type Handler = (params: Readonly<Record<string, unknown>>) => Json | Response;

/** An answer that is an error. */
export class RpcFailure extends Error {}

/** Answers `commit` and `validators` of a chain; handlers go before. */
export function testRpc(
  chain: readonly LightBlock[],
  handlers: Readonly<Record<string, Handler>> = {},
): { readonly fetch: Fetch; readonly calls: string[] } {
  const calls: string[] = [];
  const own: Readonly<Record<string, Handler>> = {
    commit: ({ height }) => {
      const { header, commit } = blockAt(chain, height);
      return { signed_header: { header: headerJson(header), commit: commitJson(commit) }, canonical: true };
    },
    validators: ({ height, page, per_page }) => {
      const { validators } = blockAt(chain, height).validators;
      const skip = (Number(page) - 1) * Number(per_page);
      const list = validators.slice(skip, skip + Number(per_page));
      return {
        block_height: String(height),
        validators: list.map(validatorJson),
        count: String(list.length),
        total: String(validators.length),
      };
    },
    ...handlers,
  };
  const answer = (text: string): Response => {
    const { id, method, params } = JSON.parse(text) as {
      id: number;
      method: string;
      params: Record<string, unknown>;
    };
    calls.push(method);
    try {
      const result = defined(own[method], method)(params);
      return result instanceof Response ? result : Response.json({ jsonrpc: '2.0', id, result });
    } catch (error) {
      if (!(error instanceof RpcFailure)) throw error;
      return Response.json({
        jsonrpc: '2.0',
        id,
        error: { code: -32603, message: 'Internal error', data: error.message },
      });
    }
  };
  return {
    calls,
    fetch: (_, init) => new Promise((resolve) => resolve(answer(String(init?.body)))),
  };
}

function blockAt(chain: readonly LightBlock[], height: unknown): LightBlock {
  const last = defined(chain.at(-1), 'a block');
  const block = height === undefined ? last : chain.find((each) => String(each.header.height) === height);
  if (block !== undefined) return block;
  const tooHigh = Number(height) > Number(last.header.height);
  throw new RpcFailure(
    tooHigh
      ? `height ${String(height)} must be less than or equal to the current blockchain height ${last.header.height}`
      : `height ${String(height)} is not available, lowest height is ${defined(chain[0], 'a block').header.height}`,
  );
}
