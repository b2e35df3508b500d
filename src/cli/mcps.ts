import { readFileSync } from 'node:fs'
import type { Context } from '../core/context.ts'
import type { Environment } from '../core/keys/key.ts'
import { addMcp, editMcp, mcpOf, removeMcp } from '../core/mcps/edit.ts'
import { readMcpServers } from '../core/mcps/import.ts'
import { DOCS, type Isolation, type Mcp, type Target } from '../core/mcps/mcp.ts'
import { shownMcp } from '../core/mcps/shown.ts'
import { told } from '../core/mcps/told.ts'
import { Refusal } from '../core/refusal.ts'
import { workspaceNamed } from '../core/workspaces/workspaces.ts'
import { silent } from '../log.ts'
import { type Command, type Input, JSON_OPTION, type Option, UsageError, WORKSPACE_OPTION } from './command.ts'
import { withContext } from './open.ts'
import { printJson, printLine, printTable, remark } from './print.ts'

const TARGET_OPTIONS: Record<string, Option> = {
  name: { value: 'NAME', about: 'Name that people see (the slug).' },
  url: { value: 'URL', about: 'Address of an HTTP server.' },
  header: {
    value: "'NAME: VALUE'",
    many: true,
    about: 'Header for it; ${VAR} in the value is read from the server’s environment.',
  },
  'header-file': {
    value: "'NAME: FILE'",
    many: true,
    about: 'The same with the value in a file, out of the process list.',
  },
  'test-url': { value: 'URL', about: 'Address that test keys reach.' },
  'test-header': { value: "'NAME: VALUE'", many: true, about: 'Header for it.' },
  'test-header-file': { value: "'NAME: FILE'", many: true, about: 'The same with the value in a file.' },
  'set-env': {
    value: 'NAME=VALUE',
    many: true,
    about: 'Variable for a stdio command; ${VAR} is read from the server’s environment.',
  },
  'set-env-file': { value: 'NAME=FILE', many: true, about: 'The same with the value in a file.' },
  cwd: { value: 'DIR', about: 'Folder that a stdio command runs in.' },
  builtin: { about: 'The documentation server that Claviger brings along, if it was removed.' },
  for: { value: 'KEYS', about: 'Which keys reach a command or --builtin: live, test or both (live; builtin: both).' },
  isolation: { value: 'HOW', about: 'Who shares a connection: shared, per-key or per-session.' },
  timeout: { value: 'SECONDS', about: 'How long a call may take (120).' },
}

