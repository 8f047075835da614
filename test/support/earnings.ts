/** What accounts have earned: what they hold, and what they could claim of pools. */
import {
  QueryCreditsRequest,
  QueryCreditsResponse,
  QuerySlotsByOwnerRequest,
  QuerySlotsByOwnerResponse,
} from '../../proto/gen/openledger/pools/v1/query.ts';
import { poolState } from '../../modules/pools/state.ts';
import type { TestChain } from './test-chain.ts';

const POOLS = poolState();

/** Whole units that an account could claim of its slots. */
export function claimableOf(chain: TestChain, owner: string, denom = 'uopen'): bigint {
  const types = { request: QuerySlotsByOwnerRequest, response: QuerySlotsByOwnerResponse };
  const pagination = { key: new Uint8Array(0), offset: 0n, limit: 1_000n, countTotal: false, reverse: false };
  const { slots } = chain.query('/openledger.pools.v1.Query/SlotsByOwner', types, { owner, pagination });
  return slots
    .flatMap(({ claimable }) => claimable)
    .filter((coin) => coin.denom === denom)
    .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

/** Its balance, and what it could claim. */
export function wealthOf(chain: TestChain, address: string, denom = 'uopen'): bigint {
  return chain.balance(address, denom) + claimableOf(chain, address, denom);
}

/** Numbers of the rows of an epoch that pools were paid for, in that order. */
export function rowsPaid(chain: TestChain, epochId: bigint): readonly number[] {
  const credits = [...POOLS.credits.iterate(chain.app.contextAt(chain.app.height))];
  return credits.filter(([, credit]) => credit.epochId === epochId).map(([, { epochRow }]) => epochRow);
}

/** What a slot of a Datanet was paid by itself. */
export function creditedTo(chain: TestChain, datanetId: bigint, slot: bigint, denom = 'uopen'): bigint {
  const types = { request: QueryCreditsRequest, response: QueryCreditsResponse };
  const node = { kind: 1, subject: datanetId, level: 0, index: slot, denom };
  const { credits } = chain.query('/openledger.pools.v1.Query/Credits', types, node);
  return credits.reduce((sum, { amount }) => sum + BigInt(amount.amount), 0n);
}
