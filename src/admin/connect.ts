import { type ClientName, isClientName } from '../core/connect/clients.ts'
import { clientCalled } from '../core/connect/connection.ts'
import { issueFor, type Model, ownKeyFor } from '../core/connect/sibling.ts'
import { keyOf } from '../core/keys/changing.ts'
import type { Key } from '../core/keys/key.ts'
import { mcpOf } from '../core/mcps/edit.ts'
import { orAgain, type Wrong } from './again.ts'
import { isHtmx, showPiece } from './answer.ts'
import { connectCard, type Place } from './connect-card.ts'
import { signalFor } from './connect-signal.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { text } from './form.ts'
import { once } from './once.ts'
import { originOf } from './origin.ts'

const NO_KEY = 'none'

/** Opening it makes nothing: a key comes into being by the form alone. */
export function connectPage(door: Door) {
  return async (visit: Inside) => {
    const { query } = visit.req
    await showCard(door, visit, wishOf(query), [])
  }
}

/** The client's own key, filled in: shown in this answer alone. */
export function issueAndConnect(door: Door) {
  return async (visit: Inside) => {
    const { ctx } = door
    const { req, res, caller, workspace, person } = visit
    const wish = wishOf(req.body)
    const client = clientCalled(text(req, 'client'))
    await orAgain(
      res,
      async () => {
        const model = await modelOf(door, visit, wish)
        const { key, fullKey } = await once(ctx, person.user.id, text(req, 'once'), () =>
          issueFor(ctx, caller, workspace.id, client, model),
        )
        await showIssued(door, visit, { ...wish, ...model, client, key, fullKey: fullKey.reveal() })
      },
      (errors) => showCard(door, visit, { ...wish, client }, errors),
    )
  }
}

/** `picked`: the page chose the key, and says so when its form comes back. */
type Wish = {
  slug: string | null
  like: string | null
  picked: boolean
  client: ClientName | undefined
  first: boolean
  at: Place
}

function wishOf(given: Record<string, unknown> = {}): Wish {
  const said = (name: string) => (typeof given[name] === 'string' && given[name] !== '' ? given[name] : null)
  const client = said('client')
  return {
    slug: said('mcp'),
    like: said('key'),
    picked: said('picked') !== null,
    client: client !== null && isClientName(client) ? client : undefined,
    first: said('first') !== null,
    at: said('at') === 'issued' ? 'issued' : 'connect',
  }
}

/** The key that was named (or none, by the form of a page that knew of none), else the visitor's own that fits, else none yet. */
async function modelOf(door: Door, visit: Inside, { slug, like: id, picked }: Wish): Promise<Model> {
  const { ctx } = door
  const { caller, workspace } = visit
  const mcp = slug === null ? null : await mcpOf(ctx, workspace.id, slug)
  const wanted = { slug: mcp?.slug ?? null, environment: mcp && !mcp.targets.live ? 'test' : 'live' } as const
  const origin = originOf(door, visit)
  if (id === NO_KEY) return { ...wanted, like: null, origin }
  if (id !== null) return { ...wanted, like: await keyOf(ctx, caller, workspace.id, id), picked, origin }
  return { ...wanted, like: await ownKeyFor(ctx, caller, workspace.id, wanted), picked: true, origin }
}

async function showCard(door: Door, visit: Inside, wish: Wish, errors: Wrong): Promise<void> {
  const { slug, like, picked } = await modelOf(door, visit, wish)
  const connect = await connectCard(door, visit, {
    slug,
    like,
    picked,
    chosen: wish.client,
    first: wish.first,
    at: wish.at,
  })
  showPiece(door, visit, 'connect/card', wish.first ? 'connect/first' : 'connect/index', {
    connect,
    brought: isHtmx(visit),
    errors: errors.map(({ message }) => ({ message })),
  })
}

type Issued = Model & { first: boolean; at: Place; client: ClientName; key: Key; fullKey: string }

async function showIssued(door: Door, visit: Inside, issued: Issued): Promise<void> {
  const { slug, like, client, first, at, key, fullKey } = issued
  const card = await connectCard(door, visit, { slug, like, issued: { key, fullKey }, chosen: client, first, at })
  const [chosen] = card.clients.filter((one) => one.client === client)
  const connect = { ...card, clients: [chosen!] }
  const data = { connect, key, fullKey, brought: isHtmx(visit), signal: signalFor(door, visit, { key, first }) }
  showPiece(door, visit, 'connect/issued', first ? 'connect/first-issued' : 'connect/issued-page', data)
}
