import { checkAudit, readAudit, shownLine } from '../core/auditing.ts'
import { AuditFinding, AuditLine, auditQuery } from '../http/audit-schemas.ts'
import { openCursor, sealCursor } from '../http/cursor.ts'
import { listOf } from '../http/schemas.ts'
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
