import type { Request } from 'express'
import type { Environment } from '../core/keys/key.ts'
import type { Mcp } from '../core/mcps/mcp.ts'
import type { Given } from '../core/mcps/retarget.ts'
import { text, ticked } from './form.ts'
import { pairs, words } from './mcp-form.ts'

/** What a form says of the targets of an MCP that there is; null where it says nothing of them. */
export function readTargets(req: Request, { transport }: Mcp): Record<Environment, Given | null> | null {
  if (transport === 'http' && req.body?.url !== undefined)
    return { live: address(req, 'url', 'headers'), test: address(req, 'test_url', 'test_headers') }
  if (transport === 'stdio' && req.body?.command !== undefined)
    return { live: command(req, ''), test: command(req, 'test_') }
  return null
}

function address(req: Request, url: string, headers: string): Given | null {
  const typed = text(req, url)
  return typed === '' ? null : { kind: 'http', url: typed, headers: keptOr(req, headers, ':') }
}

function command(req: Request, prefix: '' | 'test_'): Given | null {
  const [program, ...args] = words(text(req, `${prefix}command`))
  if (!program) return null
  const cwd = text(req, `${prefix}cwd`) || null
  return { kind: 'stdio', command: program, args, cwd, env: keptOr(req, `${prefix}env`, '=') }
}

/** Left empty, what is kept stays; it cannot be shown, so it cannot be typed again. */
function keptOr(req: Request, field: string, sign: ':' | '='): Record<string, string> | null {
  if (ticked(req, `${field}_none`)) return {}
  return text(req, field) === '' ? null : pairs(req, field, sign)
}
