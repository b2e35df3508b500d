/** A small fast MCP server in both protocol eras: what is measured in front of it is the gateway, not the server. */

export type Message = { id?: number | string; method?: string; params?: Record<string, unknown> }

const MODERN = '2026-07-28'
const SERVER = { name: 'bench-echo', version: '1.0.0' }
const ECHO = {
  name: 'echo',
  description: 'Says the text again.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}

/** The answer as JSON text; null for what is not answered. */
export function answerTo(message: Message): string | null {
  const { id, method, params = {} } = message
  if (id === undefined || method === undefined) return null
  const meta = params._meta as Record<string, unknown> | undefined
  const modern = meta?.['io.modelcontextprotocol/protocolVersion'] === MODERN
  const result = resultOf(method, params, modern)
  if (!result) return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: `No method ${method}.` } })
  return JSON.stringify({ jsonrpc: '2.0', id, result: modern ? { resultType: 'complete', ...result } : result })
}

function resultOf(method: string, params: Record<string, unknown>, modern: boolean): object | null {
  switch (method) {
    case 'tools/call': {
      const { text } = params.arguments as { text: string }
      return { content: [{ type: 'text', text }] }
    }
    case 'tools/list':
      return modern ? { ttlMs: 60_000, cacheScope: 'public', tools: [ECHO] } : { tools: [ECHO] }
    case 'initialize':
      return { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: SERVER }
    case 'server/discover':
      return {
        supportedVersions: [MODERN, '2025-11-25'],
        capabilities: { tools: {} },
        ttlMs: 60_000,
        cacheScope: 'public',
        _meta: { 'io.modelcontextprotocol/serverInfo': SERVER },
      }
    case 'ping':
      return {}
    default:
      return null
  }
}
