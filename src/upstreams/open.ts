import type { McpServerFactory } from '@modelcontextprotocol/server'
import type { Target } from '../core/mcps/mcp.ts'
import { builtinWire } from './builtin.ts'
import type { Openers, Reader } from './connect.ts'
import type { HttpOptions } from './exchange.ts'
import { addressGuard } from './guard.ts'
import { httpWire, statelessWire } from './http.ts'
import { oldSseWire } from './old-sse.ts'
import { type StdioOptions, stdioWire } from './stdio.ts'
import type { OpenWire } from './wire.ts'

type Options = StdioOptions & {
  allowPrivate: boolean
  /** Our own servers by name, each read in when it is first needed. */
  builtin: Record<string, (reader: Reader) => Promise<McpServerFactory>>
}

/** Which wire leads to which target. */
export function openersFor({ environment, runDir, allowPrivate, builtin }: Options): Openers {
  const http: HttpOptions = { environment, guard: addressGuard({ allowPrivate }) }
  return {
    session(target: Target, reader: Reader): OpenWire {
      if (target.kind === 'http') return httpWire(target, http)
      if (target.kind === 'stdio') return stdioWire(target, { environment, runDir })
      const serve = builtin[target.name]
      if (!serve) throw new Error(`There is no builtin server ${target.name}.`)
      return builtinWire(() => serve(reader))
    },
    stateless: (target) => (target.kind === 'http' ? statelessWire(target, http) : null),
    old: (target) => (target.kind === 'http' ? oldSseWire(target, http) : null),
  }
}
