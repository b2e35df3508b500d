import type { Key } from '../core/keys/key.ts'
import type { NamedThing, Offer } from '../core/mcps/state.ts'
import { allows } from '../core/policy.ts'
import type { JsonObject } from '../upstreams/connection.ts'
import type { Era } from '../upstreams/handshake.ts'

/** The four lists: which member of the offer, and of the answer. */
export const LISTS: Record<string, { kind: keyof Offer; member: string }> = {
  'tools/list': { kind: 'tools', member: 'tools' },
  'prompts/list': { kind: 'prompts', member: 'prompts' },
  'resources/list': { kind: 'resources', member: 'resources' },
  'resources/templates/list': { kind: 'templates', member: 'resourceTemplates' },
}

/** Only what may be used is shown: tools one by one, prompts and resources of an MCP together. */
export function visible(key: Key, slug: string, kind: keyof Offer, things: NamedThing[]): NamedThing[] {
  if (kind !== 'tools') return allows(key, { slug, tool: null }) ? things : []
  return things.filter((tool) => typeof tool?.name === 'string' && allows(key, { slug, tool: tool.name }))
}

/** A list that depends on the key is for that key alone, whatever the server says of its own. */
export function listResult(era: Era, member: string, things: NamedThing[], rest: JsonObject = {}): JsonObject {
  if (era === 'legacy') return { ...rest, [member]: things }
  return { resultType: 'complete', ttlMs: 0, ...rest, cacheScope: 'private', [member]: things }
}
