import { authorizationRoute } from '../../framework/authorization.ts';
import type { Module } from '../../framework/module.ts';
import { Authorizations } from './authorizations.ts';
import { genericAuthorization } from './generic-authorization.ts';
import { authzGenesis } from './genesis.ts';
import { authzInvariants } from './invariants.ts';
import { Grants } from './keeper.ts';
import { authzMessages } from './messages.ts';
import type { AuthzPorts } from './ports.ts';
import { authzQueries } from './queries.ts';
import { authzState, STORE_NAME } from './state.ts';

/** Most entries and authorizations that the beginning of one block removes. */
export const DEQUEUED_PER_BLOCK_MAX = 200;

/** Authorizations to execute messages for someone else. */
export function createAuthzModule(ports: AuthzPorts): Module {
  const { addresses, router } = ports;
  const state = authzState();
  const kinds = [authorizationRoute(genericAuthorization), ...ports.authorizations];
  const authorizations = new Authorizations(kinds);
  const grants = new Grants(state, ports, authorizations);
  return {
    name: 'authz',
    consensusVersion: 2,
    storeNames: [STORE_NAME],
    messages: authzMessages({ grants, addresses, router }),
    queries: authzQueries({ grants, state, addresses }),
    anyTypes: kinds.map(({ type }) => ({ type })),
    genesis: authzGenesis({ grants, state, addresses }),
    beginBlock: (context) => grants.dequeueExpired(context, DEQUEUED_PER_BLOCK_MAX),
    invariants: authzInvariants(state, authorizations),
  };
}
