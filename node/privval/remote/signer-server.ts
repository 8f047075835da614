/**
 * The signer's side: dials the node, answers what it asks for, and dials again for ever. What it signs is
 * guarded by the `PrivValidator` behind it; this side adds that it signs for one chain only.
 */
import { publicKeyToMessage } from '../../../consensus/types/public-key.ts';
import { isNilBlockId } from '../../../consensus/types/block-id.ts';
import { DecodeError, messageOf } from '../../../core/errors.ts';
import { Message, type Message as MessageValue } from '../../../proto/gen/tendermint/privval/types.ts';
import { PublicKey } from '../../../proto/gen/tendermint/crypto/keys.ts';
import type { ExtendingPrivValidator } from '../priv-validator.ts';
import type { ByteChannel } from './channel.ts';
import { type Deadlines, readDelimited, withDeadline } from './delimited.ts';
import {
  MESSAGE_BYTES_MAX,
  proposalToSignFrom,
  refusal,
  refusedProposalResponse,
  refusedVoteResponse,
  shortened,
  signedProposalResponse,
  signedVoteResponse,
  voteToSignFrom,
} from './messages.ts';

/** Nodes ping an idle connection every 3.3 s; one that is silent for longer than this is gone. */
const SILENCE_MAX_MS = 10_000;
const WRITE_MAX_MS = 5_000;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 2_000;

type Facts = Readonly<Record<string, unknown>>;

/** What a signer is made of. */
export interface SignerServerPorts {
  readonly signer: ExtendingPrivValidator;
  /** Connects, with handshake; has its own deadline. */
  readonly dial: () => Promise<ByteChannel>;
  readonly timers: Deadlines;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly log: {
    debug(facts: Facts, message: string): void;
    info(facts: Facts, message: string): void;
    warn(facts: Facts, message: string): void;
  };
}

/** Dials and serves until it is stopped. */
export class SignerServer {
  readonly #ports: SignerServerPorts;
  readonly #chainId: string;
  #stopped = false;
  #wake: () => void = () => undefined;
  #channel: ByteChannel | undefined;

  constructor(ports: SignerServerPorts, chainId: string) {
    this.#ports = ports;
    this.#chainId = chainId;
  }

  /** Resolves after `stop`. Never rejects: a node that is away or speaks nonsense is dialled again. */
  async run(): Promise<void> {
    const { dial, log } = this.#ports;
    let backoffMs = BACKOFF_FIRST_MS;
    let told: string | undefined;
    while (!this.#stopped) {
      try {
        const channel = await dial();
        this.#channel = channel;
        if (this.#stopped) break;
        log.info({}, 'connected to the node');
        told = undefined;
        await this.#serve(channel, () => {
          backoffMs = BACKOFF_FIRST_MS;
        });
      } catch (error) {
        const reason = messageOf(error);
        if (!this.#stopped && reason !== told)
          log.warn({ reason }, 'no connection to the node; dialling again');
        told = reason;
      }
      this.#channel?.destroy();
      await this.#pause(backoffMs * (0.5 + this.#ports.random()));
      backoffMs = Math.min(2 * backoffMs, BACKOFF_MAX_MS);
    }
    this.#channel?.destroy();
  }

  /** Ends `run` after the request that is under way. */
  stop(): void {
    this.#stopped = true;
    this.#channel?.destroy();
    this.#wake();
  }

  async #serve(channel: ByteChannel, onRequest: () => void): Promise<void> {
    const { timers } = this.#ports;
    while (!this.#stopped) {
      const silence = { channel, timers, timeoutMs: SILENCE_MAX_MS };
      const request = await withDeadline(silence, 'the next request', () =>
        readDelimited(channel, Message, MESSAGE_BYTES_MAX),
      );
      const answer = await this.#answer(request);
      await withDeadline({ channel, timers, timeoutMs: WRITE_MAX_MS }, 'sending an answer', () =>
        channel.write(Message.encodeDelimited(answer)),
      );
      onRequest();
    }
  }

  async #answer(request: MessageValue): Promise<MessageValue> {
    if (request.pingRequest !== undefined) return Message.create({ pingResponse: {} });
    if (request.pubKeyRequest !== undefined) return this.#publicKey(request.pubKeyRequest.chainId);
    if (request.signVoteRequest !== undefined) return this.#vote(request.signVoteRequest);
    if (request.signProposalRequest !== undefined) return this.#proposal(request.signProposalRequest);
    throw new DecodeError('the node sent no request that a signer knows');
  }

  #publicKey(chainId: string): MessageValue {
    if (this.#isOtherChain(chainId, 'public key')) {
      const error = refusal(this.#otherChain('provide the public key'));
      return Message.create({ pubKeyResponse: { pubKey: PublicKey.create(), error } });
    }
    const pubKey = publicKeyToMessage(this.#ports.signer.publicKey);
    return Message.create({ pubKeyResponse: { pubKey, error: undefined } });
  }

  async #vote({ vote, chainId }: NonNullable<MessageValue['signVoteRequest']>): Promise<MessageValue> {
    if (this.#isOtherChain(chainId, 'vote')) return refusedVoteResponse(this.#otherChain('sign the vote'));
    try {
      const { vote: toSign, extension } = voteToSignFrom(vote);
      const signed = await this.#ports.signer.signVote(chainId, toSign);
      this.#signed(toSign.type, toSign);
      if (toSign.type === 'prevote' || isNilBlockId(toSign.blockId)) return signedVoteResponse(signed);
      const { height, round } = toSign;
      const extensionSignature = this.#ports.signer.signVoteExtension(chainId, { height, round, extension });
      return signedVoteResponse({ ...signed, extension, extensionSignature });
    } catch (error) {
      return refusedVoteResponse(this.#refused('vote', error));
    }
  }

  async #proposal({
    proposal,
    chainId,
  }: NonNullable<MessageValue['signProposalRequest']>): Promise<MessageValue> {
    if (this.#isOtherChain(chainId, 'proposal')) {
      return refusedProposalResponse(this.#otherChain('sign the proposal'));
    }
    try {
      const toSign = proposalToSignFrom(proposal);
      const signed = await this.#ports.signer.signProposal(chainId, toSign);
      this.#signed('proposal', toSign);
      return signedProposalResponse(signed);
    } catch (error) {
      return refusedProposalResponse(this.#refused('proposal', error));
    }
  }

  #signed(what: string, { height, round }: { readonly height: bigint; readonly round: number }): void {
    this.#ports.log.debug({ height, round }, `signed a ${what}`);
  }

  #refused(what: string, error: unknown): string {
    const reason = messageOf(error);
    this.#ports.log.warn({ reason }, `refused to sign a ${what}`);
    return reason;
  }

  #isOtherChain(chainId: string, what: string): boolean {
    if (chainId === this.#chainId) return false;
    const facts = { asked: shortened(chainId), ours: this.#chainId };
    this.#ports.log.warn(facts, `refused a ${what} for another chain`);
    return true;
  }

  #otherChain(what: string): string {
    return `unable to ${what}: this signer signs for ${this.#chainId} only`;
  }

  #pause(delayMs: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#ports.timers.after(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
