/**
 * What a share of a validator is worth falls by slashes alone. Every other rounding leaves the difference to
 * those who stay, so the worth of a share never goes down when others come and go.
 */
import type { Composition } from '../../app/modules.ts';
import { toHex } from '../../core/bytes.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';

/** Tokens and shares of a validator; shares in units of 10^-18. */
interface Rate {
  readonly tokens: bigint;
  readonly shares: bigint;
}

/** Tokens by which rounding to the 18th place may err in a block: far less than what a wrong way costs. */
const SLACK_ONE_IN = 1_000_000n;

/** Remembers the rates of the last block. */
export class ExchangeRates {
  #before: ReadonlyMap<string, Rate> = new Map();

  /** What is wrong after a block. */
  problems(
    { staking }: Pick<Composition, 'staking'>,
    context: ReadContext,
    results: ResponseFinalizeBlock,
  ): readonly string[] {
    const before = this.#before;
    this.#before = new Map(
      [...staking.validators(context)].map(({ operator, tokens, shares }) => [
        toHex(operator),
        { tokens, shares: shares.units },
      ]),
    );
    if (hasEvent(results, 'slash') || hasEvent(results, 'create_validator')) return [];
    return [...this.#before].flatMap(([operator, now]) => {
      const then = before.get(operator);
      return then === undefined || !hasFallen(then, now)
        ? []
        : [`a share of ${operator} is worth less: ${textOf(then)} became ${textOf(now)}`];
    });
  }
}

function hasFallen(then: Rate, now: Rate): boolean {
  if (now.shares === 0n) return false;
  return then.tokens * now.shares - now.tokens * then.shares > then.shares / SLACK_ONE_IN;
}

function textOf({ tokens, shares }: Rate): string {
  return `${tokens} tokens for ${shares} units of shares`;
}

function hasEvent({ events, txResults }: ResponseFinalizeBlock, name: string): boolean {
  return [...events, ...txResults.flatMap((result) => result.events)].some(({ type }) => type === name);
}
