/** A chain with a model, a gateway's commands on it, and a payer with a channel to it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openChannels } from '../../cli/demo/volume/channels.ts';
import { voucherJson } from '../../cli/gateway/infer-body.ts';
import { verifyPayer } from '../../cli/gateway/verify-key.ts';
import { tryLock } from '../../cli/process-lock.ts';
import { registerModel, requestHash } from '../../client/index.ts';
import { openFileDisk } from '../../client/vouchers/file-disk.ts';
import { Journal } from '../../client/vouchers/journal.ts';
import { Payer } from '../../client/vouchers/payer.ts';
import type { SignedVoucher } from '../../client/vouchers/signatures.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519Signer } from '../../node/crypto/ed25519.ts';
import { MsgRegisterModel, MsgRegisterModelResponse } from '../../proto/gen/openledger/models/v1/tx.ts';
import { librarySigner } from '../channels/parties.ts';
import { sessionSigner } from '../support/channels.ts';
import { RunningCommand } from './attest-command.ts';
import { act, type Role, type Scene, startScene } from './attest-scene.ts';
import { temporaryHome } from './program.ts';

const LANES = 9;
const DEPOSIT = 10_000_000n;
const POLL_MS = 10;
/** Blocks within which a gateway that looks every 100 ms has claimed. */
const BLOCKS_MAX = 100;
const MODEL_ID = 1n;
const TOKENS_MAX = 100;

/** Of 7 base units, worth 9,996 of 10,000. */
const STREAM = { unit: 7n, links: 1_428 };

/**
 * Says something else each time, so that an answer that comes twice was kept; writes down what it is asked.
 * To prompts that begin with `hold` it says nothing before there is a file `go`, and ends with its gateway; a
 * stream has two pieces before that, and one behind it.
 */
const BACKEND = `
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
const [, , folder] = process.argv;
const gateway = process.ppid;
const { prompt, stream } = JSON.parse(readFileSync(0, 'utf8'));
const say = (said) => console.log(JSON.stringify(said));
const piece = () => say({ text: prompt + ' ' + process.hrtime.bigint() + ' ', tokens: 7 });
if (stream) [0, 1].forEach(piece);
appendFileSync(folder + '/asked', prompt + '\\n');
while (prompt.startsWith('hold') && !existsSync(folder + '/go')) {
  if (process.ppid !== gateway) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, ${POLL_MS}));
}
piece();
if (stream) say({ tokens: 21 });
`;

/** What a gateway said to a request. */
export interface Said {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A request that was signed for. */
export interface Wanted {
  readonly lane: number;
  readonly prompt: string;
  readonly voucher: SignedVoucher;
}

/** See the file comment. */
export class GatewayScene {
  readonly home: string;
  readonly scene: Scene;
  readonly channel: Uint8Array;
  readonly payer: Payer;
  readonly #journal: Journal;
  readonly #running: RunningCommand[] = [];

  private constructor(parts: Pick<GatewayScene, 'home' | 'scene' | 'channel' | 'payer'>, journal: Journal) {
    this.home = parts.home;
    this.scene = parts.scene;
    this.channel = parts.channel;
    this.payer = parts.payer;
    this.#journal = journal;
  }

  /** The attestor of the scene is the gateway. */
  static async begin(): Promise<GatewayScene> {
    const home = temporaryHome();
    const scene = await startScene(home);
    const { chain, parties } = scene;
    const model = MsgRegisterModel.create({
      ...{ owner: parties.owner.address, name: 'parrot', baseModel: 'parrot-1' },
      weightsRoot: sha256(utf8('parrot')),
      price: { denom: chain.denom, inPer1000: '1000', outPer1000: '2000', perCall: '1000' },
    });
    await act(parties.owner, [registerModel(model)], MsgRegisterModelResponse);
    writeFileSync(join(home, 'model.mjs'), BACKEND);
    const [command, journal] = [
      new RunningCommand(['gateway', 'register', '--endpoint', 'http://a', ...asGateway(home, scene)]),
      await Journal.open(await openFileDisk(join(home, 'payer.log'), { tryLock })),
    ];
    await command.line('is a gateway at http://a');
    const { ids } = await openChannels({
      ...{ chain, payer: parties.payer, session: ed25519Signer(sha256(utf8('session payer'))) },
      ...{ gateway: parties.attestor, gatewayKey: ed25519Signer(sha256(utf8('gateway'))) },
      ...{ count: 1, deposit: DEPOSIT },
    });
    const channel = defined(ids[0], 'channel');
    const session = sessionSigner('payer');
    const payer = new Payer(
      { journal, verify: verifyPayer, randomSeed: () => crypto.getRandomValues(new Uint8Array(32)) },
      {
        id: channel,
        domain: { chainId: chain.chainId, denom: chain.denom, prefix: chain.prefix },
        ...{ signer: librarySigner(session), keys: [session.key], deposited: DEPOSIT, lanes: LANES },
      },
    );
    return new GatewayScene({ home, scene, channel, payer }, journal);
  }

