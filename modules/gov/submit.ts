/** What may be proposed, and how. After x/gov `keeper/msg_server.go` and `keeper/proposal.go`. */
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { messageOf } from '../../core/errors.ts';
import { type Address, moduleAddress } from '../../framework/address.ts';
import { type Coins, coinsCover, coinsToString, parseCoins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import { KV_GAS } from '../../framework/gas.ts';
import type { BoundMessage } from '../../framework/message.ts';
import { repack } from '../../framework/repack.ts';
import { Proposal } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import type { MsgSubmitProposal } from '../../proto/gen/cosmos/gov/v1/tx.ts';
import { addDeposit, planDeposit, requireAcceptedDenoms } from './deposits.ts';
import { govErrors } from './errors.ts';
import { votingStarted } from './events.ts';
import { CONTENT_ROUTES } from './legacy.ts';
import { checkMetadata } from './metadata.ts';
import { minDepositOf } from './params.ts';
import type { GovCore } from './ports.ts';
import { createProposal, type ProposalDraft } from './proposals.ts';
import { STORE_NAME } from './state.ts';

/** Longest metadata and title, in bytes of UTF-8 (SDK `DefaultConfig`). */
export const METADATA_BYTES_MAX = 255;

/** Longest summary. */
const SUMMARY_BYTES_MAX = 40 * METADATA_BYTES_MAX;

const GOV_ADDRESS = moduleAddress(STORE_NAME);

/** A proposal that may be made. */
export interface SubmitPlan {
  readonly proposer: Address;
  readonly deposit: Coins;
  readonly draft: ProposalDraft;
}

/**
 * Looks at a proposal without state.
 * @throws StateError (sdk 7, 10, 18; gov 5, 10, 11, 12, 13, 15, 22)
 */
export function planSubmit(k: GovCore, message: MsgSubmitProposal): SubmitPlan {
  const { title, summary, metadata, messages, expedited } = message;
  if (title === '') throw new StateError(sdkErrors.invalidRequest, 'proposal title cannot be empty');
  if (summary === '') throw new StateError(sdkErrors.invalidRequest, 'proposal summary cannot be empty');
  const proposer = accountOf(k, message.proposer, 'proposer');
  if (messages.length === 0 && metadata === '')
    throw new StateError(govErrors.noProposalMsgs, 'either metadata or Msgs length must be non-nil');
  if (bytesOf(metadata) <= METADATA_BYTES_MAX) checkMetadata(message);
  const bound = messages.map(({ typeUrl, value }) => k.router().require(typeUrl).bind(value, k.addresses));
  const deposit = parseCoins(message.initialDeposit);
  requireLength(metadata);
  if (bytesOf(summary) > SUMMARY_BYTES_MAX)
    throw new StateError(govErrors.summaryTooLong, `got summary with length ${bytesOf(summary)}`);
  requireLength(title);
  for (const one of bound) requireOwn(k, one);
  // The SDK stores what it decoded, packed anew: numbers that were left out are zeros from here on.
  const stored = bound.map(({ route, value }) => repack(route.type, value));
  const names = { metadata, title, summary, proposer: message.proposer.toLowerCase() };
  const draft = { ...names, messages: stored, expedited };
  return { proposer, deposit, draft };
}

/** @throws StateError (sdk 7) */
export function accountOf({ addresses }: GovCore, text: string, role: string): Address {
  try {
    return addresses.toBytes(text);
  } catch (error) {
    throw new StateError(sdkErrors.invalidAddress, `invalid ${role} address: ${messageOf(error)}`);
  }
}

function bytesOf(text: string): number {
  return utf8(text).length;
}

/** Metadata and title. @throws StateError (gov 15) */
export function requireLength(text: string): void {
  const length = bytesOf(text);
  if (length > METADATA_BYTES_MAX)
    throw new StateError(govErrors.metadataTooLong, `got metadata with length ${length}`);
}

/** A message that governance itself signs, and nobody else. */
function requireOwn({ addresses }: GovCore, message: BoundMessage): void {
  try {
    message.validate();
  } catch (error) {
    throw new StateError(govErrors.invalidProposalMsg, messageOf(error));
  }
  const [signer] = message.signers;
  if (signer === undefined || message.signers.length !== 1) throw new StateError(govErrors.invalidSigner);
  if (!equalBytes(signer, GOV_ADDRESS))
    throw new StateError(govErrors.invalidSigner, addresses.toText(signer));
}

/**
 * Looks at a proposal's deposit.
 * @throws StateError (gov 16, 23)
 */
export function checkSubmit(k: GovCore, context: ReadContext, { draft, deposit }: SubmitPlan): void {
  const params = k.state.params.require(context);
  const ratio = Decimal.ofText(params.minInitialDepositRatio);
  if (ratio.sign !== 0) {
    const least = minDepositOf(draft, params).map(({ denom, amount }) => ({
      denom,
      amount: Decimal.ofInteger(amount).multiply(ratio).round(),
    }));
    if (!coinsCover(deposit, least))
      throw new StateError(
        govErrors.minDepositTooSmall,
        `was (${coinsToString(deposit)}), need (${coinsToString(least)})`,
      );
  }
  requireAcceptedDenoms(params, deposit);
}

/**
 * Makes a proposal with its first deposit.
 * @returns its number
 * @throws StateError as `planDeposit`, (sdk 5) when the proposer has too little
 */
export function submit(k: GovCore, context: Context, { proposer, deposit, draft }: SubmitPlan): bigint {
  for (const { typeUrl, value } of draft.messages) {
    // The SDK looks its own account up for each message; it costs gas.
    k.accounts.find(context, GOV_ADDRESS);
    CONTENT_ROUTES.tryOut({ typeUrl, value });
  }
  const proposal = createProposal(k, context, draft);
  context.gas.consume(3 * KV_GAS.writePerByte * Proposal.encode(proposal).length, 'submit proposal');
  const order = { proposalId: proposal.id, depositor: proposer, coins: deposit };
  const begins = addDeposit(k, context, planDeposit(k, context, order));
  if (begins) context.emit(votingStarted('submit_proposal', proposal.id));
  return proposal.id;
}
