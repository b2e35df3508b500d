import type { KeyObject } from 'node:crypto'
import { type SelectQueryBuilder, sql } from 'kysely'
import type { Environment, Key, KeyState, KeyType, Maker } from '../core/keys/key.ts'
import { Refusal } from '../core/refusal.ts'
import type { KeyChange, KeyQuery, KeyWithUse, Store } from '../core/store.ts'
import { append } from './audit.ts'
import type { Db, Tx } from './sqlite.ts'
import type { KeyRow, KeyUseRow, Tables } from './tables.ts'

export function keysIn(db: Db, seal: KeyObject, moved: () => void): Store['keys'] {
  const withUse = () =>
    db
      .selectFrom('keys')
      .leftJoin('key_use', 'key_use.key_id', 'keys.id')
      .selectAll('keys')
      .select(['key_use.last_used_at', 'key_use.last_used_ip', 'key_use.last_used_client', 'key_use.request_count'])
      .select(oldLastUse)

  return {
    async byId(workspaceId, id) {
      const row = await withUse()
        .where('keys.workspace_id', '=', workspaceId)
        .where('keys.id', '=', id)
        .executeTakeFirst()
      return row ? toKeyWithUse(row) : null
    },

    async findByHash(hash) {
      const row = await db
        .selectFrom('key_secrets')
        .innerJoin('keys', 'keys.id', 'key_secrets.key_id')
        .selectAll('keys')
        .select('key_secrets.ends_at as secret_ends_at')
        .where('key_secrets.hash', '=', hash)
        .executeTakeFirst()
      return row ? { ...toKey(row), secret: { hash, endsAt: date(row.secret_ends_at) } } : null
    },

    async list(query, page) {
      let rows = fitting(withUse(), query)
      if (page.cursor) rows = rows.where('keys.id', '<', page.cursor)
      const found = await rows
        .orderBy('keys.id', 'desc')
        .limit(page.limit + 1)
        .execute()
      const items = found.slice(0, page.limit).map(toKeyWithUse)
      return { items, nextCursor: found.length > page.limit ? items.at(-1)!.id : null }
    },

    async tally(query) {
      const rows = await db
        .selectFrom(fitting(withUse(), query).select(stateAt(query.now).as('state')).as('found'))
        .select(({ fn }) => ['found.state', fn.countAll<number>().as('keys')])
        .groupBy('found.state')
        .execute()
      const counts = Object.fromEntries(rows.map(({ state, keys }) => [state, Number(keys)]))
      return { ...NONE, ...counts }
    },

    async named(workspaceId, nameOrHint) {
      const rows = await withUse()
        .where('keys.workspace_id', '=', workspaceId)
        .where((eb) => eb.or([eb('keys.name', '=', nameOrHint), eb('keys.hint', '=', nameOrHint)]))
        .orderBy('keys.id', 'desc')
        .execute()
      return rows.map(toKeyWithUse)
    },

    add(key, { hash, imported = false }, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          if (key.ownerId !== null && !(await isMember(tx, key.workspaceId, key.ownerId)))
            throw new Refusal('forbidden', 'Whoever the key would belong to is no longer a member of this workspace.')
          if (await isKnown(tx, hash)) return false
          await tx.insertInto('keys').values(toRow(key)).execute()
          await addSecret(tx, key.id, { hash, hint: key.hint, imported, createdAt: key.createdAt })
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },

    change(key, changed, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const row = await renewed(tx, key, toColumns(changed))
          if (!row) return null
          await append(tx, seal, entry)
          return toKey(row)
        })
        .finally(moved)
    },

    rotate(key, { hash, hint, overlapEndsAt }, now, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const row = await renewed(tx, key, { hint, overlap_ends_at: overlapEndsAt?.getTime() ?? null })
          if (!row) return null
          await tx
            .updateTable('key_secrets')
            .set({ ends_at: (overlapEndsAt ?? now).getTime(), last_used_at: lastUseOf(key.id) })
            .where('key_id', '=', key.id)
            .where('ends_at', 'is', null)
            .execute()
          await addSecret(tx, key.id, { hash, hint, imported: false, createdAt: now })
          await append(tx, seal, entry)
          return toKey(row)
        })
        .finally(moved)
    },

    finishRotation(key, now, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const row = await renewed(tx, key, { overlap_ends_at: null })
          if (!row) return null
          await tx
            .updateTable('key_secrets')
            .set({ ends_at: now.getTime() })
            .where('key_id', '=', key.id)
            .where('ends_at', '>', now.getTime())
            .execute()
          await append(tx, seal, entry)
          return toKey(row)
        })
        .finally(moved)
    },

    revokeBySecret(hashes, now, reason, entryOf) {
      const at = now.getTime()
      let found = true
      return db
        .transaction()
        .execute(async (tx) => {
          const held = tx
            .selectFrom('key_secrets')
            .select('key_id')
            .where('hash', 'in', [...hashes])
            .where((eb) => eb.or([eb('ends_at', 'is', null), eb('ends_at', '>', at)]))
          const rows = await tx
            .updateTable('keys')
            .set(({ eb }) => ({ revoked_at: at, revoked_reason: reason, revision: eb('revision', '+', 1) }))
            .where('id', 'in', held)
            .where('revoked_at', 'is', null)
            .returningAll()
            .execute()
          const keys = rows.map(toKey)
          for (const key of keys) await append(tx, seal, entryOf(key))
          found = keys.length > 0
          return keys
        })
        .finally(() => found && moved()) // a stranger's empty report is no reason to read every key again
    },

    async anyImported() {
      const found = await db.selectFrom('key_secrets').select('hash').where('imported', '=', 1).limit(1).execute()
      return found.length > 0
    },

    remove(key, entry) {
      return db
        .transaction()
        .execute(async (tx) => {
          const gone = await tx
            .deleteFrom('keys')
            .where('id', '=', key.id)
            .where('revision', '=', key.revision)
            .returning('id')
            .executeTakeFirst()
          if (!gone) return false
          await append(tx, seal, entry)
          return true
        })
        .finally(moved)
    },
  }
}

