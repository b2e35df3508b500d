import type { NamedThing, Offer } from '../core/mcps/state.ts'

/** What is new, gone or different in one of a server's lists. */
export type Change = { kind: keyof Offer; names: string[] }

const KINDS: (keyof Offer)[] = ['tools', 'prompts', 'resources', 'templates']

export function changesIn(before: Offer, after: Offer): Change[] {
  return KINDS.map((kind) => ({ kind, names: differing(before[kind], after[kind]) })).filter(
    ({ names }) => names.length > 0,
  )
}

/** The offer with some of its lists empty. */
export function without(offer: Offer, kinds: (keyof Offer)[]): Offer {
  return { ...offer, ...Object.fromEntries(kinds.map((kind) => [kind, []])) }
}

function differing(before: NamedThing[], after: NamedThing[]): string[] {
  const texts = new Map(before.map((thing) => [thing.name, JSON.stringify(thing)]))
  const changed = after.filter((thing) => texts.get(thing.name) !== JSON.stringify(thing)).map(({ name }) => name)
  const kept = new Set(after.map(({ name }) => name))
  return [...changed, ...[...texts.keys()].filter((name) => !kept.has(name))]
}
