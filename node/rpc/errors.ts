/** An answer that is an error, in the codes and words of JSON-RPC 2.0 as CometBFT uses them. */
export class RpcError extends Error {
  readonly code: number;
  /** What was wrong; the `data` of the error object. */
  readonly data: string;

  constructor(code: number, message: string, data: string) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
    this.data = data;
  }
}

export const parseError = (data: string): RpcError => new RpcError(-32700, 'Parse error. Invalid JSON', data);
export const invalidRequest = (data: string): RpcError => new RpcError(-32600, 'Invalid Request', data);
export const methodNotFound = (): RpcError => new RpcError(-32601, 'Method not found', '');
export const invalidParams = (data: string): RpcError => new RpcError(-32602, 'Invalid params', data);
export const internalError = (data: string): RpcError => new RpcError(-32603, 'Internal error', data);
export const serverError = (data: string): RpcError => new RpcError(-32000, 'Server error', data);

/** A parameter that cannot be read. The transport says how to report it. */
export class ParamError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ParamError';
  }
}
