import type { BunRequest } from '../http/bun-request.ts'

/** Null at `/mcp`; what is no slug is an MCP that does not exist. */
export function slugOf(path: string): string | null {
  const rest = path.slice(BASE.length)
  return rest === '' ? null : rest.endsWith('/') ? rest.slice(0, -1) : rest
}

const BASE = '/mcp/'

export function sessionIdOf(req: BunRequest): string | undefined {
  const id = req.headers['mcp-session-id']
  return typeof id === 'string' && id !== '' ? id : undefined
}
