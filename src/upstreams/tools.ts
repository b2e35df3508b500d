import { Refusal } from '../core/refusal.ts'
import type { Tools } from '../core/tools.ts'
import type { Catalogue } from './catalogue.ts'
import { CallFailed, Cancelled } from './connection.ts'
import { envelope, RpcError, resultOf } from './handshake.ts'
import type { Pool } from './pool.ts'

export function toolsOver(pool: Pool, catalogue: Catalogue, version: string): Tools {
  return {
    known: catalogue.known,
    trouble(mcp, environment) {
      const last = pool.lastFailure(mcp, environment)
      return last && { message: last.failure.message, at: last.at }
    },
    refresh: (mcp, environment) => catalogue.refresh(mcp, environment).catch(refused),
    async call(keyId, mcp, environment, tool, args, signal) {
      try {
        const { connection, hello } = await pool.reach(mcp, environment, { era: 'modern', keyId, session: null })
        const modern = hello.era === 'modern'
        const answer = await connection.call({
          method: 'tools/call',
          params: {
            name: tool,
            arguments: args,
            ...(modern && { _meta: envelope({ capabilities: {}, clientInfo: { name: 'claviger', version } }) }),
          },
          headers: modern ? { 'Mcp-Method': 'tools/call', 'Mcp-Name': tool } : undefined,
          timeoutMs: mcp.timeoutSeconds * 1000,
          signal,
        })
        return resultOf(answer) as Record<string, unknown>
      } catch (error) {
        return refused(error)
      }
    },
  }
}

function refused(error: unknown): never {
  if (error instanceof CallFailed) throw new Refusal(error.failure.code, error.failure.message)
  if (error instanceof RpcError)
    throw new Refusal('upstream_unavailable', `The MCP server answers: ${error.error.message}`)
  if (error instanceof Cancelled) throw new Refusal('upstream_unavailable', 'The call was cancelled.')
  throw error
}
