/** A scene that is set, the commands that run on it, and what several plays do. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { HeadLibrary } from '../../attest/serve/head-library.ts';
import type { HttpServer } from '../../serve/server.ts';
import { attestService } from '../../attest/serve/service.ts';
import { ShardLibrary } from '../../attest/serve/shard-library.ts';
import { LOOPBACK, nextFreePort } from '../../cli/devnet/ports.ts';
import { payInference, requestHash, submitClaim } from '../../client/index.ts';
import { fromBase64 } from '../../core/bytes.ts';
import { Answer, Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgSubmitClaim } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { Party as PaymentParty } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Payout } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { MsgPayInference, MsgPayInferenceResponse } from '../../proto/gen/openledger/payments/v1/tx.ts';
import { RunningCommand } from './attest-command.ts';
import { act, type Role, type Scene, setStage, startScene } from './attest-scene.ts';
import { temporaryHome } from './program.ts';

/** Longer than any test of a play takes. */
export const STUCK_MS = 120_000;
/** Blocks within which a watcher that looks every 300 ms has acted. */
const BLOCKS_MAX = 150;

/** A logger that says nothing. */
export const QUIET = { info: () => undefined, warn: () => undefined };

/** An answer and its claim. */
export interface MadeClaim {
  readonly answer: Answer;
  readonly claim: Claim;
}

/** See the file comment. */
export class Play {
  readonly home: string;
  readonly scene: Scene;
  readonly stage: Awaited<ReturnType<typeof setStage>>;
  /** Where the attestor listens. */
  readonly endpoint: string;
  readonly #running: RunningCommand[] = [];

  private constructor(parts: Pick<Play, 'home' | 'scene' | 'stage' | 'endpoint'>) {
    this.home = parts.home;
    this.scene = parts.scene;
    this.stage = parts.stage;
    this.endpoint = parts.endpoint;
  }

  /** Starts the chain and sets the stage. `port`: the first that is tried for the attestor. */
  static async begin(port: number): Promise<Play> {
    const home = temporaryHome();
    const scene = await startScene(home);
    try {
      const stage = await setStage(scene);
      const free = await nextFreePort({ host: LOOPBACK, port, step: 7 });
      return new Play({ home, scene, stage, endpoint: `http://${LOOPBACK}:${free}` });
    } catch (error) {
      await scene.devnet.stop();
      throw error;
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((command) => command.stop()));
    this.scene.chain.connection.comet.disconnect();
    await this.scene.devnet.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  get queries(): Scene['chain']['connection']['queries']['openledger'] {
    return this.scene.chain.connection.queries.openledger;
  }

  /** Options by which a command acts for somebody. */
  as(role: Role): readonly string[] {
    const { rpc, keys } = this.scene;
    return ['--node', rpc, '--home', this.home, '--keyring-backend', 'test', '--from', keys[role]];
  }

  /** Starts `openledgerd attest …`; it is stopped at the end of the play. */
  run(...args: readonly string[]): RunningCommand {
    return this.#start('attest', ...args);
  }

  #start(...args: readonly string[]): RunningCommand {
    const command = new RunningCommand(args);
    this.#running.push(command);
    return command;
  }

  /** Starts the attestor. */
  serve(...args: readonly string[]): RunningCommand {
    const at = ['--laddr', this.endpoint.replace('http', 'tcp'), '--interval', '300'];
    return this.run('serve', ...args, ...at, ...this.as('attestor'));
  }

  /** Starts the watcher. */
  watch(): RunningCommand {
    return this.run('watch', '--dir', `${this.home}/watch`, '--interval', '300', ...this.as('watcher'));
  }

  /** Starts a watcher of epochs. */
  watchEpochs(): RunningCommand {
    return this.#start('gateway', 'watch', '--interval', '300', ...this.as('watcher'));
  }

  /** A server of whoever publishes something wrong; `stop` it. */
  async lie(parts: { readonly library?: ShardLibrary; readonly heads?: HeadLibrary }): Promise<HttpServer> {
    const { library = new ShardLibrary(), heads = new HeadLibrary() } = parts;
    const chain = { scopeOf: async () => undefined, contribution: async () => undefined };
    const service = attestService({ library, heads, chain, logger: QUIET }, { host: LOOPBACK, port: 0 });
    await service.server.start();
    return service.server;
  }

  /** Looks at every block. @throws Error with what all commands said */
  async eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let blocks = 0; !(await holds()); blocks++) {
      if (blocks === BLOCKS_MAX) {
        const said = this.#running.flatMap(({ lines }) => lines).join('\n');
        throw new Error(`${what}: not in ${BLOCKS_MAX} blocks\n${said}`);
      }
      await this.scene.devnet.moreBlocks(1);
    }
  }

  /** What the attestor makes of an answer of a model. */
  async attributed(modelId: bigint, fields: object): Promise<MadeClaim> {
    const body = JSON.stringify({ model_id: `${modelId}`, ...fields });
    const response = await fetch(`${this.endpoint}/v1/attribute`, { method: 'POST', body });
    const made = (await response.json()) as Record<string, string>;
    if (response.status !== 200) throw new Error(JSON.stringify(made));
    const { answer = '', claim = '' } = made;
    return { answer: Answer.decode(fromBase64(answer)), claim: Claim.decode(fromBase64(claim)) };
  }

  /** A payment for an answer, by a claim or by the id of one. */
  paymentOf(
    payer: string,
    modelId: bigint,
    by: Pick<MsgPayInference, 'answer'> & Partial<MsgPayInference>,
  ): MsgPayInference {
    return MsgPayInference.create({
      ...{ payer, modelId, tokensIn: 10n, tokensOut: 20n },
      requestHash: requestHash({ modelId, prompt: 'a', nonce: randomBytes(16) }),
      maxFee: { denom: this.scene.chain.denom, amount: '1000000' },
      ...by,
    });
  }

  /**
   * Submits a claim with a bond and pays by it, in one transaction: a forged one would be refuted, and gone,
   * before a second one. The receipt.
   */
  async claimAndPay(
    by: Role,
    modelId: bigint,
    { claimId, made }: { readonly claimId: bigint; readonly made: MadeClaim },
  ): Promise<bigint> {
    const { params } = await this.queries.attribution.params();
    const { address: claimant } = this.scene.parties[by];
    const payment = this.paymentOf(claimant, modelId, { answer: made.answer, claimId });
    const claim = MsgSubmitClaim.create({
      ...{ claimant, modelId, ...made },
      ...{ payer: payment.payer, requestHash: payment.requestHash },
      bond: { denom: params.bondDenom, amount: params.claimBond.toString() },
    });
    const messages = [submitClaim(claim), payInference(payment)];
    return (await act(this.scene.parties[by], messages, MsgPayInferenceResponse)).receiptId;
  }

  /** Who got what for which contribution, as anybody can ask. */
  async explained(receiptId: bigint): Promise<readonly Payout[]> {
    const { receipt } = await this.queries.payments.explain({ receiptId });
    return receipt.payouts.filter(({ party }) => party === PaymentParty.PARTY_CONTRIBUTORS);
  }

  async stateOfClaim(claimId: bigint): Promise<number> {
    return (await this.queries.attribution.claim({ claimId })).claim.state;
  }
}