/** Undefined if another change came first. */
function renewed(tx: Tx, key: Key, columns: Partial<KeyRow>): Promise<KeyRow | undefined> {
  return tx
    .updateTable('keys')
    .set({ ...columns, revision: key.revision + 1 })
    .where('id', '=', key.id)
    .where('revision', '=', key.revision)
    .returningAll()
    .executeTakeFirst()
}

type AddedSecret = { hash: string; hint: string; imported: boolean; createdAt: Date }

async function addSecret(tx: Tx, keyId: string, { hash, hint, imported, createdAt }: AddedSecret): Promise<void> {
  const row = { hash, key_id: keyId, hint, created_at: createdAt.getTime(), imported: Number(imported) }
  await tx
    .insertInto('key_secrets')
    .values({ ...row, ends_at: null, last_used_at: null })
    .execute()
}

async function isKnown(tx: Tx, hash: string): Promise<boolean> {
  return (await tx.selectFrom('key_secrets').select('hash').where('hash', '=', hash).execute()).length > 0
}

/** Up to the rotation the only secret there was: its last use is the key's. */
function lastUseOf(keyId: string) {
  return sql<number | null>`(select last_used_at from key_use where key_id = ${keyId})`
}

/** Of the secret that ends with the overlap. */
const oldLastUse = sql<number | null>`(select max(key_secrets.last_used_at) from key_secrets
  where key_secrets.key_id = keys.id and key_secrets.ends_at = keys.overlap_ends_at)`.as('old_last_used_at')

async function isMember(tx: Tx, workspaceId: string, userId: string): Promise<boolean> {
  const found = await tx
    .selectFrom('members')
    .select('user_id')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return Boolean(found)
}

const NONE: Record<KeyState, number> = { active: 0, scheduled: 0, expired: 0, disabled: 0, revoked: 0 }

type WithUse = KeyRow & { [column in Exclude<keyof KeyUseRow, 'key_id'>]: KeyUseRow[column] | null } & {
  old_last_used_at: number | null
}
type Listing = SelectQueryBuilder<Tables & { key_use: KeyUseRow | null }, 'keys' | 'key_use', WithUse>

