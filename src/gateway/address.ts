import type { BunRequest } from '../http/bun-request.ts'

/** Null at `/mcp`; what is no slug is an MCP that does not exist. */
export function slugOf(url: string): string | null {
  if (url === '/mcp') return null
  const end = url.search(/[?#]/)
  const rest = (end < 0 ? url : url.slice(0, end)).replace(/^\/mcp\/?/, '').replace(/\/$/, '')
  return rest === '' ? null : rest
}

export function sessionIdOf(req: BunRequest): string | undefined {
  const id = req.headers['mcp-session-id']
  return typeof id === 'string' && id !== '' ? id : undefined
}
