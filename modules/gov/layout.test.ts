/** The bytes of the store, held against those of the SDK: see test/vectors/gov. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { toHex } from '../../core/bytes.ts';
import { AddressCodec, moduleAddress } from '../../framework/address.ts';
import { memoryContext } from '../../framework/testing/memory.ts';
import type { Proposal } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { MsgExecLegacyContent } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { TextProposal } from '../../proto/gen/cosmos/gov/v1beta1/gov.ts';
import { anyOf } from '../../test/support/test-chain.ts';
import { DEFAULT_PARAMS } from './params.ts';
import { govState } from './state.ts';
import { EMPTY_TALLY } from './tally.ts';
import { singleOption } from './votes.ts';

const vectors: readonly (readonly [string, string])[] = JSON.parse(
  readFileSync(new URL('../../test/vectors/gov/layout.json', import.meta.url), 'utf8'),
);

const ADDRESS = Uint8Array.from({ length: 20 }, (_, i) => 1 + i);
const NOW = { seconds: 1_700_000_000n, nanos: 5 };
const LATER = { seconds: 1_700_003_600n, nanos: 5 };
const COINS = [{ denom: 'uopen', amount: '1000' }];

it('the store of governance is that of the SDK, byte for byte', () => {
  const codec = new AddressCodec('open');
  const [proposer, authority] = [codec.toText(ADDRESS), codec.toText(moduleAddress('gov'))];
  const state = govState();
  const context = memoryContext(['gov']);
  const content = anyOf(TextProposal, { title: 't', description: 'd' });
  const waiting: Proposal = {
    id: 5n,
    messages: [anyOf(MsgExecLegacyContent, { content, authority })],
    status: 1,
    finalTallyResult: EMPTY_TALLY,
    submitTime: NOW,
    depositEndTime: LATER,
    totalDeposit: [],
    votingStartTime: undefined,
    votingEndTime: undefined,
    metadata: 'meta',
    title: 'title',
    summary: 'summary',
    proposer,
    expedited: true,
    failedReason: '',
  };
  const votingEndTime = { seconds: NOW.seconds + 172_800n, nanos: 5 };
  const voted: Proposal = {
    ...waiting,
    id: 6n,
    messages: [],
    status: 2,
    totalDeposit: COINS,
    votingStartTime: NOW,
    votingEndTime,
    expedited: false,
  };
  state.proposals.set(context, 5n, waiting);
  state.proposals.set(context, 6n, voted);
  state.activeQueue.set(context, [votingEndTime, 6n], 6n);
  state.inactiveQueue.set(context, [LATER, 5n], 5n);
  state.proposalId.set(context, 7n);
  state.votingPeriod.set(context, 6n, Uint8Array.of(1));
  state.deposits.set(context, [6n, ADDRESS], { proposalId: 6n, depositor: proposer, amount: COINS });
  const options = singleOption(4);
  state.votes.set(context, [6n, ADDRESS], { proposalId: 6n, voter: proposer, options, metadata: 'why' });
  state.params.set(context, DEFAULT_PARAMS);
  state.constitution.set(context, 'law');
  const pairs = [...context.store('gov').iterate({})].map(([key, value]) => [toHex(key), toHex(value)]);
  expect(pairs).toEqual(vectors);
});
