import type { Target } from '../core/mcps/mcp.ts'
import { CallFailed } from './connection.ts'
import type { Openers } from './pool.ts'
import { stdioWire } from './stdio.ts'
import type { OpenWire } from './wire.ts'

type Options = { environment: Record<string, string | undefined>; runDir: string | null; allowPrivate: boolean }

/** Which wire leads to which target. */
export function openersFor({ environment, runDir }: Options): Openers {
  return {
    session(target: Target): OpenWire {
      if (target.kind === 'stdio') return stdioWire(target, { environment, runDir })
      throw new CallFailed({ code: 'upstream_unavailable', stage: 'start', message: 'No wire.', unsent: true })
    },
    stateless: () => null,
    old: () => null,
  }
}
