import { type AuditLine, INSTANCE, verifyChain } from '../core/audit.ts'
import type { Context } from '../core/context.ts'
import { workspaceNamed } from '../core/workspaces/workspaces.ts'
import { type Command, type Input, JSON_OPTION, UsageError, WORKSPACE_OPTION } from './command.ts'
import { wholeNumber } from './input.ts'
import { withContext } from './open.ts'
import { printJson, printLine, printTable } from './print.ts'

const INSTANCE_OPTION = { instance: { about: 'The chain of what concerns no single workspace.' } }

export const auditCommands: Command[] = [
  {
    name: 'audit list',
    about: 'List what was done, newest first.',
    options: {
      ...WORKSPACE_OPTION,
      ...INSTANCE_OPTION,
      ...JSON_OPTION,
      limit: { value: 'N', about: 'Lines, 1 to 200 (50).' },
    },
    run: (input) =>
      withContext(input, async (ctx) => {
        const { items } = await ctx.store.audit.list(
          { chain: await chainOf(ctx, input) },
          { limit: limitOf(input), cursor: null },
        )
        if (input.on('json')) return printJson(input, items.map(shown))
        const rows = items.map((line) => [line.at, line.actor.label, line.action, line.subject.label])
        printTable(input, ['AT', 'WHO', 'WHAT', 'WHICH'], rows, 'Nothing was done yet.')
      }),
  },
  {
    name: 'audit verify',
    about: 'Check that no line was changed, removed, reordered or cut off.',
    options: JSON_OPTION,
    run: (input) =>
      withContext(input, async (ctx) => {
        const findings = []
        for (const chain of await chainsToCheck(ctx)) {
          const { lines, head } = ctx.store.audit
          findings.push({ chain, ...(await verifyChain(ctx.secrets.audit, chain, lines(chain), await head(chain))) })
        }
        const ok = findings.every((finding) => finding.ok)
        if (input.on('json')) printJson(input, { ok, chains: findings })
        else
          for (const finding of findings)
            printLine(
              input,
              finding.ok
                ? `${finding.chain}: ${finding.checked} lines, whole`
                : `${finding.chain}: line ${finding.firstBad.seq} ${finding.firstBad.why}`,
            )
        return ok ? 0 : 1
      }),
  },
]

/** Those that have lines, and those that must have some: the instance's, and one for each workspace ever made. */
async function chainsToCheck(ctx: Context): Promise<string[]> {
  const chains = new Set(await ctx.store.audit.chains())
  if (await ctx.store.setup.done()) chains.add(INSTANCE)
  for await (const line of ctx.store.audit.lines(INSTANCE))
    if (line.action === 'workspace.created') chains.add(line.subject.id)
  for (const { id } of await ctx.store.workspaces.list()) chains.add(id)
  return [...chains].sort()
}

async function chainOf(ctx: Context, input: Input): Promise<string> {
  return input.on('instance') ? INSTANCE : (await workspaceNamed(ctx, input.text('workspace'))).id
}

function limitOf(input: Input): number {
  const limit = wholeNumber(input, 'limit') ?? 50
  if (limit < 1 || limit > 200) throw new UsageError('--limit is a number from 1 to 200.')
  return limit
}

function shown({ at, seq, actor, action, subject, before, after, hash }: AuditLine): object {
  const { requestId, ...by } = actor
  return { seq, at, actor: { ...by, request_id: requestId }, action, subject, before, after, hash }
}
