import type { Key } from '../core/keys/key.ts'
import { pageOf } from './key-row.ts'

const MOST_NAMED = 3

/** What the list says above itself of keys that leaked; null while there are none. */
export function leakedNotice(base: string, keys: Key[]) {
  const [only] = keys
  if (!only) return null
  const one = keys.length === 1
  return {
    kind: 'bad' as const,
    title: one ? 'A key leaked.' : `${keys.length} keys leaked.`,
    text: `${named(keys)} ${one ? 'was' : 'were'} revoked within the last 7 days. Issue another to whoever needs it, and see what was called with the leaked one.`,
    link: one
      ? { href: `${pageOf(base, only)}#activity`, label: 'Look at its calls.' }
      : { href: `${base}/keys?section=over`, label: 'Look at them.' },
  }
}

function named(keys: Key[]): string {
  const names = keys.slice(0, MOST_NAMED).map(({ name, hint }) => `${name} (${hint})`)
  if (keys.length > MOST_NAMED) names.push(`${keys.length - MOST_NAMED} more`)
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
