import type { Mcp } from '../core/mcps/mcp.ts'
import type { NamedThing, Offer } from '../core/mcps/state.ts'
import { type Audience, capabilitiesOf } from './audience.ts'
import type { JsonObject } from './connection.ts'
import { envelope, RpcError, resultOf } from './handshake.ts'
import type { Lease } from './lease.ts'

const MOST_PAGES = 64

/** All that a server offers over this connection. */
export async function offerOver(lease: Lease, mcp: Mcp, audience: Audience): Promise<Offer> {
  const { capabilities } = lease.hello
  const list = (capability: string, method: string, member: string) =>
    capabilities[capability] ? listAll(lease, mcp, audience, method, member).catch(asNothing) : Promise.resolve([])
  const [tools, prompts, resources, templates] = await Promise.all([
    capabilities.tools ? listAll(lease, mcp, audience, 'tools/list', 'tools') : [],
    list('prompts', 'prompts/list', 'prompts'),
    list('resources', 'resources/list', 'resources'),
    list('resources', 'resources/templates/list', 'resourceTemplates'),
  ])
  return { tools, prompts, resources, templates }
}

/** A server that refuses one of its lists still has the others. */
function asNothing(error: unknown): NamedThing[] {
  if (error instanceof RpcError) return []
  throw error
}

const NAMED_BY: Record<string, string> = { resources: 'uri', resourceTemplates: 'uriTemplate' }

function isNamed(thing: unknown, member: string): thing is NamedThing {
  return (
    typeof thing === 'object' && thing !== null && typeof (thing as NamedThing)[NAMED_BY[member] ?? 'name'] === 'string'
  )
}

async function listAll(
  lease: Lease,
  mcp: Mcp,
  audience: Audience,
  method: string,
  member: string,
): Promise<NamedThing[]> {
  const found: NamedThing[] = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const meta =
      lease.hello.era === 'modern'
        ? {
            _meta: envelope({ capabilities: capabilitiesOf(audience), clientInfo: { name: 'claviger', version: '0' } }),
          }
        : {}
    const params: JsonObject = { ...(cursor !== undefined && { cursor }), ...meta }
    const answer = await lease.connection.call({
      method,
      params,
      headers: { 'Mcp-Method': method },
      timeoutMs: mcp.timeoutSeconds * 1000,
    })
    const result = resultOf(answer) as JsonObject
    if (Array.isArray(result[member])) found.push(...result[member].filter((one) => isNamed(one, member)))
    cursor = result.nextCursor as string | undefined
    if (!cursor) break
  }
  return found
}
