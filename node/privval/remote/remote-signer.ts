/**
 * The node's side of a signer in another process (CometBFT's SignerListenerEndpoint and RetrySignerClient in
 * one): the node listens, the signer dials, and one connection at a time serves.
 *
 *     no connection ── handshake, public key is the known one ──▶ serving ── error, timeout, end ──▶ no
 *     connection
 *     serving: another connection is closed; requests go out one at a time; a ping when nothing else does
 *
 * A request whose connection breaks is asked again on the next one: the signer answers what it has signed
 * with the same signature. It is given up when `PENDING_MAX` newer ones wait, or when the node stops; unlike
 * CometBFT's client not after a time, so that a chain whose signers were all away goes on when they return.
 */
import {
  addressOf,
  publicKeyFromMessage,
  type VerifySignature,
} from '../../../consensus/types/public-key.ts';
import { type Proposal, proposalFromMessage } from '../../../consensus/types/proposal.ts';
import { proposalSignBytes, voteSignBytes } from '../../../consensus/types/sign-bytes.ts';
import type { PublicKey } from '../../../consensus/types/validator.ts';
import { type Vote, voteFromMessage } from '../../../consensus/types/vote.ts';
import { EMPTY_BYTES, equalBytes, toUpperHex } from '../../../core/bytes.ts';
import { defined, LedgerError, messageOf } from '../../../core/errors.ts';
import { Message, type RemoteSignerError } from '../../../proto/gen/tendermint/privval/types.ts';
import type { PrivValidator, ProposalToSign, VoteToSign } from '../priv-validator.ts';
import { formatSignerAddress, type SignerAddress } from './address.ts';
import type { ByteChannel } from './channel.ts';
import { readDelimited, withDeadline } from './delimited.ts';
import { MESSAGE_BYTES_MAX, shortened, signProposalRequest, signVoteRequest } from './messages.ts';
import { type ListenerPorts, SignerListener } from './signer-listener.ts';

/** Requests that wait for a signer; the oldest is given up when one more comes. */
const PENDING_MAX = 8;

/** Times of CometBFT's endpoint, but for the first wait, which is 3 s there. */
export const DEFAULT_SIGNER_TIMES: SignerTimes = { startMs: 10_000, answerMs: 5_000, pingMs: 3_333 };

/** How long things may take. */
export interface SignerTimes {
  /** Until a signer has connected when the node starts. */
  readonly startMs: number;
  /** A handshake, or a request and its answer. */
  readonly answerMs: number;
  /** Pause after which an idle connection is tried; a stock signer hangs up after 5 s of silence. */
  readonly pingMs: number;
}

/** What a remote signer needs of the node. */
export interface RemoteSignerPorts extends Omit<ListenerPorts, 'onChannel' | 'log'> {
  readonly verify: VerifySignature;
  readonly log: ListenerPorts['log'] & {
    info(facts: Readonly<Record<string, unknown>>, message: string): void;
  };
}

/** Where it waits and for which chain. */
export interface RemoteSignerOptions {
  readonly address: SignerAddress;
  readonly chainId: string;
  readonly times?: SignerTimes;
}

interface Pending {
  readonly request: Message;
  readonly resolve: (answer: Message) => void;
  readonly reject: (error: unknown) => void;
}

/** A signer in another process. */
export class RemoteSigner implements PrivValidator {
  readonly #ports: RemoteSignerPorts;
  readonly #chainId: string;
  readonly #times: SignerTimes;
  readonly #pending: Pending[] = [];
  #listener: SignerListener | undefined;
  #publicKey: PublicKey | undefined;
  #channel: ByteChannel | undefined;
  #busy = false;
  #closed = false;
  #cancelPing: () => void = () => undefined;
  /** Why the last connection was not taken: what to tell when none comes in time. */
  #lastReason: string | undefined;
  #onFirst: () => void = () => undefined;

  private constructor(ports: RemoteSignerPorts, options: RemoteSignerOptions) {
    this.#ports = ports;
    this.#chainId = options.chainId;
    this.#times = options.times ?? DEFAULT_SIGNER_TIMES;
  }