  async end(): Promise<void> {
    this.letGo();
    await Promise.all(this.#running.map((command) => command.stop()));
    await this.#journal.close();
    this.scene.chain.connection.comet.disconnect();
    await this.scene.devnet.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Options by which a command acts for somebody. */
  as(role: Role, home: string = this.home): readonly string[] {
    return optionsOf(home, this.scene, role);
  }

  /** Starts `gateway serve`, for the gateway itself by default. */
  serve(as: readonly string[] = this.as('attestor')): RunningCommand {
    const backend = `${process.execPath} ${join(this.home, 'model.mjs')} ${this.home}`;
    const at = ['--listen', 'tcp://127.0.0.1:0', '--interval', '100', '--claim-min', '1'];
    const command = new RunningCommand([
      ...['gateway', 'serve', '--model', `${MODEL_ID}`, '--backend', backend, ...at, ...as],
    ]);
    this.#running.push(command);
    return command;
  }

  /** Signs for a request on a lane. */
  async want(
    lane: number,
    prompt: string,
    { isStream = false }: { readonly isStream?: boolean } = {},
  ): Promise<Wanted> {
    const resource = requestHash({ modelId: MODEL_ID, prompt, nonce: utf8(prompt) });
    const request = { resource, ceiling: 10_000n, ...(isStream && { stream: STREAM }) };
    return { lane, prompt, voucher: await this.payer.sign(lane, request) };
  }

  /** Pieces of an answer, each paid for when it is read. Rejects when the gateway ends. */
  async *stream(url: string, wanted: Wanted): AsyncGenerator<Said['body']> {
    const response = await this.#post(url, wanted);
    let rest = '';
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const events = (rest + part).split('\n\n');
      rest = events.pop() ?? '';
      for (const text of events) {
        const event = JSON.parse(text.slice('data: '.length)) as Said['body'];
        if (event['due'] !== undefined) await this.#pay(url, wanted.lane, BigInt(String(event['due'])));
        yield event;
      }
    }
  }

  async #pay(url: string, lane: number, due: bigint): Promise<void> {
    const link = this.payer.linkFor(lane, due);
    if (link === undefined) return;
    const body = { channel_id: toHex(this.channel), lane, ...link, preimage: toHex(link.preimage) };
    const response = await fetch(`${url}/v1/pay`, { method: 'POST', body: JSON.stringify(body) });
    if (response.status !== 200) throw new Error(await response.text());
  }

  /** Sends a request, for the first time or again. Rejects when nobody answers. */
  async infer(url: string, wanted: Wanted): Promise<Said> {
    const response = await this.#post(url, wanted);
    return { status: response.status, body: (await response.json()) as Said['body'] };
  }

  #post(url: string, { prompt, voucher }: Wanted): Promise<Response> {
    const stream = voucher.voucher.hashChain !== undefined;
    const asked = { model_id: `${MODEL_ID}`, prompt, max_tokens: TOKENS_MAX, nonce: toHex(utf8(prompt)) };
    const body = JSON.stringify({ ...asked, stream, voucher: voucherJson(voucher) });
    return fetch(`${url}/v1/infer`, { method: 'POST', body });
  }

  /** Prompts that the backend was asked. */
  asked(): readonly string[] {
    const file = join(this.home, 'asked');
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }

  /** Resolves when the backend is at work on it. */
  async begun(prompt: string): Promise<void> {
    while (!this.asked().includes(prompt)) await delay(POLL_MS);
  }

  /** Prompts that begin with `hold` wait from now on, as they do at the beginning. */
  hold(): void {
    rmSync(join(this.home, 'go'), { force: true });
  }

  /** Prompts that begin with `hold` are answered from now on. */
  letGo(): void {
    writeFileSync(join(this.home, 'go'), '');
  }

  /** What the chain has seen claimed, by lane. */
  async claimed(): Promise<readonly bigint[]> {
    const { channels } = this.scene.chain.connection.queries.openledger;
    const { lanes } = await channels.lanes({ channelId: this.channel });
    const byLane = new Map(lanes.map(({ lane, claimed }) => [lane, BigInt(claimed)]));
    return Array.from({ length: LANES }, (_, lane) => byLane.get(lane) ?? 0n);
  }

  /** Looks at every block. @throws Error when it never holds */
  async eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let blocks = 0; !(await holds()); blocks++) {
      if (blocks === BLOCKS_MAX) throw new Error(`${what}: not in ${BLOCKS_MAX} blocks`);
      await this.scene.devnet.moreBlocks(1);
    }
  }
}

function asGateway(home: string, scene: Scene): readonly string[] {
  return optionsOf(home, scene, 'attestor');
}

function optionsOf(home: string, { rpc, keys }: Scene, role: Role): readonly string[] {
  return ['--node', rpc, '--home', home, '--keyring-backend', 'test', '--from', keys[role]];
}

/** Where a gateway listens, by what it says when it serves. */
export async function urlOf(serving: RunningCommand): Promise<string> {
  const line = await serving.line('serves 1 models at ');
  return line.slice(line.indexOf('http://'));
}
