import type { KeyObject } from 'node:crypto'
import {
  type Action,
  type Actor,
  type AuditEntry,
  type AuditLine,
  BEGINNING,
  sealLine,
  signHead,
} from '../core/audit.ts'
import type { Store } from '../core/store.ts'
import type { Db, Tx } from './sqlite.ts'
import type { AuditRow } from './tables.ts'

export function auditIn(db: Db, seal: KeyObject): Store['audit'] {
  return {
    async add(entry) {
      await db.transaction().execute((tx) => append(tx, seal, entry))
    },

    async list(query, page) {
      let lines = db.selectFrom('audit').selectAll().where('chain', '=', query.chain)
      if (query.action) lines = lines.where('action', '=', query.action)
      if (query.subjectId) lines = lines.where('subject_id', '=', query.subjectId)
      if (page.cursor) lines = lines.where('seq', '<', Number(page.cursor))
      const rows = await lines
        .orderBy('seq', 'desc')
        .limit(page.limit + 1)
        .execute()
      const shown = rows.slice(0, page.limit).map(toLine)
      return { items: shown, nextCursor: rows.length > page.limit ? String(shown.at(-1)!.seq) : null }
    },

    async chains() {
      const [lines, heads] = await Promise.all([
        db.selectFrom('audit').select('chain').distinct().execute(),
        db.selectFrom('audit_heads').select('chain').execute(),
      ])
      return [...new Set([...lines, ...heads].map((row) => row.chain))].sort()
    },

    async *lines(chain) {
      for (let after = Number.MIN_SAFE_INTEGER; ; ) {
        const rows = await db
          .selectFrom('audit')
          .selectAll()
          .where('chain', '=', chain)
          .where('seq', '>', after)
          .orderBy('seq')
          .limit(1000)
          .execute()
        if (rows.length === 0) return
        for (const row of rows) yield toLine(row)
        after = rows.at(-1)!.seq
      }
    },

    async head(chain) {
      return (await db.selectFrom('audit_heads').selectAll().where('chain', '=', chain).executeTakeFirst()) ?? null
    },
  }
}

/** Adds a line within the change's own transaction and signs the chain's new end. */
export async function append(tx: Tx, seal: KeyObject, entry: AuditEntry): Promise<void> {
  const head = await tx.selectFrom('audit_heads').selectAll().where('chain', '=', entry.chain).executeTakeFirst()
  const line = sealLine(entry, (head?.seq ?? 0) + 1, head?.hash ?? BEGINNING)
  await tx.insertInto('audit').values(toRow(line)).execute()
  const next = signHead(seal, line)
  await tx
    .insertInto('audit_heads')
    .values(next)
    .onConflict((conflict) => conflict.column('chain').doUpdateSet(next))
    .execute()
}

export async function appendAll(tx: Tx, seal: KeyObject, entries: AuditEntry[]): Promise<void> {
  for (const entry of entries) await append(tx, seal, entry)
}

function toRow(line: AuditLine): AuditRow {
  const { actor, subject } = line
  return {
    chain: line.chain,
    seq: line.seq,
    at: line.at.getTime(),
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_label: actor.label,
    address: actor.address,
    request_id: actor.requestId,
    action: line.action,
    subject_kind: subject.kind,
    subject_id: subject.id,
    subject_label: subject.label,
    before: line.before && JSON.stringify(line.before),
    after: line.after && JSON.stringify(line.after),
    previous: line.previous,
    hash: line.hash,
  }
}

function toLine(row: AuditRow): AuditLine {
  return {
    chain: row.chain,
    seq: row.seq,
    at: new Date(row.at),
    actor: {
      kind: row.actor_kind as Actor['kind'],
      id: row.actor_id,
      label: row.actor_label,
      address: row.address,
      requestId: row.request_id,
    },
    action: row.action as Action,
    subject: { kind: row.subject_kind, id: row.subject_id, label: row.subject_label },
    before: parsed(row.before),
    after: parsed(row.after),
    previous: row.previous,
    hash: row.hash,
  }
}

/** An edited line may hold anything; it is then shown as it is, and fails the check instead of the reader. */
function parsed(text: string | null): Record<string, unknown> | null {
  if (text === null) return null
  try {
    return JSON.parse(text)
  } catch {
    return { unreadable: text }
  }
}
