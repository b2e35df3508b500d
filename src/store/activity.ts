import type Database from 'better-sqlite3'
import type { Selectable } from 'kysely'
import type { ActivityLine } from '../core/activity.ts'
import type { Environment } from '../core/keys/key.ts'
import type { Store } from '../core/store.ts'
import { callersOf } from './callers.ts'
import type { Db } from './sqlite.ts'
import type { ActivityRow } from './tables.ts'

/** Nobody's decision rests on these, so they move no version: a busy server does not empty its own ring. */
export function activityIn(db: Db, connection: Database.Database): Store['activity'] {
  let statements: Statements | null = null
  return {
    async write(lines, used, oldSecrets = []) {
      statements ??= prepared(connection)
      const { addLine, addUse, addOldUse } = statements
      await db.connection().execute(async () =>
        withoutSync(connection, () => {
          for (const line of lines) addLine.run(valuesOf(line))
          for (const { keyId, at, ip, client, requests } of used)
            addUse.run({ key_id: keyId, at: at.getTime(), ip, client, requests })
          for (const { hash, at } of oldSecrets) addOldUse.run({ hash, at: at.getTime() })
        }),
      )
    },

    async list(query, page) {
      let rows = db.selectFrom('activity').selectAll().where('workspace_id', '=', query.workspaceId)
      if (query.keyId) rows = rows.where('key_id', '=', query.keyId)
      if (page.cursor) rows = rows.where('id', '<', Number(page.cursor))
      const found = await rows
        .orderBy('id', 'desc')
        .limit(page.limit + 1)
        .execute()
      const shown = found.slice(0, page.limit)
      return { items: shown.map(toLine), nextCursor: found.length > page.limit ? String(shown.at(-1)!.id) : null }
    },

    callersOf: (workspaceId, keyId, since) => callersOf(db, workspaceId, keyId, since),

    async sweep(before) {
      const kept = await db
        .selectFrom('activity')
        .select('id')
        .where('at', '>=', before.getTime())
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      await db
        .deleteFrom('activity')
        .$if(kept !== undefined, (lines) => lines.where('id', '<', kept!.id))
        .execute()
    },
  }
}

/** One transaction that a power cut may undo, though no kill of ours: the next change of somebody's syncs it too. */
function withoutSync(connection: Database.Database, write: () => void): void {
  connection.pragma('synchronous = NORMAL')
  try {
    connection.transaction(write).immediate()
  } finally {
    connection.pragma('synchronous = FULL')
  }
}

/** By position: names cost as much as the rest of the call. */
function valuesOf(line: ActivityLine) {
  return [
    line.workspaceId,
    line.at.getTime(),
    line.requestId,
    line.keyId,
    line.mcp,
    line.method,
    line.tool,
    line.environment,
    line.outcome,
    line.status,
    line.latencyMs,
    line.upstreamMs,
    line.ip,
    line.client,
  ]
}

function toLine(row: Selectable<ActivityRow>): ActivityLine {
  return {
    workspaceId: row.workspace_id,
    at: new Date(row.at),
    requestId: row.request_id,
    keyId: row.key_id,
    mcp: row.mcp,
    method: row.method,
    tool: row.tool,
    environment: row.environment as Environment,
    outcome: row.outcome as ActivityLine['outcome'],
    status: row.status,
    latencyMs: row.latency_ms,
    upstreamMs: row.upstream_ms,
    ip: row.ip,
    client: row.client,
  }
}

type Statements = ReturnType<typeof prepared>

/** Thousands of lines a second pass here: prepared, they cost a fifth of what kysely takes to build each anew. */
function prepared(connection: Database.Database) {
  return {
    addLine: connection.prepare<[ReturnType<typeof valuesOf>]>(
      `insert into activity (workspace_id, at, request_id, key_id, mcp, method, tool, environment, outcome, status,
         latency_ms, upstream_ms, ip, client)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    addOldUse: connection.prepare('update key_secrets set last_used_at = @at where hash = @hash'),
    addUse: connection.prepare(
      `update key_use set last_used_at = @at, last_used_ip = @ip,
         last_used_client = coalesce(@client, last_used_client), request_count = request_count + @requests
       where key_id = @key_id`,
    ),
  }
}
