import type { JsonObject } from './connection.ts'
import type { Era } from './handshake.ts'

/** For whom lists are read: a server may offer more to clients that it can ask something back. */
export type Audience = { era: Era; can: readonly string[] }

export const ANYBODY: Audience = { era: 'modern', can: [] }

const ASKABLE: Record<string, string[]> = { elicitation: ['form', 'url'], roots: [], sampling: ['context', 'tools'] }

/** What a client declares, as far as a server's lists may hang on it: `elicitation`, `elicitation.url`, … */
export function audienceOf(era: Era, capabilities: JsonObject | undefined): Audience {
  const can = Object.entries(ASKABLE).flatMap(([name, parts]) => {
    const declared = capabilities?.[name] as JsonObject | undefined
    return declared
      ? [name, ...parts.filter((part) => declared[part] !== undefined).map((part) => `${name}.${part}`)]
      : []
  })
  return can.length > 0 ? { era, can } : ANYBODY
}

export function capabilitiesOf({ can }: Audience): JsonObject {
  const capabilities: Record<string, JsonObject> = {}
  for (const one of can) {
    const [name, part] = one.split('.') as [string, string?]
    capabilities[name] = { ...capabilities[name], ...(part && { [part]: {} }) }
  }
  return capabilities
}
