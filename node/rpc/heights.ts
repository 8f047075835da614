/** Heights and pages that callers ask for, checked as CometBFT checks them (`rpc/core/env.go`). */
import { LedgerError } from '../../core/errors.ts';
import { PER_PAGE_DEFAULT, PER_PAGE_MAX } from './config.ts';
import type { RpcPorts } from './ports.ts';

/**
 * The height that was asked for, or the latest.
 * @throws LedgerError `rpc.height` when it is not stored
 */
export function heightOrLatest(
  ports: Pick<RpcPorts, 'blocks'>,
  latest: bigint,
  asked: bigint | undefined,
): bigint {
  if (asked === undefined) return latest;
  if (asked <= 0n) throw heightError(`height must be greater than 0, but got ${asked}`);
  if (asked > latest) {
    throw heightError(
      `height ${asked} must be less than or equal to the current blockchain height ${latest}`,
    );
  }
  const { base } = ports.blocks.range();
  if (asked < base) throw heightError(`height ${asked} is not available, lowest height is ${base}`);
  return asked;
}

/** The last height for which validators and parameters are known. */
export function latestUncommittedHeight(ports: Pick<RpcPorts, 'blocks' | 'status'>): bigint {
  const { height } = ports.blocks.range();
  return ports.status.catchingUp() ? height : height + 1n;
}

function heightError(message: string): LedgerError {
  return new LedgerError('rpc.height', message);
}

/** Items per page: 30 when nothing sensible is said, 100 at most. */
export function perPageOf(asked: number | undefined): number {
  if (asked === undefined || asked < 1) return PER_PAGE_DEFAULT;
  return Math.min(asked, PER_PAGE_MAX);
}

/**
 * The part of a list that a page is.
 * @throws LedgerError `rpc.page` when there is no such page
 */
export function pageBounds(
  total: number,
  asked: { readonly page: number | undefined; readonly perPage: number | undefined },
): { readonly skip: number; readonly take: number } {
  const perPage = perPageOf(asked.perPage);
  const pages = Math.max(1, Math.ceil(total / perPage));
  const page = asked.page ?? 1;
  if (page <= 0 || page > pages) {
    throw new LedgerError('rpc.page', `page should be within [1, ${pages}] range, given ${page}`);
  }
  const skip = (page - 1) * perPage;
  return { skip, take: Math.min(perPage, total - skip) };
}
