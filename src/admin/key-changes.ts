import type { Key, McpAccess } from '../core/keys/key.ts'
import type { KeyEdit, NewKey } from '../core/keys/wishes.ts'

/** A form sends everything; the audit log is to say what somebody changed. */
export function onlyChanged(key: Key, wanted: NewKey): KeyEdit {
  const { environment: _, ...rest } = wanted
  const changed = (Object.keys(rest) as (keyof KeyEdit)[]).filter(
    (name) => rest[name] !== undefined && plain(rest[name]) !== plain(key[name]),
  )
  return Object.fromEntries(changed.map((name) => [name, rest[name]]))
}

/** The order of scopes, tools and MCPs says nothing, and an empty description is none. */
function plain(value: unknown): string {
  if (isAccess(value) && value.mode === 'selected')
    return JSON.stringify(value.mcps.map(({ slug, tools }) => [slug, tools && [...tools].sort()]).sort())
  return JSON.stringify(Array.isArray(value) ? [...value].sort() : value || null)
}

function isAccess(value: unknown): value is McpAccess {
  return typeof value === 'object' && value !== null && 'mode' in value
}
