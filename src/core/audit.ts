import { createHash, createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'

/** Who did it, and from where. */
export type Actor = {
  kind: 'user' | 'key' | 'cli' | 'system'
  id: string | null
  label: string
  address: string | null
  requestId: string | null
}

export const ACTIONS = [
  'instance.set_up',
  'setup_link.created',
  'user.created',
  'user.renamed',
  'user.password_changed',
  'user.password_reset',
  'user.signed_in',
  'user.signed_out',
  'user.signed_out_everywhere',
  'user.removed',
  'workspace.created',
  'workspace.renamed',
  'workspace.deleted',
  'invitation.created',
  'invitation.revoked',
  'member.added',
  'member.role_changed',
  'member.removed',
  'key.created',
  'key.imported',
  'key.changed',
  'key.disabled',
  'key.enabled',
  'key.rotated',
  'key.rotation_finished',
  'key.revoked',
  'key.deleted',
  'mcp.added',
  'mcp.changed',
  'mcp.removed',
  'repo.added',
  'repo.changed',
  'repo.removed',
  'repo.file_put',
  'repo.file_removed',
  'repo.zip_put',
] as const

export type Action = (typeof ACTIONS)[number]

/** The chain of what concerns no single workspace. */
export const INSTANCE = 'instance'

export type AuditEntry = {
  /** A workspace's id, or INSTANCE. */
  chain: string
  at: Date
  actor: Actor
  action: Action
  subject: { kind: string; id: string; label: string }
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}

export type AuditLine = AuditEntry & { seq: number; previous: string; hash: string }

/** The end of a chain, signed: cutting lines off the end leaves a head that no longer fits. */
export type AuditHead = { chain: string; seq: number; hash: string; signature: string }

export const BEGINNING = ''

export function sealLine(entry: AuditEntry, seq: number, previous: string): AuditLine {
  const kept = asKept(entry)
  return { ...kept, seq, previous, hash: hashOf(kept, seq, previous) }
}

/** As a database gives it back: half a surrogate pair in a name, say, would be replaced there and look like a forgery. */
function asKept(entry: AuditEntry): AuditEntry {
  const { actor, subject } = entry
  return {
    ...entry,
    actor: { ...actor, label: actor.label.toWellFormed(), address: actor.address?.toWellFormed() ?? null },
    subject: { ...subject, id: subject.id.toWellFormed(), label: subject.label.toWellFormed() },
  }
}

function hashOf(entry: AuditEntry, seq: number, previous: string): string {
  const { actor, subject } = entry
  const text = JSON.stringify([
    previous,
    entry.chain,
    seq,
    timeOf(entry.at),
    [actor.kind, actor.id, actor.label, actor.address, actor.requestId],
    entry.action,
    [subject.kind, subject.id, subject.label],
    JSON.stringify(entry.before),
    JSON.stringify(entry.after),
  ])
  return createHash('sha256').update(text).digest('hex')
}

/** An edited time may be none. */
export function timeOf(at: Date): string {
  return Number.isNaN(at.getTime()) ? 'no time' : at.toISOString()
}

export function signHead(key: KeyObject, line: Pick<AuditLine, 'chain' | 'seq' | 'hash'>): AuditHead {
  const { chain, seq, hash } = line
  return { chain, seq, hash, signature: sign(key, chain, seq, hash) }
}

function sign(key: KeyObject, chain: string, seq: number, hash: string): string {
  return createHmac('sha256', key).update(`${chain}\n${seq}\n${hash}`).digest('base64url')
}

export type Finding =
  | { ok: true; checked: number }
  | { ok: false; checked: number; firstBad: { seq: number; why: string } }

/** Walks a chain from its first line to its signed head. */
export async function verifyChain(
  key: KeyObject,
  chain: string,
  lines: AsyncIterable<AuditLine>,
  head: AuditHead | null,
): Promise<Finding> {
  let checked = 0
  let previous = BEGINNING
  const bad = (seq: number, why: string): Finding => ({ ok: false, checked, firstBad: { seq, why } })
  for await (const line of lines) {
    const seq = checked + 1
    if (line.chain !== chain) return bad(seq, 'belongs to another chain')
    if (line.seq !== seq) return bad(seq, 'a line is missing or out of order')
    if (line.previous !== previous) return bad(seq, 'does not follow the line before it')
    if (line.hash !== hashOf(line, seq, previous)) return bad(seq, 'was changed after it was written')
    previous = line.hash
    checked = seq
  }
  if (!head) return bad(checked + 1, 'the signed head is missing')
  if (!sameText(head.signature, sign(key, head.chain, head.seq, head.hash)))
    return bad(checked, 'the head is not signed by this instance')
  if (head.seq !== checked || head.hash !== previous) return bad(checked + 1, 'lines are missing at the end')
  return { ok: true, checked }
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
