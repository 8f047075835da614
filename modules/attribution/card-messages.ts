/** Messages about model cards. */
import type { Coin } from '../../framework/coins.ts';
import { type MessageHandler, type MessageRoute, messageRoute } from '../../framework/message.ts';
import type { ModelCard } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import * as wire from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { validateBond } from './bonds.ts';
import {
  checkCard,
  checkCardRetirement,
  problemOfCardFraud,
  publishCard,
  requireCard,
  retireCard,
  voidCard,
} from './cards.ts';
import type { AttributionCore } from './core.ts';
import { validateEndpoint } from './endpoint.ts';
import { refuseAs } from './errors.ts';

/** See the file comment. */
export function cardMessages(k: AttributionCore): readonly MessageRoute[] {
  return [messageRoute(publish(k)), messageRoute(retire(k)), messageRoute(convict(k))];
}

function publish(
  k: AttributionCore,
): MessageHandler<wire.MsgPublishModelCard, wire.MsgPublishModelCardResponse, Coin> {
  return {
    type: wire.MsgPublishModelCard,
    response: wire.MsgPublishModelCardResponse,
    signers: ({ publisher }) => [publisher],
    validate(message) {
      validateBond(message.bond);
      validateEndpoint(message.endpoint, 'malformed-card');
    },
    check: (context, message) => checkCard(k, context, message),
    execute: (context, message, bond) => ({ cardId: publishCard(k, context, message, bond).id }),
  };
}

function retire(
  k: AttributionCore,
): MessageHandler<wire.MsgRetireModelCard, wire.MsgRetireModelCardResponse, ModelCard> {
  return {
    type: wire.MsgRetireModelCard,
    response: wire.MsgRetireModelCardResponse,
    signers: ({ sender }) => [sender],
    validate: () => undefined,
    check: (context, { cardId: id, sender }) => checkCardRetirement(k, context, { id, sender }),
    execute(context, _, card) {
      retireCard(k, context, card);
      return {};
    },
  };
}

function convict(
  k: AttributionCore,
): MessageHandler<wire.MsgConvictModelCard, wire.MsgConvictModelCardResponse, ModelCard> {
  return {
    type: wire.MsgConvictModelCard,
    response: wire.MsgConvictModelCardResponse,
    signers: ({ challenger }) => [challenger],
    validate: () => undefined,
    check(context, { cardId, proof }) {
      const card = requireCard(k, context, cardId);
      if (card.voidedHeight > 0n)
        refuseAs('not-usable', `model card ${cardId} was voided at height ${card.voidedHeight}`);
      const problem = problemOfCardFraud(k, context, card, proof);
      if (problem !== undefined) refuseAs('not-convicted', `model card ${cardId}: ${problem}`);
      return card;
    },
    execute: (context, { challenger }, card) => ({
      reward: voidCard(k, context, card, { challenger, reason: 'fraud' }),
    }),
  };
}
