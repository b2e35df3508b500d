import { type RawBuilder, type SelectQueryBuilder, sql } from 'kysely'
import type { KeyState } from '../core/keys/key.ts'
import type { KeyQuery, KeySort, KeyStore } from '../core/store.ts'
import { type KeyRowWithUse, toKeyWithUse } from './key-rows.ts'
import { idsWithText, matching, withText } from './key-search.ts'
import type { Db } from './sqlite.ts'
import type { Tables } from './tables.ts'

/** So few can be read, sorted and counted at once; of more, a page is found sooner along the index of its order. */
export const FEW = 1000

export type Listing = SelectQueryBuilder<Tables, 'keys' | 'key_use', KeyRowWithUse>

export function withUse(db: Db, first: 'keys' | 'key_use' = 'keys'): Listing {
  const joined =
    first === 'keys' ? db.selectFrom('keys').crossJoin('key_use') : db.selectFrom('key_use').crossJoin('keys')
  return (joined as SelectQueryBuilder<Tables, 'keys' | 'key_use', object>)
    .selectAll('keys')
    .select(['key_use.last_used_at', 'key_use.last_used_ip', 'key_use.last_used_client', 'key_use.request_count'])
    .select(oldLastUse)
    .whereRef('key_use.key_id', '=', 'keys.id')
}

/** Of the secret that ends with the overlap, for the few keys that have one. */
const oldLastUse = sql<number | null>`(case when keys.overlap_ends_at is not null then
  (select max(key_secrets.last_used_at) from key_secrets
   where key_secrets.key_id = keys.id and key_secrets.ends_at = keys.overlap_ends_at) end)`.as('old_last_used_at')

export function keyListsIn(db: Db): Pick<KeyStore, 'list' | 'tally'> {
  return {
    async list(query, { limit, cursor }) {
      const order = orderOf(query)
      const rows = (asked: KeyQuery) => fitting(withUse(db, order.first), asked)
      const place = readCursor(cursor)
      const page = (found: KeyRowWithUse[]) => {
        const items = found.slice(0, limit)
        const last = found.length > limit ? items.at(-1)! : null
        return { items: items.map(toKeyWithUse), nextCursor: last && cursorAt(order.valueIn(last), last.id) }
      }
      let ids: string[] | null = null
      if (isNarrowed(query)) {
        ids = await idsFitting(db, query, limit)
        if (ids?.length === 0) return page([])
        if (!ids) {
          const near = await nearest(db, query, order, place, limit + 1)
          if (near.length > limit) return page(near)
          ids = await idsFitting(db, query, FEW)
        }
      }
      const found: KeyRowWithUse[] = []
      for (const part of order.from(() => among(rows(query), ids), place)) {
        const left = limit + 1 - found.length
        if (left > 0) found.push(...(await part.limit(left).execute()))
      }
      return page(found)
    },

    async tally(query) {
      const { workspaceId, search } = query
      const named = search ? await idsWithText(db, workspaceId, search, FEW) : null
      const all = fitting(named ? keysNamed(db, named) : keysOf(db), { ...query, search: undefined })
      const rows = await (search && !named
        ? all.where(sql<boolean>`keys.id in (${withText(workspaceId, search)})`)
        : all
      )
        .clearSelect()
        .select(stateAt(query.now).as('state'))
        .select(({ fn }) => fn.countAll<number>().as('keys'))
        .groupBy('state')
        .execute()
      return { ...NONE, ...Object.fromEntries(rows.map(({ state, keys }) => [state, Number(keys)])) }
    },
  }
}

const NONE: Record<KeyState, number> = { active: 0, scheduled: 0, expired: 0, disabled: 0, revoked: 0 }

function isNarrowed({ search, environment, state, states, ownerId, type, mcp }: KeyQuery): boolean {
  return Boolean(search || environment || state || states || ownerId || type || mcp)
}

/** Of those that fit, and of somewhat more; null if there are more than so many. */
async function idsFitting(db: Db, query: KeyQuery, most: number): Promise<string[] | null> {
  const { workspaceId, search } = query
  const named = search ? await idsWithText(db, workspaceId, search, most) : null
  if (named || !isNarrowed({ ...query, search: undefined })) return named
  const rows = await fitting(keysOf(db), { ...query, search: undefined })
    .clearSelect()
    .select('keys.id')
    .limit(most + 1)
    .execute()
  return rows.length > most ? null : rows.map(({ id }) => id)
}

/** A page takes so many times its length to be found nearby, where nearly all keys fit. */
const NEARBY = 4

/** Those that fit among the next along the index; where these are fewer than were asked for, others may lie beyond. */
async function nearest(
  db: Db,
  query: KeyQuery,
  order: Order,
  place: Place | null,
  wanted: number,
): Promise<KeyRowWithUse[]> {
  const { workspaceId, now } = query
  const [next] = order.from(() => fitting(withUse(db, order.first), { workspaceId, now }), place)
  const keys = next!.limit(NEARBY * wanted).as('keys')
  const nearby = db.selectFrom(keys).selectAll('keys') as unknown as Listing
  return fitting(nearby, query).limit(wanted).execute()
}

function among(rows: Listing, ids: string[] | null): Listing {
  return ids ? rows.where('keys.id', 'in', listed(ids)) : rows
}

/** Without their use: what they are narrowed by stands in one index. */
function keysOf(db: Db): Listing {
  return db.selectFrom('keys') as unknown as Listing
}

