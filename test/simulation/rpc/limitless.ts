/** A bug put in on purpose: nobody counts subscriptions. */
import type { NodeEnvironment } from '../../../node/environment.ts';
import type { RpcPorts } from '../../../node/rpc/ports.ts';
import type { SimMachine } from '../machine.ts';

/** A node that lets everybody subscribe to everything. */
export function limitless(environment: NodeEnvironment, machine: SimMachine): NodeEnvironment {
  machine.rpcPorts = (ports) => ({ ...ports, events: uncounted(ports.events) });
  return environment;
}

function uncounted(events: RpcPorts['events']): RpcPorts['events'] {
  return {
    subscribe: (client, query, sink) => events.subscribe(client, query, sink),
    unsubscribe: (client, query) => events.unsubscribe(client, query),
    unsubscribeAll: (client) => events.unsubscribeAll(client),
    clientCount: () => 0,
    subscriptionCount: () => 0,
    waitForTx: (key) => events.waitForTx(key),
  };
}
