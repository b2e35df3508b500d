import type Database from 'better-sqlite3'
import type { Selectable } from 'kysely'
import type { ActivityLine } from '../core/activity.ts'
import type { Environment } from '../core/keys/key.ts'
import { namesIn } from './activity-names.ts'
import type { ActivityRow } from './tables.ts'

export const COLUMNS = [
  ...(['workspace_id', 'at', 'request_id', 'key_id', 'mcp', 'method', 'tool', 'environment', 'outcome'] as const),
  ...(['status', 'latency_ms', 'upstream_ms', 'ip', 'client'] as const),
] satisfies (keyof ActivityRow)[]

/** In the file these are numbers, of the texts in `name`. */
const NAMED = new Set<keyof ActivityRow>([
  ...(['workspace_id', 'key_id', 'mcp', 'method', 'tool', 'environment', 'outcome', 'ip', 'client'] as const),
])

/** Ids grow with time. Whoever reads finds lines whole in `call`. */
export const LINES = `
  create table if not exists line (
    id integer primary key,
    workspace_id integer not null,
    at integer not null,
    request_id text not null,
    key_id integer,
    mcp integer,
    method integer not null,
    tool integer,
    environment integer not null,
    outcome integer not null,
    status integer not null,
    latency_ms real not null,
    upstream_ms real,
    ip integer not null,
    client integer
  ) strict;
  create index if not exists line_by_workspace on line (workspace_id, id);
  create index if not exists line_by_key on line (key_id, id);
  create view if not exists call as
    select line.id, ${COLUMNS.map((column) => (NAMED.has(column) ? `${column}.text as ${column}` : `line.${column}`)).join(', ')}
    from line ${[...NAMED].map((column) => `left join name as ${column} on ${column}.id = line.${column}`).join(' ')};
`

/**
 * Adds a batch, within a transaction; the texts of its lines become numbers in place. Prepared, a line costs a fifth of
 * what kysely takes to build each anew; by position, half of what names cost.
 */
export function adding(connection: Database.Database, columns: readonly string[] = COLUMNS) {
  const names = namesIn(connection)
  const places = columns.map(() => '?').join(', ')
  const add = connection.prepare<[Values]>(
    `insert into line (${columns.join(', ')}) values (${places}) on conflict (id) do nothing`,
  )
  const named = columns.flatMap((column, place) => (NAMED.has(column as keyof ActivityRow) ? [place] : []))
  const at = columns.indexOf('at')

  return (lines: Iterable<Values>) => {
    const idOf = names()
    for (const values of lines) {
      for (const place of named) {
        const text = values[place]
        if (typeof text === 'string') values[place] = idOf(text, values[at] as number)
      }
      add.run(values)
    }
  }
}

/** In the order of the columns. */
export type Values = (string | number | null)[]

/** One text is what costs both threads the least: of objects, a copy alone takes three times as long as all of this. */
export function textOf(lines: readonly ActivityLine[]): string {
  return JSON.stringify(lines.map(valuesOf))
}

export function valuesIn(text: string): Values[] {
  return JSON.parse(text)
}

function valuesOf(line: ActivityLine): Values {
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

export function toLine(row: Selectable<ActivityRow>): ActivityLine {
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
