import type { Action, Actor, AuditEntry } from '../audit.ts'
import type { Context } from '../context.ts'
import type { Repo } from '../docs.ts'

/** What the audit keeps of a repo. */
export function recorded({ name, source, path, environments }: Repo): Record<string, unknown> {
  return { name, source, path, environments }
}

export function repoEntry(
  ctx: Pick<Context, 'now'>,
  { actor }: { actor: Actor },
  action: Action & `repo.${string}`,
  repo: Repo,
  before: AuditEntry['before'],
  after: AuditEntry['after'],
): AuditEntry {
  const subject = { kind: 'repo', id: repo.id, label: repo.name }
  return { chain: repo.workspaceId, at: ctx.now(), actor, action, subject, before, after }
}
