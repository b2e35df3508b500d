import type { Target } from '../core/mcps/mcp.ts'
import type { Openers } from './connect.ts'
import type { HttpOptions } from './exchange.ts'
import { addressGuard } from './guard.ts'
import { httpWire, statelessWire } from './http.ts'
import { oldSseWire } from './old-sse.ts'
import { type StdioOptions, stdioWire } from './stdio.ts'
import type { OpenWire } from './wire.ts'

type Options = StdioOptions & { allowPrivate: boolean }

/** Which wire leads to which target. */
export function openersFor({ environment, runDir, allowPrivate }: Options): Openers {
  const http: HttpOptions = { environment, guard: addressGuard({ allowPrivate }) }
  return {
    session(target: Target): OpenWire {
      if (target.kind === 'http') return httpWire(target, http)
      if (target.kind === 'stdio') return stdioWire(target, { environment, runDir })
      throw new Error(`There is no builtin server ${target.name}.`)
    },
    stateless: (target) => (target.kind === 'http' ? statelessWire(target, http) : null),
    old: (target) => (target.kind === 'http' ? oldSseWire(target, http) : null),
  }
}
