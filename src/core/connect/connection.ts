import type { Context } from '../context.ts'
import type { Key } from '../keys/key.ts'
import { mcpNotPermitted, reaches } from '../policy.ts'
import { Refusal } from '../refusal.ts'
import { CLIENT_NAMES, type ClientName, clientNamed, isClientName } from './clients.ts'
import { whyOutOfReach } from './outside.ts'
import { holdsKeyInUrl, type Kind, type Target, type Told, type Variant } from './variant.ts'

/** What stands where a key would: keys are shown once, when they are issued. */
export const PLACEHOLDER = 'YOUR_API_KEY'

export type Connection = { client: ClientName; kind: Kind; variants: Told[] }

/** How a client is told of everything that a key opens, or of one MCP. */
export function connectionFor(client: ClientName, target: Target): Connection {
  const { kind, variants } = clientNamed(client)
  const unreachable = whyNotFrom(client, target)
  return { client, kind, variants: variants(target).map(told) }

  function told({ opens: _, ...variant }: Variant): Told {
    if (unreachable === null || !holdsKeyInUrl(variant)) return variant
    return { ...variant, note: [unreachable, variant.note].filter(Boolean).join(' ') }
  }
}

/** Why a client that calls from the internet cannot come to this address; null if it can, or calls from where it runs. */
export function whyNotFrom(client: ClientName, { url }: Pick<Target, 'url'>): string | null {
  return clientNamed(client).keyInUrl ? whyOutOfReach(new URL(url).origin) : null
}

export function targetFor(origin: string, slug: string | null, key: string = PLACEHOLDER): Target {
  return {
    name: serverName(slug),
    url: slug === null ? `${origin}/mcp` : `${origin}/mcp/${slug}`,
    key,
    variable: slug === null ? 'CLAVIGER_KEY' : `MCP_KEY_${slug.toUpperCase().replaceAll('-', '_')}`,
  }
}

/** A name that begins with a dash would be read as an option. */
function serverName(slug: string | null): string {
  if (slug === null) return 'claviger'
  return slug.startsWith('-') ? `mcp${slug}` : slug
}

export function clientCalled(text: string): ClientName {
  if (isClientName(text)) return text
  throw new Refusal('not_found', `There is no client ${text} here. There are ${CLIENT_NAMES.join(', ')}.`)
}

/** An MCP that the key may not use, and one that does not exist, are told apart by nobody. */
export async function checkReached(ctx: Context, key: Key, slug: string): Promise<void> {
  const mcps = await ctx.store.mcps.list(key.workspaceId)
  if (!mcps.some((mcp) => mcp.slug === slug) || !reaches(key, slug)) throw mcpNotPermitted()
}
