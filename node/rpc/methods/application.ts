/** What is passed on to the application. */
import { infoJson, queryJson } from '../json/abci.ts';
import { type Method, method } from '../method.ts';
import type { RpcPorts } from '../ports.ts';
import { answerNodeQuery } from '../node-queries.ts';
import type { ServerInfo } from './node.ts';

/** What CometBFT v0.38 says of itself to the application (`proxy/version.go`). */
const REQUEST_INFO = { version: '0.38.17', blockVersion: 11n, p2pVersion: 8n, abciVersion: '2.0.0' };

/** The methods that ask the application; what needs blocks is answered here, in its place. */
export function applicationMethods(ports: RpcPorts, identity: ServerInfo): readonly Method[] {
  const { application } = ports;
  return [
    method({
      name: 'abci_info',
      params: {},
      cacheable: 'always',
      call: async () => ({ response: infoJson(await application.info(REQUEST_INFO)) }),
    }),
    method({
      name: 'abci_query',
      params: { path: 'string', data: 'hexBytes', height: 'int64', prove: 'bool' },
      call: async ({ path, data, height, prove }) => {
        const own = await answerNodeQuery({ ...ports, identity }, { path, data });
        return { response: queryJson(own ?? (await application.query({ path, data, height, prove }))) };
      },
    }),
  ];
}
