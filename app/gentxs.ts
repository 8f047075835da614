import type { Context } from '../framework/context.ts';
import type { Event } from '../framework/events.ts';
import { type JsonObject, JsonReader } from '../framework/json.ts';
import type { ValidatorUpdate } from '../proto/gen/tendermint/abci/types.ts';
import { APP_STATE } from './genesis.ts';
import type { Composition } from './modules.ts';
import { runTx, type TxEnvironment } from './run-tx.ts';

/** Where genesis transactions run: on the state that the modules have just begun with, at height 0. */
export interface GenTxDelivery {
  readonly appState: JsonObject;
  readonly context: Context;
  readonly environment: TxEnvironment;
}

/** What genesis transactions came to. */
export interface GenTxOutcome {
  /** The first validator set; empty when there are no genesis transactions. */
  readonly validators: readonly ValidatorUpdate[];
  readonly events: readonly Event[];
}

/**
 * Runs the genesis transactions in their order and bonds the validators that they make.
 * @throws JsonError naming the transaction that fails: a chain does not start with half of them
 */
export function deliverGenTxs(
  { genutil, staking }: Composition,
  { appState, context, environment }: GenTxDelivery,
): GenTxOutcome {
  const section = new JsonReader(appState, APP_STATE).member('genutil');
  const genTxs = section.present ? genutil.genTxs(section) : [];
  if (genTxs.length === 0) return { validators: [], events: [] };
  const events: Event[] = [];
  if (staking.ownsValidatorSet(context))
    section
      .member('gen_txs')
      .fail('app_state.staking lists validators already: a chain has one or the other');
  for (const { json, tx } of genTxs) {
    const { error, events: emitted } = runTx(tx, environment);
    if (error !== undefined) json.fail(error.message);
    events.push(...emitted);
  }
  const validators = staking.applyValidatorSet(context);
  if (validators.length === 0)
    section.member('gen_txs').fail('no validator has the power to sign: at least 1000000 tokens are needed');
  return { validators, events };
}
