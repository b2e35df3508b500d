import { type Finding, INSTANCE } from '../core/audit.ts'
import { checkAudit, readAudit, shownLine } from '../core/auditing.ts'
import type { Context } from '../core/context.ts'
import { workspaceNamed } from '../core/workspaces/workspaces.ts'
import { type Command, type Input, JSON_OPTION, UsageError, WORKSPACE_OPTION } from './command.ts'
import { wholeNumber } from './input.ts'
import { withContext } from './open.ts'
import { printJson, printLine, printTable, remark } from './print.ts'

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
      withContext(input, async (ctx, caller) => {
        const limit = limitOf(input)
        const { items } = await readAudit(ctx, caller, { chain: await chainOf(ctx, input) }, { limit, cursor: null })
        if (input.on('json')) return printJson(input, items.map(shownLine))
        const rows = items.map((line) => [line.at, line.actor.label, line.action, line.subject.label])
        printTable(input, ['AT', 'WHO', 'WHAT', 'WHICH'], rows, 'Nothing was done yet.')
      }),
  },
  {
    name: 'audit verify',
    about: 'Check that no line was changed, removed, reordered or cut off.',
    options: {
      workspace: { value: 'NAME', about: 'Only the chain of this workspace (all, and that of the instance).' },
      ...INSTANCE_OPTION,
      ...JSON_OPTION,
    },
    run: verify,
  },
]

async function verify(input: Input): Promise<number> {
  return withContext(input, async (ctx, caller) => {
    const oneOnly = input.on('instance') || input.text('workspace') !== undefined
    const findings: (Finding & { chain: string })[] = []
    for (const chain of oneOnly ? [await chainOf(ctx, input)] : await chainsToCheck(ctx))
      findings.push({ chain, ...(await checkAudit(ctx, caller, chain)) })
    const bad = findings.find((finding) => !finding.ok)
    if (input.on('json'))
      printJson(input, {
        ok: !bad,
        checked: findings.reduce((sum, { checked }) => sum + checked, 0),
        ...(bad && { first_bad: { chain: bad.chain, ...bad.firstBad } }),
        chains: findings.map(({ chain, ok, checked }) => ({ chain, ok, checked })),
      })
    else
      for (const { chain, ok, checked } of findings)
        printLine(input, `${chain}: ${ok ? `${checked} lines, whole` : `not whole after ${checked} lines`}`)
    if (!bad) return 0
    remark(input.world, `Chain ${bad.chain}, line ${bad.firstBad.seq}: ${bad.firstBad.why}. Compare with a backup.`)
    return 1
  })
}

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
