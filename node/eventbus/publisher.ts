/**
 * Turns what the engine reports into events, in CometBFT's order: NewBlock, NewBlockHeader, NewBlockEvents,
 * each NewEvidence, each Tx, ValidatorSetUpdates. Composite keys are built as v0.38 `types/event_bus.go` builds them.
 */
import { addressOf, publicKeyFromMessage } from '../../consensus/types/public-key.ts';
import type { Validator } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { ConsensusView, Step } from '../../consensus/view.ts';
import type { Event, ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import type { CommittedBlock } from '../committed-block.ts';
import { EVENT_TYPE_KEY, type EventData, TX_HASH_KEY, TX_HEIGHT_KEY } from '../events.ts';
import { txKey } from '../tx-key.ts';
import type { EventBus } from './event-bus.ts';

/** CometBFT's names of the steps. */
const STEP_NAME: Readonly<Record<Step, string>> = {
  newHeight: 'RoundStepNewHeight',
  newRound: 'RoundStepNewRound',
  propose: 'RoundStepPropose',
  prevote: 'RoundStepPrevote',
  precommit: 'RoundStepPrecommit',
  commit: 'RoundStepCommit',
};

/** Publishes on a bus. */
export class EventPublisher {
  readonly #bus: EventBus;

  constructor(bus: EventBus) {
    this.#bus = bus;
  }

  /** Announces a committed block and its transactions. */
  async onCommit(committed: CommittedBlock): Promise<void> {
    if (!this.#bus.hasSubscribers && !this.#bus.hasWaiters) return;
    const { block, blockId, results, height } = committed;
    const { events } = results;
    this.#publish({ type: 'NewBlock', block, blockId, results }, events);
    this.#publish({ type: 'NewBlockHeader', header: block.header });
    const numTxs = BigInt(block.txs.length);
    this.#publish({ type: 'NewBlockEvents', height, events, numTxs }, events);
    for (const evidence of block.evidence) this.#publish({ type: 'NewEvidence', height, evidence });
    block.txs.forEach((tx, index) => {
      const result = results.txResults[index];
      if (result === undefined) return;
      const key = txKey(tx);
      const event = { type: 'Tx', result: { height, index, tx, result }, txKey: key } as const;
      this.#bus.txCommitted(event);
      this.#publish(event, result.events, [
        [TX_HASH_KEY, key],
        [TX_HEIGHT_KEY, height.toString()],
      ]);
    });
    const validators = results.validatorUpdates.map(updatedValidator);
    if (validators.length > 0) this.#publish({ type: 'ValidatorSetUpdates', validators });
  }

  /** Announces a vote that was counted. */
  vote(vote: Vote): void {
    this.#publish({ type: 'Vote', vote });
  }

  /** Announces that height, round or step changed. */
  step(view: Pick<ConsensusView, 'height' | 'round' | 'step'>): void {
    const { height, round, step } = view;
    this.#publish({ type: 'NewRoundStep', height, round, step: STEP_NAME[step] });
  }

  #publish(
    data: EventData,
    events: readonly Event[] = [],
    extra: readonly (readonly [key: string, value: string])[] = [],
  ): void {
    if (!this.#bus.hasSubscribers) return;
    const attributes = compositeKeys(events);
    add(attributes, EVENT_TYPE_KEY, data.type);
    for (const [key, value] of extra) add(attributes, key, value);
    this.#bus.publish({ data, events: attributes });
  }
}

/** A validator as an update states it: its priority is not known yet. */
function updatedValidator(update: ValidatorUpdate): Validator {
  const publicKey = publicKeyFromMessage(update.pubKey);
  return {
    address: addressOf(publicKey),
    publicKey,
    votingPower: update.power,
    proposerPriority: 0n,
  };
}

/** `type.key` with the values of each attribute; those without a type or a key are left out. */
export function compositeKeys(events: readonly Event[]): Map<string, string[]> {
  const attributes = new Map<string, string[]>();
  for (const event of events) {
    if (event.type === '') continue;
    for (const { key, value } of event.attributes) {
      if (key !== '') add(attributes, `${event.type}.${key}`, value);
    }
  }
  return attributes;
}

function add(attributes: Map<string, string[]>, key: string, value: string): void {
  const values = attributes.get(key);
  if (values === undefined) attributes.set(key, [value]);
  else values.push(value);
}
