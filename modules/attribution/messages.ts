import type { MessageRoute } from '../../framework/message.ts';

/**
 * None yet: claims arrive inside payments (`openledger.payments.v1.MsgPayInference`). Indexes, optimistic
 * claims and their disputes will be messages of this module.
 */
export function attributionMessages(): readonly MessageRoute[] {
  return [];
}
