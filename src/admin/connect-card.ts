import { mayDo } from '../core/caller.ts'
import { CLIENT_NAMES, type ClientName, clientNamed } from '../core/connect/clients.ts'
import { targetFor } from '../core/connect/connection.ts'
import { UNLOGGED, waysOutside, whyOutOfReach } from '../core/connect/outside.ts'
import { freeNameFor, handedDown, sendsKeyInUrl } from '../core/connect/sibling.ts'
import { holdsKeyInUrl } from '../core/connect/variant.ts'
import type { Key } from '../core/keys/key.ts'
import { inWords } from '../core/keys/words.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { newOnce } from './once.ts'
import { originOf } from './origin.ts'

/** Shown at once; the rest under one word more. */
const FOREMOST = 8

type Wanted = {
  slug: string | null
  /** The key that was just issued, whole: there is no other moment to show it in. */
  issued?: { key: Key; fullKey: string }
  /** What a client's own key would be like. */
  like?: Key | null
  /** Nobody has named it: it is the visitor's newest that fits. */
  picked?: boolean
  chosen?: ClientName
  first?: boolean
  /** What the card is called on its page, which may hold two. */
  at?: Place
}

export type Place = 'connect' | 'issued'

/** How every client is told, or the one that a key was issued for. */
export async function connectCard(door: Door, visit: Inside, wanted: Wanted) {
  const { slug, issued, like = null, picked = false, chosen, first = false, at = 'connect' } = wanted
  const origin = originOf(door, visit)
  const { name, email } = visit.person.user
  return {
    at,
    origin,
    slug,
    first,
    chosen: chosen ?? CLIENT_NAMES[0]!,
    foremost: FOREMOST,
    outOfReach: whyOutOfReach(origin),
    ways: waysOutside(origin),
    unlogged: UNLOGGED,
    mayIssue: mayDo(visit.caller, 'keys.issue'),
    like: like && { id: like.id, name: like.name, picked },
    another: { ...(like && { key: like.id }), ...(slug && { mcp: slug }), ...(first && { first: '1' }) },
    once: newOnce(door.ctx.now()),
    clients: await Promise.all(CLIENT_NAMES.map(clientOf)),
  }

  async function clientOf(client: ClientName) {
    const { label, keyInUrl = false } = clientNamed(client)
    const inUrl = sendsKeyInUrl(client, origin)
    const variants = variantsFor(client).filter((variant) => variant.filled || inUrl || !holdsKeyInUrl(variant))
    return {
      client,
      label,
      hosted: keyInUrl,
      inUrl,
      may: like && inWords({ ...like, ...handedDown(like, inUrl || picked) }).may,
      keyName: await freeNameFor(door.ctx, visit.workspace.id, client, name || email),
      ways: variants.filter(({ filled }) => filled),
      unfilled: variants.filter(({ filled }) => !filled),
    }
  }

  /** A URL with a key in it is of use only if the key may be sent in one: a client that has other ways is shown those. */
  function variantsFor(client: ClientName) {
    const { variants } = clientNamed(client)
    const filled = variants(targetFor(origin, slug, issued?.fullKey))
    const blank = variants(targetFor(origin, slug))
    return filled.map((variant, at) => {
      const usable = issued && (issued.key.allowInUrl || !holdsKeyInUrl(variant))
      return { ...(usable ? variant : blank[at]!), filled: usable === true }
    })
  }
}

export type Card = Awaited<ReturnType<typeof connectCard>>
