import { type AuditLine, type Finding, timeOf, verifyChain } from './audit.ts'
import { type Caller, demand } from './caller.ts'
import type { Context } from './context.ts'
import type { AuditQuery, Page, PageRequest } from './store.ts'

/** What was done in a workspace, the newest first. */
export async function readAudit(
  ctx: Context,
  caller: Caller,
  query: AuditQuery,
  page: PageRequest,
): Promise<Page<AuditLine>> {
  demand(caller, 'audit.read')
  return ctx.store.audit.list(query, page)
}

/** Walks the whole chain: no line changed, removed, reordered or cut off. Lines may be added meanwhile. */
export async function checkAudit(ctx: Context, caller: Caller, chain: string): Promise<Finding> {
  demand(caller, 'audit.read')
  const { audit } = ctx.store
  const head = await audit.head(chain)
  const lines = upTo(head?.seq ?? Number.POSITIVE_INFINITY, audit.lines(chain))
  const finding = await verifyChain(ctx.secrets.audit, chain, lines, head)
  if (!finding.ok) return finding
  const newest = (await audit.list({ chain }, { limit: 1, cursor: null })).items[0]
  const seal = await audit.head(chain)
  if (newest && seal && newest.seq <= seal.seq) return finding
  return {
    ok: false,
    checked: finding.checked,
    firstBad: { seq: finding.checked + 1, why: 'the head does not know it' },
  }
}

async function* upTo(seq: number, lines: AsyncIterable<AuditLine>): AsyncIterable<AuditLine> {
  for await (const line of lines) {
    if (line.seq > seq) return
    yield line
  }
}

/** A line as every door prints it in JSON. */
export function shownLine({ seq, at, actor, action, subject, before, after, hash }: AuditLine): object {
  const { requestId, ...by } = actor
  return {
    seq,
    at: timeOf(at),
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
