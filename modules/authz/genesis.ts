import { compareInstants } from '../../core/time.ts';
import type { AddressCodec } from '../../framework/address.ts';
import type { BoundAuthorization } from '../../framework/authorization.ts';
import type { Timestamp } from '../../framework/context.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { GrantAuthorization } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import { GenesisState } from '../../proto/gen/cosmos/authz/v1beta1/genesis.ts';
import type { Authorizations } from './authorizations.ts';
import type { Grants } from './keeper.ts';
import type { AuthzState } from './state.ts';
import type { Parties } from './types.ts';

/** What genesis works with. */
export interface AuthzGenesisPorts {
  readonly grants: Grants;
  readonly state: AuthzState;
  readonly addresses: AddressCodec;
}

interface GenesisGrant {
  readonly parties: Parties;
  readonly authorization: BoundAuthorization;
  readonly expiration: Timestamp | undefined;
}

/** Genesis of authz: `{ authorization }` as x/authz writes it. What has expired is left out, as there. */
export function authzGenesis({ grants, state, addresses }: AuthzGenesisPorts): GenesisHandler {
  const read = (json: JsonReader): readonly GenesisGrant[] =>
    readGenesis(json, addresses, grants.authorizations);
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create()),
    validate: (json) => void read(json),
    init(context, json) {
      for (const { parties, authorization, expiration } of read(json))
        if (expiration === undefined || compareInstants(expiration, context.block.time) > 0)
          grants.save(context, parties, { authorization, expiration });
      return [];
    },
    export(context) {
      const authorization = [...state.grants.iterate(context)].map(([[granter, grantee], grant]) => ({
        granter: addresses.toText(granter),
        grantee: addresses.toText(grantee),
        ...grant,
      }));
      return messageToJson(GenesisState, { authorization }, grants.authorizations.types);
    },
  };
}

function readGenesis(
  json: JsonReader,
  addresses: AddressCodec,
  authorizations: Authorizations,
): readonly GenesisGrant[] {
  const { types } = authorizations;
  const state = messageFromJson(GenesisState, json, types);
  const seen = new Set<string>();
  const entries = json.member('authorization').elements();
  return state.authorization.map((grant, i) => {
    const entry = entries[i] ?? json;
    // By itself: what a transaction may hold at most says nothing of how many there may be.
    entry.attempt(() => types.check(GrantAuthorization, grant));
    const { granter, grantee, authorization: any, expiration } = grant;
    if (granter === grantee) entry.fail('granter and grantee are the same');
    const parties = {
      granter: entry.member('granter').attempt(() => addresses.toBytes(granter)),
      grantee: entry.member('grantee').attempt(() => addresses.toBytes(grantee)),
    };
    const authorization = entry.member('authorization').attempt(() => {
      const bound = authorizations.bind(any);
      bound.validate();
      return bound;
    });
    const place = `${granter} ${grantee} ${authorization.messageTypeUrl}`;
    if (seen.has(place)) entry.fail('is a second authorization of this pair for the same message');
    seen.add(place);
    return { parties, authorization, expiration };
  });
}
