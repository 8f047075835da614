/** The chain behind a node's RPC, as a gateway that settles sees it. */
import type { EncodeObject } from '@cosmjs/proto-signing';
import type { IndexedTx } from '@cosmjs/stargate';
import type { SettlementChain } from '../../gateway/serve/ports.ts';
import {
  claimVouchers,
  type Connection,
  everyPage,
  foundOrNone,
  mirrorsOfReceiver,
  responsesOf,
  serveEpochPiece,
  settleEpoch,
} from '../../client/index.ts';
import { defined } from '../../core/errors.ts';
import { MsgClaimVouchers } from '../../proto/gen/openledger/channels/v1/tx.ts';
import {
  MsgServeEpochPiece,
  MsgSettleEpoch,
  MsgSettleEpochResponse,
} from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { priceBook } from './price-book.ts';

/** What it is made of. */
export interface SettlementChainParts {
  readonly connection: Connection;
  /** The gateway's address, and how it sends: resolves when the transaction is in a block and did not fail. */
  readonly account: {
    readonly address: string;
    send(messages: readonly EncodeObject[]): Promise<IndexedTx>;
  };
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** See the file comment. */
export function settlementChain({ connection, account, now }: SettlementChainParts): SettlementChain {
  const { settlement } = connection.queries.openledger;
  const { address: gateway } = account;
  const params: SettlementChain['params'] = async () => (await settlement.params()).params;
  return {
    terms: priceBook(connection, gateway).terms,
    mirrors: () => mirrorsOfReceiver(connection, gateway, now()),
    rounds: () =>
      everyPage(
        (pagination) => settlement.rounds({ gateway, pagination }),
        (page) => page.rounds,
      ),
    lanes: (roundId) =>
      everyPage(
        (pagination) => settlement.lanes({ roundId, pagination }),
        (page) => page.lanes,
      ),
    epoch: async (epochId) => (await foundOrNone(settlement.epoch({ epochId })))?.epoch,
    params,
    requests: (epochId) =>
      everyPage(
        (pagination) => settlement.requests({ epochId, pagination }),
        (page) => page.requests,
      ),
    async servePieces(answers) {
      const messages = answers.map((answer) => MsgServeEpochPiece.create({ sender: gateway, ...answer }));
      await account.send(messages.map(serveEpochPiece));
    },
    async claimVouchers(rows) {
      await account.send([claimVouchers(MsgClaimVouchers.create({ claimer: gateway, rows }))]);
    },
    async settleEpoch(roundId, commitment) {
      const { bondDenom: denom, epochBond } = await params();
      const bond = { denom, amount: `${epochBond}` };
      const message = MsgSettleEpoch.create({ gateway, roundId, commitment, bond });
      const { msgResponses } = await account.send([settleEpoch(message)]);
      const [response] = responsesOf(MsgSettleEpochResponse, msgResponses);
      return defined(response, 'response').epochId;
    },
  };
}