/** One by one, or the planner would go through all the others for them. */
function keysNamed(db: Db, ids: string[]): Listing {
  const named = sql<{ value: string }>`json_each(${JSON.stringify(ids)})`.as<'named'>(sql.ref('named'))
  const joined = db.selectFrom(named).crossJoin('keys').whereRef('keys.id', '=', 'named.value')
  return joined as unknown as Listing
}

/** As one value: a statement with a thousand of them would be another for each number. */
function listed(ids: string[]): RawBuilder<string> {
  return sql`(select value from json_each(${JSON.stringify(ids)}))`
}

export function fitting(rows: Listing, query: KeyQuery): Listing {
  const { workspaceId, environment, type, ownerId, mcp, search, state, states, now } = query
  let found = rows.where('keys.workspace_id', '=', workspaceId)
  const wanted = state ? [state] : states
  if (wanted)
    found = found.where(
      sql<boolean>`(${sql.join(
        wanted.map((one) => sql`(${inState(one, now)})`),
        sql` or `,
      )})`,
    )
  if (environment) found = found.where('keys.environment', '=', environment)
  if (type) found = found.where('keys.type', '=', type)
  if (ownerId) found = found.where('keys.owner_id', '=', ownerId)
  if (mcp) found = found.where(reaches(mcp))
  return search ? found.where(matching(search)) : found
}

/** Mirrors `stateOf` for lists; whether a key may pass is never decided here. */
function stateAt(now: Date) {
  return sql<KeyState>`case
    when keys.revoked_at is not null then 'revoked'
    when keys.disabled_at is not null then 'disabled'
    when keys.expires_at <= ${now.getTime()} then 'expired'
    when keys.not_before > ${now.getTime()} then 'scheduled'
    else 'active' end`
}

/** The same as a condition that an index can be asked for. */
function inState(state: KeyState, now: Date): RawBuilder<boolean> {
  const at = now.getTime()
  const on = sql`keys.revoked_at is null and keys.disabled_at is null`
  const alive = sql`${on} and (keys.expires_at is null or keys.expires_at > ${at})`
  const conditions: Record<KeyState, RawBuilder<boolean>> = {
    revoked: sql`keys.revoked_at is not null`,
    disabled: sql`keys.revoked_at is null and keys.disabled_at is not null`,
    expired: sql`${on} and keys.expires_at <= ${at}`,
    scheduled: sql`${alive} and keys.not_before > ${at}`,
    active: sql`${alive} and (keys.not_before is null or keys.not_before <= ${at})`,
  }
  return conditions[state]
}

/** As `checkAccess` leaves it; a slug holds no sign that JSON would write otherwise. */
function reaches(slug: string): RawBuilder<boolean> {
  return sql`(keys.mcp_access = '{"mode":"all"}' or instr(keys.mcp_access, ${`"slug":${JSON.stringify(slug)}`}) > 0)`
}

type Order = {
  first: 'keys' | 'key_use'
  /** What comes after a place, in order: each part along one stretch of the index. */
  from(rows: () => Listing, place: Place | null): Listing[]
  valueIn(row: KeyRowWithUse): string | number
}

type Place = { value: string | number; id: string }

const NEVER = Number.MAX_SAFE_INTEGER

/** `desc`: what people want to see first, unless they say otherwise. Each has an index of this very expression. */
const SORTS: Record<KeySort, Pick<Order, 'first' | 'valueIn'> & { by: RawBuilder<unknown>; desc: boolean }> = {
  created: { first: 'keys', by: sql`keys.id`, valueIn: ({ id }) => id, desc: true },
  name: { first: 'keys', by: sql`keys.name collate nocase`, valueIn: ({ name }) => name, desc: false },
  last_used: { first: 'key_use', by: sql`key_use.last_used_at`, valueIn: (row) => row.last_used_at, desc: true },
  expires: {
    first: 'keys',
    by: sql`coalesce(keys.expires_at, ${sql.lit(NEVER)})`,
    valueIn: (row) => row.expires_at ?? NEVER,
    desc: false,
  },
}

function orderOf({ workspaceId, sort = 'created', order }: KeyQuery): Order {
  const { by, desc, first, valueIn } = SORTS[sort]
  const descends = order ? order === 'desc' : desc
  const id = sql.ref(first === 'keys' ? 'keys.id' : 'key_use.key_id')
  const beyond = descends ? sql`<` : sql`>`
  const way = descends ? 'desc' : 'asc'
  return {
    first,
    valueIn,
    from(rows, place) {
      const own = () => (first === 'key_use' ? rows().where('key_use.workspace_id', '=', workspaceId) : rows())
      const sorted = (part: Listing) => part.orderBy(by, way).orderBy(id, way)
      if (!place) return [sorted(own())]
      const { value, id: last } = place
      const further = sorted(own().where(sql<boolean>`${by} ${beyond} ${value}`))
      if (sort === 'created') return [further]
      const alike = own().where(sql<boolean>`${by} = ${value} and ${id} ${beyond} ${last}`)
      return [alike.orderBy(id, way), further]
    },
  }
}

function cursorAt(value: string | number, id: string): string {
  return Buffer.from(JSON.stringify([value, id])).toString('base64url')
}

/** One that is none begins the list again. */
function readCursor(cursor: string | null): Place | null {
  if (cursor === null) return null
  try {
    const [value, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    const known = typeof value === 'string' || typeof value === 'number'
    return known && typeof id === 'string' ? { value, id } : null
  } catch {
    return null
  }
}