  /**
   * Listens. Nothing else of it may be used before `connected` resolves.
   * @throws LedgerError `privval.listen`
   */
  static async listen(ports: RemoteSignerPorts, options: RemoteSignerOptions): Promise<RemoteSigner> {
    const signer = new RemoteSigner(ports, options);
    signer.#listener = await SignerListener.open(
      { ...ports, onChannel: (channel) => signer.#take(channel) },
      { address: options.address, handshakeTimeoutMs: signer.#times.answerMs },
    );
    ports.log.info({ address: formatSignerAddress(signer.listensAt) }, 'waiting for the signer');
    return signer;
  }

  /**
   * Resolves once a signer has connected and named its public key.
   * @throws LedgerError `privval.no_signer` when none has in time
   */
  async connected(): Promise<void> {
    const { startMs } = this.#times;
    const inTime = await new Promise<boolean>((resolve) => {
      if (this.#publicKey !== undefined) resolve(true);
      const cancel = this.#ports.timers.after(startMs, () => resolve(false));
      this.#onFirst = () => {
        cancel();
        resolve(true);
      };
    });
    if (inTime) return;
    const where = formatSignerAddress(this.listensAt);
    const tried = this.#lastReason === undefined ? '' : ` (the last that tried: ${this.#lastReason})`;
    throw new LedgerError(
      'privval.no_signer',
      `no signer connected to ${where} within ${startMs / 1000} s${tried}. Start it where the key is: openledgerd signer ` +
        `--address ${where} --chain-id ${this.#chainId}; or empty priv_validator_laddr in config.toml`,
      { address: where },
    );
  }

  get publicKey(): PublicKey {
    return defined(this.#publicKey, 'signer: it has not connected yet');
  }

  get address(): Uint8Array {
    return addressOf(this.publicKey);
  }

  /** Where it listens, with the port that it got. */
  get listensAt(): SignerAddress {
    return defined(this.#listener, 'listener').address;
  }

  /** @throws LedgerError `privval.refused` with the signer's reason, `privval.gave_up` */
  async signVote(chainId: string, vote: VoteToSign): Promise<Vote> {
    const { signedVoteResponse } = await this.#ask(signVoteRequest(chainId, vote));
    if (signedVoteResponse === undefined) throw unexpected();
    throwRefusal(signedVoteResponse.error);
    const given = { ...signedVoteResponse.vote, extension: EMPTY_BYTES, extensionSignature: EMPTY_BYTES };
    const signed = checked(() => voteFromMessage(given));
    const answer: Vote = { ...given, ...vote, timestamp: signed.timestamp };
    // Everything but the time is what we asked for; the signature then shows whether it is over that.
    this.#checkSignature(voteSignBytes(chainId, answer), signed.signature);
    return answer;
  }

  /** @throws LedgerError `privval.refused` with the signer's reason, `privval.gave_up` */
  async signProposal(chainId: string, proposal: ProposalToSign): Promise<Proposal> {
    const { signedProposalResponse } = await this.#ask(signProposalRequest(chainId, proposal));
    if (signedProposalResponse === undefined) throw unexpected();
    throwRefusal(signedProposalResponse.error);
    const { timestamp, signature } = checked(() => proposalFromMessage(signedProposalResponse.proposal));
    const answer: Proposal = { ...proposal, timestamp, signature };
    this.#checkSignature(proposalSignBytes(chainId, answer), signature);
    return answer;
  }

  /** Gives up what waits and closes the door. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPing();
    this.#channel?.destroy();
    for (const { reject } of this.#pending.splice(0)) reject(gaveUp('the node stops'));
    await this.#listener?.close();
  }

  #checkSignature(message: Uint8Array, signature: Uint8Array): void {
    if (this.#ports.verify(this.publicKey, message, signature)) return;
    throw new LedgerError(
      'privval.refused',
      'the signer answered with a signature that is not over what was asked',
    );
  }

  #ask(request: Message): Promise<Message> {
    if (this.#closed) return Promise.reject(gaveUp('the node stops'));
    return new Promise((resolve, reject) => {
      this.#pending.push({ request, resolve, reject });
      if (this.#pending.length > PENDING_MAX) {
        // The first may be under way; then the one behind it is the oldest that waits.
        const [oldest] = this.#pending.splice(this.#busy ? 1 : 0, 1);
        oldest?.reject(gaveUp('newer requests wait for the signer'));
      }
      void this.#serve();
    });
  }

  /** Sends what waits, one after another, as long as there is a connection. */
  async #serve(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    this.#cancelPing();
    try {
      for (;;) {
        const [next] = this.#pending;
        const channel = this.#channel;
        if (next === undefined || channel === undefined) break;
        const answer = await this.#exchange(channel, next.request);
        if (answer === undefined || this.#pending[0] !== next) continue; // asked again, or given up meanwhile
        this.#pending.shift();
        next.resolve(answer);
      }
    } finally {
      this.#busy = false;
    }
    this.#schedulePing();
  }

  /** One request and its answer; undefined when the connection was lost over it. */
  async #exchange(channel: ByteChannel, request: Message): Promise<Message | undefined> {
    try {
      return await this.#roundTrip(channel, request);
    } catch (error) {
      this.#drop(channel, messageOf(error));
      return undefined;
    }
  }

  #roundTrip(channel: ByteChannel, request: Message): Promise<Message> {
    const { timers } = this.#ports;
    return withDeadline({ channel, timers, timeoutMs: this.#times.answerMs }, 'the answer', async () => {
      await channel.write(Message.encodeDelimited(request));
      return readDelimited(channel, Message, MESSAGE_BYTES_MAX);
    });
  }

  #schedulePing(): void {
    this.#cancelPing();
    if (this.#channel === undefined || this.#closed) return;
    this.#cancelPing = this.#ports.timers.after(this.#times.pingMs, () => void this.#ping());
  }

  async #ping(): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined || this.#busy) return;
    this.#busy = true;
    const answer = await this.#exchange(channel, Message.create({ pingRequest: {} }));
    this.#busy = false;
    if (answer !== undefined && answer.pingResponse === undefined) {
      this.#drop(channel, 'it did not answer a ping with a pong');
    }
    await this.#serve();
  }