/** Mirrors `stateOf` for lists; whether a key may pass is never decided here. */
function stateAt(now: Date) {
  return sql<KeyState>`case
    when keys.revoked_at is not null then 'revoked'
    when keys.disabled_at is not null then 'disabled'
    when keys.expires_at <= ${now.getTime()} then 'expired'
    when keys.not_before > ${now.getTime()} then 'scheduled'
    else 'active' end`
}

function fitting(rows: Listing, { workspaceId, environment, ownerId, search, state, states, now }: KeyQuery): Listing {
  let found = rows.where('keys.workspace_id', '=', workspaceId)
  const wanted = state ? [state] : states
  if (wanted) found = found.where(stateAt(now), 'in', wanted)
  if (environment) found = found.where('keys.environment', '=', environment)
  if (ownerId) found = found.where('keys.owner_id', '=', ownerId)
  return search ? matching(found, search) : found
}

function matching(rows: Listing, search: string): Listing {
  const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`
  return rows.where((eb) =>
    eb.or(
      (['keys.name', 'keys.hint', 'keys.description', 'key_use.last_used_client'] as const).map(
        (column) => sql<boolean>`lower(${eb.ref(column)}) like ${pattern} escape '\\'`,
      ),
    ),
  )
}

export function toKey(row: KeyRow): Key {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    ownerId: row.owner_id,
    hint: row.hint,
    name: row.name,
    description: row.description,
    environment: row.environment as Environment,
    type: row.type as KeyType,
    scopes: JSON.parse(row.scopes),
    mcpAccess: JSON.parse(row.mcp_access),
    ipAllow: JSON.parse(row.ip_allow),
    rateLimitPerMinute: row.rate_limit_per_minute,
    quotaPerDay: row.quota_per_day,
    allowInUrl: row.allow_in_url === 1,
    notBefore: date(row.not_before),
    expiresAt: date(row.expires_at),
    disabledAt: date(row.disabled_at),
    overlapEndsAt: date(row.overlap_ends_at),
    revokedAt: date(row.revoked_at),
    revokedReason: row.revoked_reason,
    createdAt: new Date(row.created_at),
    createdBy: { kind: row.created_by_kind as Maker['kind'], id: row.created_by_id, label: row.created_by_label },
    revision: row.revision,
  }
}

function toKeyWithUse(row: WithUse): KeyWithUse {
  return {
    ...toKey(row),
    lastUsedAt: date(row.last_used_at),
    lastUsedIp: row.last_used_ip,
    lastUsedClient: row.last_used_client,
    requestCount: row.request_count ?? 0,
    oldLastUsedAt: date(row.old_last_used_at),
  }
}

function toRow(key: Key): KeyRow {
  return {
    ...toColumns(key),
    id: key.id,
    workspace_id: key.workspaceId,
    owner_id: key.ownerId,
    hint: key.hint,
    environment: key.environment,
    overlap_ends_at: time(key.overlapEndsAt),
    created_at: key.createdAt.getTime(),
    created_by_kind: key.createdBy.kind,
    created_by_id: key.createdBy.id,
    created_by_label: key.createdBy.label,
    revision: key.revision,
  } as KeyRow
}

/** Only what is named: a column left undefined is left alone. */
function toColumns(changed: KeyChange): Partial<KeyRow> {
  return {
    name: changed.name,
    description: changed.description,
    type: changed.type,
    scopes: changed.scopes && JSON.stringify(changed.scopes),
    mcp_access: changed.mcpAccess && JSON.stringify(changed.mcpAccess),
    ip_allow: changed.ipAllow && JSON.stringify(changed.ipAllow),
    rate_limit_per_minute: changed.rateLimitPerMinute,
    quota_per_day: changed.quotaPerDay,
    allow_in_url: changed.allowInUrl === undefined ? undefined : Number(changed.allowInUrl),
    not_before: time(changed.notBefore),
    expires_at: time(changed.expiresAt),
    disabled_at: time(changed.disabledAt),
    revoked_at: time(changed.revokedAt),
    revoked_reason: changed.revokedReason,
  }
}

function time(date: Date | null | undefined): number | null | undefined {
  return date === null ? null : date?.getTime()
}

function date(time: number | null): Date | null {
  return time === null ? null : new Date(time)
}