export const mcpCommands: Command[] = [
  {
    name: 'mcps add',
    args: 'SLUG [COMMAND...]',
    about: 'Add an MCP server: --url URL, or a stdio command after --.',
    options: { ...TARGET_OPTIONS, ...WORKSPACE_OPTION, ...JSON_OPTION },
    run: (input) =>
      withContext(input, async (ctx, caller) => {
        const { id } = await workspaceNamed(ctx, input.text('workspace'))
        const { live = null, test = null } = targetsIn(input)
        if (!live && !test)
          throw new UsageError('Give --url URL, --builtin, or the command of a stdio server after --.')
        const mcp = await addMcp(ctx, caller, id, { slug: input.args[0]!, live, test, ...settingsIn(input) })
        show(input, mcp, `Added ${mcp.slug}. Clients reach it at /mcp/${mcp.slug}, and at /mcp as ${mcp.slug}__….`)
      }),
  },
  {
    name: 'mcps list',
    about: 'List the MCP servers of a workspace.',
    options: { ...WORKSPACE_OPTION, ...JSON_OPTION },
    run: (input) =>
      withContext(input, async (ctx) => {
        const { id } = await workspaceNamed(ctx, input.text('workspace'))
        const mcps = await ctx.store.mcps.list(id)
        if (input.on('json'))
          return printJson(
            input,
            mcps.map((mcp) => shownMcp(mcp)),
          )
        const rows = mcps.map((mcp) => [
          mcp.slug,
          mcp.name,
          mcp.transport,
          where(mcp.targets.live),
          where(mcp.targets.test),
        ])
        printTable(
          input,
          ['SLUG', 'NAME', 'TRANSPORT', 'LIVE', 'TEST'],
          rows,
          'There is no MCP yet. Add one: claviger mcps add SLUG --url URL',
        )
      }),
  },
  {
    name: 'mcps show',
    args: 'SLUG',
    about: 'Show an MCP server, without the values of its headers and variables.',
    options: { ...WORKSPACE_OPTION, ...JSON_OPTION },
    run: (input) => withMcp(input, async (_ctx, mcp) => printJson(input, shownMcp(mcp))),
  },
  {
    name: 'mcps edit',
    args: 'SLUG [COMMAND...]',
    about: 'Change an MCP server; a target is replaced whole, its headers and variables too.',
    options: { ...TARGET_OPTIONS, ...WORKSPACE_OPTION, ...JSON_OPTION },
    run: (input) =>
      withContext(input, async (ctx, caller) => {
        const { id } = await workspaceNamed(ctx, input.text('workspace'))
        const mcp = await editMcp(ctx, caller, id, input.args[0]!, { ...targetsIn(input), ...settingsIn(input) })
        show(input, mcp, `Changed ${mcp.slug}.`)
      }),
  },
  {
    name: 'mcps remove',
    args: 'SLUG',
    about: 'Remove an MCP server; keys that named it keep the name and reach nothing by it.',
    options: { ...WORKSPACE_OPTION, yes: { about: 'Remove it without asking again.' } },
    run: (input) =>
      withContext(input, async (ctx, caller) => {
        const { id } = await workspaceNamed(ctx, input.text('workspace'))
        const mcp = await mcpOf(ctx, id, input.args[0]!)
        if (!input.on('yes'))
          throw new Refusal('conflict', `Removing ${mcp.slug} ends every call to it at once. Repeat with --yes.`)
        await removeMcp(ctx, caller, id, mcp.slug)
        printLine(input, `Removed ${mcp.slug}.`)
      }),
  },
  {
    name: 'mcps import',
    args: 'FILE',
    about: "Add every server of a client's configuration file (mcpServers, or VS Code's servers).",
    options: { ...WORKSPACE_OPTION, ...JSON_OPTION },
    run: importFile,
  },
  {
    name: 'mcps refresh',
    args: 'SLUG',
    about: 'Ask an MCP server now what it offers.',
    options: {
      ...WORKSPACE_OPTION,
      ...JSON_OPTION,
      for: { value: 'KEYS', about: 'Which target: live or test (the one there is).' },
    },
    run: (input) => withMcp(input, refresh.bind(null, input)),
  },
]

async function importFile(input: Input): Promise<number> {
  return withContext(input, async (ctx, caller) => {
    const { id } = await workspaceNamed(ctx, input.text('workspace'))
    const { mcps, passedOver } = readMcpServers(readText(input.args[0]!))
    const added: Mcp[] = []
    for (const wanted of mcps)
      try {
        added.push(await addMcp(ctx, caller, id, wanted))
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        passedOver.push({ name: wanted.slug, why: error.message })
      }
    if (input.on('json')) printJson(input, { added: added.map((mcp) => shownMcp(mcp)), passed_over: passedOver })
    else for (const { slug, transport } of added) printLine(input, `Added ${slug} (${transport}).`)
    for (const { name, why } of passedOver) remark(input.world, `Passed over ${name}: ${why}`)
    return passedOver.length > 0 ? 1 : 0
  })
}

