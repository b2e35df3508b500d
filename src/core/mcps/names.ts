import { createHash } from 'node:crypto'

/** What every client takes: the specification allows more, but claude.ai, OpenAI and Bedrock refuse it. */
const EVERYWHERE = /^[a-zA-Z0-9_-]{1,64}$/
const LONGEST = 64
const SEPARATOR = '__'

/**
 * `github__create_issue`. A name that would be too long, or holds a sign some client refuses, ends in a hash of the
 * whole; so it depends on nothing but itself, and never changes because another server appears.
 */
export function exposedName(slug: string, name: string): string {
  const plain = slug + SEPARATOR + name
  if (EVERYWHERE.test(plain)) return plain
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${plain.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, LONGEST - 9)}_${hash}`
}

/** The MCP's slug and what follows; a slug holds no underscore, so the first separator is the one. */
export function splitName(exposed: string): { slug: string; rest: string } | null {
  const at = exposed.indexOf(SEPARATOR)
  return at > 0 ? { slug: exposed.slice(0, at), rest: exposed.slice(at + SEPARATOR.length) } : null
}

/** Whether `rest` may stand for a name that had to be hashed: then the list of names must be asked. */
export function looksHashed(rest: string): boolean {
  return /_[0-9a-f]{8}$/.test(rest)
}