  /** A connection that is through the handshake: serves if none does and its key is the known one. */
  async #take(channel: ByteChannel): Promise<void> {
    try {
      if (this.#channel !== undefined) {
        throw new LedgerError('privval.second_signer', 'a signer is connected already; only one is served');
      }
      const publicKey = await this.#askPublicKey(channel);
      if (this.#channel !== undefined || this.#closed) {
        throw new LedgerError('privval.second_signer', 'a signer is connected already; only one is served');
      }
      const known = this.#publicKey;
      if (
        known !== undefined &&
        !(known.type === publicKey.type && equalBytes(known.bytes, publicKey.bytes))
      ) {
        throw new LedgerError(
          'privval.other_key',
          `the signer holds the key of ${toUpperHex(addressOf(publicKey))}, this node is ${toUpperHex(this.address)}`,
        );
      }
      this.#publicKey = publicKey;
    } catch (error) {
      this.#lastReason = messageOf(error);
      throw error;
    }
    this.#channel = channel;
    void channel.ended.then(() => this.#drop(channel, 'the connection ended'));
    this.#ports.log.info({ validator: toUpperHex(this.address) }, 'the signer is connected');
    this.#onFirst();
    void this.#serve();
  }

  async #askPublicKey(channel: ByteChannel): Promise<PublicKey> {
    const request = Message.create({ pubKeyRequest: { chainId: this.#chainId } });
    const { pubKeyResponse } = await this.#roundTrip(channel, request);
    if (pubKeyResponse === undefined) throw unexpected();
    throwRefusal(pubKeyResponse.error);
    return publicKeyFromMessage(pubKeyResponse.pubKey);
  }

  #drop(channel: ByteChannel, reason: string): void {
    channel.destroy();
    if (this.#channel !== channel) return;
    this.#channel = undefined;
    this.#cancelPing();
    if (!this.#closed)
      this.#ports.log.warn({ reason }, 'the signer is gone; waiting for it to connect again');
  }
}

function throwRefusal(error: RemoteSignerError | undefined): void {
  if (error === undefined) return;
  const reason = shortened(error.description);
  throw new LedgerError('privval.refused', `the signer refused: ${reason}`, { code: error.code });
}

function unexpected(): LedgerError {
  return new LedgerError('privval.refused', 'the signer answered with another kind of message');
}

function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new LedgerError(
      'privval.refused',
      `the signer's answer is malformed: ${messageOf(cause)}`,
      {},
      cause,
    );
  }
}

function gaveUp(why: string): LedgerError {
  return new LedgerError('privval.gave_up', `the signer was not reached in time: ${why}`);
}
