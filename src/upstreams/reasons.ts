import type { Mcp } from '../core/mcps/mcp.ts'
import { CallFailed } from './connection.ts'

export function tooSlow({ timeoutSeconds }: Mcp): CallFailed {
  return new CallFailed({
    code: 'upstream_timeout',
    stage: 'handshake',
    message: `The MCP server did not complete the handshake within ${timeoutSeconds} s.`,
    unsent: true,
  })
}

export function notStarted(message: string): CallFailed {
  return new CallFailed({ code: 'upstream_unavailable', stage: 'start', message, unsent: true })
}

export function changed(): CallFailed {
  return notStarted('This MCP was changed or removed meanwhile. Try again.')
}
