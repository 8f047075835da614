/** What the tests of authz do over and over. Imported by tests only. */
import { GenericAuthorization } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import * as wire from '../../proto/gen/cosmos/authz/v1beta1/query.ts';
import { MsgExec, MsgGrant, MsgRevoke } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { SendAuthorization } from '../../proto/gen/cosmos/bank/v1beta1/authz.ts';
import { MsgSend } from '../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import { anyOf, sendMessage, type TestAccount, type TestChain } from '../../test/support/test-chain.ts';

export const QUERY = '/cosmos.authz.v1beta1.Query';
/** Time of block 0 of a test chain; block n is n seconds later. */
export const START: bigint = 1_700_000_000n;
export const SEND: string = MsgSend.typeUrl;

export const uopen = (amount: number): readonly { denom: string; amount: string }[] => [
  { denom: 'uopen', amount: String(amount) },
];
export const generic = (msg: string): Any => anyOf(GenericAuthorization, { msg });
export const sendLimit = (limit: number, allowList: readonly string[] = []): Any =>
  anyOf(SendAuthorization, { spendLimit: uopen(limit), allowList });

export function grantMessage(granter: string, grantee: string, authorization: Any, expiration?: bigint): Any {
  const at = expiration === undefined ? undefined : { seconds: expiration, nanos: 0 };
  return anyOf(MsgGrant, { granter, grantee, grant: { authorization, expiration: at } });
}

/** The first account authorizes the second. */
export function grant(chain: TestChain, authorization: Any, expiration?: bigint): ExecTxResult {
  const [granter, grantee] = [chain.account(0), chain.account(1)];
  const message = grantMessage(granter.address, grantee.address, authorization, expiration);
  return chain.deliver(chain.sign(granter, [message]));
}

export function exec(chain: TestChain, by: TestAccount, ...msgs: readonly Any[]): ExecTxResult {
  return chain.deliver(chain.sign(by, [anyOf(MsgExec, { grantee: by.address, msgs })]));
}

/** The second account sends coins of the first to the third. */
export function sendFor(chain: TestChain, amount: number): ExecTxResult {
  const message = sendMessage(chain.account(0).address, chain.account(2).address, `${amount}uopen`);
  return exec(chain, chain.account(1), message);
}

export function revoke(chain: TestChain, msgTypeUrl: string): ExecTxResult {
  const [granter, grantee] = [chain.account(0).address, chain.account(1).address];
  return chain.deliver(chain.sign(chain.account(0), [anyOf(MsgRevoke, { granter, grantee, msgTypeUrl })]));
}

export function grants(chain: TestChain, msgTypeUrl = ''): wire.QueryGrantsResponse {
  const types = { request: wire.QueryGrantsRequest, response: wire.QueryGrantsResponse };
  const [granter, grantee] = [chain.account(0).address, chain.account(1).address];
  return chain.query(`${QUERY}/Grants`, types, { granter, grantee, msgTypeUrl });
}

export function shown(result: ExecTxResult, prefix: string): readonly string[] {
  return result.events
    .filter(({ type }) => type.startsWith(prefix))
    .map(
      ({ type, attributes }) => `${type} ${attributes.map(({ key, value }) => `${key}=${value}`).join(' ')}`,
    );
}
