import { Refusal } from '../core/refusal.ts'
import type { BunRequest } from '../http/bun-request.ts'
import { LEGACY, MODERN, NEWEST_LEGACY } from '../upstreams/handshake.ts'

/** Its servers must answer batches, which were taken out again three months later. Its clients all speak the one before. */
const WITH_BATCHES = '2025-03-26'
const BEFORE_BATCHES = '2024-11-05'

const AGREED: readonly string[] = LEGACY.filter((version) => version !== WITH_BATCHES)

export const SUPPORTED = [MODERN, ...AGREED]

/** What a handshake that asks for this version is answered with. */
export function agreedVersion(requested: string): string {
  if (requested === WITH_BATCHES) return BEFORE_BATCHES
  return AGREED.includes(requested) ? requested : NEWEST_LEGACY
}

/** The header is optional in a session; one that names what nobody speaks is a mistake. */
export function checkVersionHeader({ headers }: BunRequest): void {
  const named = headers['mcp-protocol-version']
  if (named === undefined || (LEGACY as readonly unknown[]).includes(named)) return
  throw new Refusal(
    'bad_request',
    `MCP-Protocol-Version names no version of a session here. Send the one that \`initialize\` was answered with: ${AGREED.join(', ')}.`,
  )
}