async function refresh(input: Input, ctx: Context, mcp: Mcp): Promise<void> {
  const { upstreamsFor } = await import('../upstreams.ts') // only this command reaches out
  const { pool, tools } = upstreamsFor(ctx, input.settings.config, silent)
  try {
    const environment = environmentsIn(input.text('for') ?? (mcp.targets.live ? 'live' : 'test'))[0]!
    const { offer } = await tools.refresh(mcp, environment)
    if (input.on('json')) return printJson(input, offer)
    const { prompts, resources, templates } = offer
    printLine(
      input,
      `${mcp.slug} offers ${offer.tools.length} tools, ${prompts.length} prompts, ${resources.length + templates.length} resources.`,
    )
    for (const { name, description } of offer.tools)
      printLine(input, `  ${name}${description ? `: ${String(description).split('\n')[0]}` : ''}`)
  } finally {
    await pool.close()
  }
}

function withMcp(input: Input, work: (ctx: Context, mcp: Mcp) => Promise<void>): Promise<void> {
  return withContext(input, async (ctx) => {
    const { id } = await workspaceNamed(ctx, input.text('workspace'))
    await work(ctx, await mcpOf(ctx, id, input.args[0]!))
  })
}

function show(input: Input, mcp: Mcp, sentence: string): void {
  if (input.on('json')) printJson(input, shownMcp(mcp))
  else printLine(input, sentence)
}

/** Only the targets that were named: an edit leaves the other alone. */
function targetsIn(input: Input): { live?: Target; test?: Target } {
  const [command, ...args] = input.args.slice(1)
  const url = input.text('url')
  const testUrl = input.text('test-url')
  const builtin = input.on('builtin')
  if ([command, url || testUrl, builtin].filter(Boolean).length > 1)
    throw new UsageError('Give --url, a command or --builtin, only one of them.')
  if (builtin) {
    const target: Target = { kind: 'builtin', name: DOCS }
    return Object.fromEntries(environmentsIn(input.text('for') ?? 'both').map((environment) => [environment, target]))
  }
  if (command) {
    const target: Target = {
      kind: 'stdio',
      command,
      args,
      env: pairsIn(input, 'set-env', '='),
      cwd: input.text('cwd') ?? null,
    }
    return Object.fromEntries(environmentsIn(input.text('for') ?? 'live').map((environment) => [environment, target]))
  }
  return {
    ...(url && { live: { kind: 'http' as const, url, headers: pairsIn(input, 'header', ':') } }),
    ...(testUrl && { test: { kind: 'http' as const, url: testUrl, headers: pairsIn(input, 'test-header', ':') } }),
  }
}

function settingsIn(input: Input): { name?: string; isolation?: Isolation; timeoutSeconds?: number } {
  const timeout = input.text('timeout')
  return {
    ...(input.text('name') !== undefined && { name: input.text('name') }),
    ...(input.text('isolation') !== undefined && { isolation: input.text('isolation') as Isolation }),
    ...(timeout !== undefined && { timeoutSeconds: Number(timeout) }),
  }
}

function environmentsIn(text: string): Environment[] {
  if (text === 'both') return ['live', 'test']
  if (text === 'live' || text === 'test') return [text]
  throw new UsageError('--for is live, test or both.')
}

/** `Name: value` or `NAME=value`, as often as given; the `-file` form names a file that holds the value. */
function pairsIn(input: Input, option: string, sign: ':' | '='): Record<string, string> {
  const pairs: Record<string, string> = {}
  const split = (text: string): [string, string] => {
    const at = text.indexOf(sign)
    if (at < 1) throw new UsageError(`--${option} is written NAME${sign === ':' ? ': ' : '='}VALUE.`)
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  }
  for (const [name, value] of (input.texts(option) ?? []).map(split)) pairs[name] = value
  for (const [name, file] of (input.texts(`${option}-file`) ?? []).map(split)) pairs[name] = readText(file).trim()
  return pairs
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read (${(error as { code?: string }).code}).`)
  }
}

function where(target: Target | null): string | null {
  const shown = target && told(target)
  if (shown?.kind === 'http') return shown.url
  return shown?.kind === 'stdio' ? [shown.command, ...shown.args].join(' ') : (shown?.name ?? null)
}
