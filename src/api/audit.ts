import type { AuditLine as Line } from '../core/audit.ts'
import { checkAudit, readAudit } from '../core/auditing.ts'
import { openCursor, sealCursor } from '../http/cursor.ts'
import { AuditFinding, AuditLine, auditQuery, listOf } from '../http/schemas.ts'
import { endpoint } from './operation.ts'

export const listAudit = endpoint(
  {
    id: 'listAudit',
    summary: 'List what was done',
    about: 'Every management act in the workspace, the newest first.',
    power: 'audit.read',
    query: auditQuery,
    answer: { status: 200, about: 'A page of lines.', schema: listOf(AuditLine) },
  },
  async ({ ctx }, { caller, workspaceId, query }) => {
    const where = `audit ${workspaceId}`
    const { items, nextCursor } = await readAudit(
      ctx,
      caller,
      { chain: workspaceId, action: query.action, subjectId: query.subjectId },
      { limit: query.limit, cursor: query.cursor === undefined ? null : openCursor(ctx.secrets, where, query.cursor) },
    )
    return {
      body: { data: items.map(shownLine), next_cursor: nextCursor && sealCursor(ctx.secrets, where, nextCursor) },
    }
  },
)

export const verifyAudit = endpoint(
  {
    id: 'verifyAudit',
    summary: 'Check the audit log',
    about: 'Walks the whole chain: whether a line was changed, removed, reordered or cut off.',
    power: 'audit.read',
    answer: { status: 200, about: 'What was found.', schema: AuditFinding },
  },
  async ({ ctx }, { caller, workspaceId }) => {
    const finding = await checkAudit(ctx, caller, workspaceId)
    const { ok, checked } = finding
    return { body: { ok, checked, ...(!finding.ok && { first_bad: finding.firstBad }) } }
  },
)

function shownLine({ seq, at, actor, action, subject, before, after, hash }: Line): object {
  const { requestId, ...by } = actor
  return {
    seq,
    at: at.toISOString(),
    actor: { ...by, request_id: requestId },
    action,
    subject,
    before: before && snake(before),
    after: after && snake(after),
    hash,
  }
}

/** What a line holds is named as inside; outside, names are written as everywhere in the API. */
function snake(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  )
}
