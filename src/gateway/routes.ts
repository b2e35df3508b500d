import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from '../core/context.ts'
import type { Ring } from '../core/keys/ring.ts'
import { Refusal } from '../core/refusal.ts'
import { authenticate } from '../http/authenticate.ts'
import { sendRpcError } from '../http/refusals.ts'

/** The door for MCP clients: plain node:http, ahead of express, no body parser. */
export function gateway(ctx: Context, ring: Ring) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    await authenticate(ctx, ring, req, { urlToo: true })
    sendRpcError(res, new Refusal('not_found', 'Nothing is offered here yet.'), req.seen.id)
  }
}
