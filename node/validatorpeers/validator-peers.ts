/**
 * Which peers hold a validator's key. Each new peer is asked to prove its consensus key; a peer whose key is
 * in the current set is preferred: no limit of the network counts it. The key is compared again whenever the
 * set changes; a proof holds for one session, and for one peer of each key, the one that proved it last.
 *
 * A peer that is there on probation (the inbound places are taken) and proves nothing is sent away.
 */
import { addressOf, publicKeyFromMessage, publicKeyToMessage } from '../../consensus/types/public-key.ts';
import { validatorByAddress } from '../../consensus/types/validator-set.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
import { equalBytes, toHex, toUpperHex } from '../../core/bytes.ts';
import { DecodeError, messageOf } from '../../core/errors.ts';
import { VALIDATOR_PROOF_PROTOCOL } from '../../p2p/channels.ts';
import type { PeerInfo } from '../../p2p/network.ts';
import {
  decodeProofRequest,
  decodeProofResponse,
  encodeProofRequest,
  encodeProofResponse,
  PROOF_NONCE_BYTES,
  proofSignBytes,
} from '../../p2p/validator-proof.ts';
import type {
  Committed,
  ValidatorPeersMetrics,
  ValidatorPeersOptions,
  ValidatorPeersPorts,
} from './ports.ts';

/** Points for asking too often in one session: five times within the decay are a ban. */
const TOO_OFTEN_POINTS = 20;
const SECOND_MS = 1_000;

interface Met {
  readonly peer: PeerInfo;
  asked: number;
  /** What the peer proved in this session. */
  key: PublicKey | undefined;
  cancelNext: () => void;
  /** How often the peer asked. */
  questions: number;
}

/** How often a peer may still be answered. */
interface Budget {
  readonly left: number;
  readonly atMs: number;
}

/** See the file comment. */
export class ValidatorPeers {
  readonly metrics: ValidatorPeersMetrics = { asked: 0, proved: 0, given: 0, refused: 0 };
  readonly #ports: ValidatorPeersPorts;
  readonly #options: ValidatorPeersOptions;
  /** By peer id. */
  readonly #met: Map<string, Met> = new Map();
  /** The peer that proved a key last, by the key's address. */
  readonly #holders: Map<string, string> = new Map();
  /** Of peers that asked, connected or not. */
  readonly #budgets: Map<string, Budget> = new Map();
  #windowStartMs: number;
  #signedInWindow = 0;
  #setHash: Uint8Array | undefined;
  #stopListening: (() => void) | undefined;

