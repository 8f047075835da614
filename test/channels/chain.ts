/** The real modules on one growing state, without transactions: messages, blocks, and what parties ask. */
import { initModules } from '../../app/genesis.ts';
import { type Composition, composeModules, storeNames } from '../../app/modules.ts';
import { type BlockInfo, Context } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import { TEST_BLOCK } from '../../framework/testing/memory.ts';
import type { SignatureVerifier } from '../../framework/tx/signature.ts';
import type { ChannelMirror } from '../../client/vouchers/mirror.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import * as query from '../../proto/gen/openledger/channels/v1/query.ts';
import type { MultiStoreBranch } from '../../store/kv.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { plainVerifier } from '../support/test-chain.ts';

/** Seconds that a withdrawal takes on this chain. */
export const DELAY = 60;
const BLOCKS = 2;
const COINS = '1000000000000';
const QUERIES = '/openledger.channels.v1.Query';

/** What became of a message. */
export type Ran = { readonly response: Uint8Array } | { readonly code: string; readonly log: string };

/** See the file comment. */
export class ModuleChain {
  readonly composition: Composition;
  readonly #branch: MultiStoreBranch;
  #block: BlockInfo = { ...TEST_BLOCK, height: 1n };

  /**
   * @param accounts that have coins
   * @param origin the state to go on from, instead of a genesis; it must not change any more
   */
  constructor(
    accounts: readonly string[],
    verifier: SignatureVerifier = plainVerifier,
    origin?: ModuleChain,
  ) {
    if (origin !== undefined) {
      this.composition = origin.composition;
      this.#branch = origin.#branch.branch();
      this.#block = origin.#block;
      return;
    }
    this.composition = composeModules('open', { verifier });
    const { modules } = this.composition;
    this.#branch = new MemoryMultiStore({ stores: storeNames(modules) }).branch();
    const balances = accounts.map((address) => ({ address, coins: [{ denom: 'uopen', amount: COINS }] }));
    const params = { withdraw_delay_min: DELAY, withdraw_delay_max: DELAY, withdraw_blocks: BLOCKS };
    initModules(modules, this.#context('genesis'), {
      bank: { params: { default_send_enabled: true }, balances },
      channels: { params: { ...params, open_window: 600, rows_max: 4096, gas_per_link: 30 } },
    });
  }

  /** Another chain that goes on from here: this one must not change any more. */
  fork(): ModuleChain {
    return new ModuleChain([], plainVerifier, this);
  }

  get block(): BlockInfo {
    return this.#block;
  }

  /** The state as it is now. */
  get branch(): MultiStoreBranch {
    return this.#branch;
  }

  get now(): number {
    return Number(this.#block.time.seconds);
  }

  /** Runs a message; one that fails changes nothing. */
  run<M>(type: MessageType<M>, message: M): Ran {
    const { router, addresses } = this.composition;
    const { context, write } = this.#context('finalize').branch();
    try {
      const bound = router.require(type.typeUrl).bind(type.encode(message), addresses);
      bound.validate();
      const response = bound.run(context);
      write();
      return { response };
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      return { code: error.code, log: error.message };
    }
  }

  /** The next block comes so many seconds later. */
  tick(seconds: number): void {
    for (const { name, endBlock } of this.composition.modules)
      if (name === 'channels') endBlock?.(this.#context('finalize'));
    const { height, time } = this.#block;
    this.#block = {
      ...this.#block,
      height: height + 1n,
      time: { seconds: time.seconds + BigInt(seconds), nanos: 0 },
    };
  }

  /** What a party sees of a channel now; undefined when it is closed. */
  mirror(channelId: Uint8Array): ChannelMirror | undefined {
    const channel = this.#ask('Channel', query.QueryChannelRequest, query.QueryChannelResponse, {
      channelId,
    });
    if (channel === undefined) return undefined;
    const request = { channelId, pagination: undefined };
    const lanes = this.#ask('Lanes', query.QueryLanesRequest, query.QueryLanesResponse, request)?.lanes ?? [];
    return { record: channel.channel, lanes, asOf: this.now, blockTime: this.#block.time.seconds };
  }

  balance(address: string): bigint {
    const { bank, addresses } = this.composition;
    return bank.balance(this.#context('finalize'), addresses.toBytes(address), 'uopen');
  }

  /** What the invariants of channels say is wrong. */
  broken(): readonly string[] {
    const context = this.#context('finalize');
    return this.composition.modules
      .filter(({ name }) => name === 'channels')
      .flatMap(({ invariants }) => invariants.flatMap((invariant) => invariant.check(context) ?? []));
  }

  #ask<Q, A>(method: string, request: MessageType<Q>, response: MessageType<A>, asked: Q): A | undefined {
    const path = `${QUERIES}/${method}`;
    const route = this.composition.modules.flatMap(({ queries }) => queries).find((one) => one.path === path);
    if (route === undefined) throw new RangeError(`no query ${path}`);
    try {
      return response.decode(route.answer(this.#context('finalize'), request.encode(asked)));
    } catch (error) {
      if (error instanceof Error && error.message.includes('there is no channel')) return undefined;
      throw error;
    }
  }

  #context(mode: 'genesis' | 'finalize'): Context {
    return new Context({ branch: this.#branch, block: this.#block, mode, gas: unlimitedGas() });
  }
}
