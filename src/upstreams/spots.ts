import type { Environment } from '../core/keys/key.ts'
import type { Mcp } from '../core/mcps/mcp.ts'
import type { Era } from './handshake.ts'
import { type Party, type Scope, scopeOf } from './lease.ts'

/** Where a party reaches a server. All whose spot has the same name go by one connection. */
export type Spot = { place: string; scope: Scope; name: string }

export type Spots = (mcp: Mcp, environment: Environment, party: Party) => Spot

type Found = Spot & { mcpId: string; revision: number; environment: Environment; era: Era }

/** A party mostly reaches what it reached last: then no name has to be written out again. */
export function spotsBy(eraFor: (place: string, party: Party) => Era): Spots {
  const latest = new WeakMap<Party, Found>()

  return (mcp, environment, party) => {
    const last = latest.get(party)
    if (last && isFor(last, mcp, environment) && last.era === eraFor(last.place, party)) return last
    const place = placeOf(mcp, environment)
    const era = eraFor(place, party)
    const scope = scopeOf(mcp, party)
    const name = nameOf(place, era, scope.name)
    const found = { place, scope, name, mcpId: mcp.id, revision: mcp.revision, environment, era }
    latest.set(party, found)
    return found
  }
}

function isFor({ mcpId, revision, environment }: Found, mcp: Mcp, wanted: Environment): boolean {
  return mcpId === mcp.id && revision === mcp.revision && environment === wanted
}

export function placeOf({ id, revision }: Mcp, environment: Environment): string {
  return `${id}/${revision}/${environment}`
}

export function nameOf(place: string, era: Era, scope: string): string {
  return `${place}/${era}/${scope}`
}