  constructor(ports: ValidatorPeersPorts, options: ValidatorPeersOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#windowStartMs = ports.timers.nowMs();
    ports.network.serve(VALIDATOR_PROOF_PROTOCOL.name, (peer, bytes) => this.#answer(peer, bytes));
  }

  start(): void {
    this.#stopListening = this.#ports.network.onPeer({
      connected: (peer) => this.#connected(peer),
      disconnected: (peer) => this.#disconnected(peer),
    });
  }

  stop(): void {
    this.#stopListening?.();
    for (const { cancelNext } of this.#met.values()) cancelNext();
    this.#met.clear();
    this.#holders.clear();
  }

  /** The validator of the current set whose key the peer has proved: 20 bytes. */
  validatorOf(peerId: string): Uint8Array | undefined {
    const key = this.#met.get(peerId)?.key;
    return key !== undefined && this.#ports.network.isPreferred(peerId) ? addressOf(key) : undefined;
  }

  /** To be told of every block, once the state is that after it. */
  async onCommit({ block }: Committed): Promise<void> {
    const { nextValidatorsHash } = block.header;
    if (this.#setHash !== undefined && equalBytes(this.#setHash, nextValidatorsHash)) return;
    this.#setHash = nextValidatorsHash;
    for (const met of this.#met.values()) this.#judge(met);
  }

  #connected(peer: PeerInfo): void {
    const met: Met = { peer, asked: 0, key: undefined, cancelNext: () => undefined, questions: 0 };
    this.#met.set(peer.id, met);
    void this.#ask(met);
  }

  #disconnected({ id }: PeerInfo): void {
    const met = this.#met.get(id);
    if (met === undefined) return;
    met.cancelNext();
    this.#met.delete(id);
    if (met.key === undefined) return;
    const address = toHex(addressOf(met.key));
    if (this.#holders.get(address) === id) this.#holders.delete(address);
  }

  async #ask(met: Met): Promise<void> {
    const { network, timers } = this.#ports;
    const { asksPerSessionMax, askAgainMs } = this.#options.limits;
    const { id } = met.peer;
    met.asked++;
    this.metrics.asked++;
    const key = await this.#keyOf(id);
    if (this.#met.get(id) !== met) return;
    if (key !== undefined) this.#proved(met, key);
    else if (met.asked < asksPerSessionMax)
      met.cancelNext = timers.after(askAgainMs, () => void this.#ask(met));
    if (met.asked === 1 && !network.hasRoomFor(id))
      network.disconnect(id, 'no place for a peer that is no validator');
  }

  /** The key that the peer proves now; undefined when it proves none. Never rejects. */
  async #keyOf(peerId: string): Promise<PublicKey | undefined> {
    const { network, randomBytes, log } = this.#ports;
    const { requestTimeoutMs: timeoutMs } = this.#options.limits;
    const nonce = randomBytes(PROOF_NONCE_BYTES);
    try {
      const request = encodeProofRequest(nonce);
      const response = await network.request(peerId, VALIDATOR_PROOF_PROTOCOL.name, request, { timeoutMs });
      return this.#check(peerId, nonce, response);
    } catch (error) {
      if (error instanceof DecodeError)
        network.penalize(peerId, { reason: `proof of a validator's key: ${error.message}` });
      else log.debug({ peer: peerId }, `no proof of a validator's key: ${messageOf(error)}`);
      return undefined;
    }
  }

  /** @throws DecodeError when the answer is malformed or its signature is not that of the key */
  #check(prover: string, nonce: Uint8Array, response: Uint8Array): PublicKey | undefined {
    const proof = decodeProofResponse(response);
    if (proof === undefined) return undefined;
    const { network, verify } = this.#ports;
    const key = publicKeyFromMessage(proof.publicKey);
    const signBytes = proofSignBytes(this.#options.chainId, { prover, asker: network.nodeId, nonce });
    if (!verify(key, signBytes, proof.signature)) throw new DecodeError('the signature is wrong');
    return key;
  }

  #proved(met: Met, key: PublicKey): void {
    const { network, log } = this.#ports;
    const { id, moniker } = met.peer;
    const address = addressOf(key);
    met.key = key;
    this.metrics.proved++;
    const before = this.#holders.get(toHex(address));
    this.#holders.set(toHex(address), id);
    if (before !== undefined && before !== id) network.unprefer(before);
    this.#judge(met);
    if (network.isPreferred(id))
      log.info({ peer: id, moniker, validator: toUpperHex(address) }, 'peer is a validator');
  }

  #judge({ peer, key }: Met): void {
    if (key === undefined) return;
    const { network, validators } = this.#ports;
    const address = addressOf(key);
    const isHolder = this.#holders.get(toHex(address)) === peer.id;
    const member = isHolder ? validatorByAddress(validators(), address) : undefined;
    const isValidator = member?.publicKey.type === key.type && equalBytes(member.publicKey.bytes, key.bytes);
    if (isValidator) network.prefer(peer.id);
    else network.unprefer(peer.id);
  }

  async #answer(peer: PeerInfo, bytes: Uint8Array): Promise<Uint8Array> {
    const { network, signer, log } = this.#ports;
    const { chainId, prove } = this.#options;
    const nonce = decodeProofRequest(bytes);
    const mayAnswer = this.#mayAnswer(peer.id);
    if (!prove || signer.signValidatorProof === undefined || !mayAnswer || !this.#maySign())
      return encodeProofResponse(undefined);
    try {
      const parties = { prover: network.nodeId, asker: peer.id, nonce };
      const signature = await signer.signValidatorProof(chainId, parties);
      this.metrics.given++;
      return encodeProofResponse({ publicKey: publicKeyToMessage(signer.publicKey), signature });
    } catch (error) {
      log.warn({ peer: peer.id }, `the signer gives no proof of its key: ${messageOf(error)}`);
      return encodeProofResponse(undefined);
    }
  }

  #mayAnswer(peerId: string): boolean {
    const { network, timers } = this.#ports;
    const { answerIntervalMs, answersBurstMax, questionsPerSessionMax } = this.#options.limits;
    const nowMs = timers.nowMs();
    const before = this.#budgets.get(peerId) ?? { left: answersBurstMax, atMs: nowMs };
    const left = Math.min(answersBurstMax, before.left + (nowMs - before.atMs) / answerIntervalMs);
    const mayAnswer = left >= 1;
    this.#remember(peerId, { left: mayAnswer ? left - 1 : left, atMs: nowMs });
    if (!mayAnswer) this.metrics.refused++;
    const met = this.#met.get(peerId);
    if (met !== undefined) met.questions++;
    if ((met?.questions ?? 0) > questionsPerSessionMax) {
      const reason = "asked for the proof of a validator's key too often";
      network.penalize(peerId, { reason, points: TOO_OFTEN_POINTS });
    }
    return mayAnswer;
  }

  #maySign(): boolean {
    const nowMs = this.#ports.timers.nowMs();
    if (nowMs - this.#windowStartMs >= SECOND_MS) {
      this.#windowStartMs = nowMs;
      this.#signedInWindow = 0;
    }
    if (this.#signedInWindow >= this.#options.limits.proofsPerSecondMax) {
      this.metrics.refused++;
      return false;
    }
    this.#signedInWindow++;
    return true;
  }

  /** Who asked longest ago is forgotten first. */
  #remember(peerId: string, budget: Budget): void {
    this.#budgets.delete(peerId);
    this.#budgets.set(peerId, budget);
    const oldest = this.#budgets.keys().next().value;
    if (this.#budgets.size > this.#options.limits.askersMax && oldest !== undefined)
      this.#budgets.delete(oldest);
  }
}
