import type { Action, Actor, AuditEntry } from '../audit.ts'
import { type Caller, demand } from '../caller.ts'
import type { Context } from '../context.ts'
import { newId } from '../ids.ts'
import type { Environment } from '../keys/key.ts'
import { grants } from '../policy.ts'
import { invalid, Refusal } from '../refusal.ts'
import { SLUG } from '../slug.ts'
import { DOCS, ISOLATIONS, type Isolation, type Mcp, type Target } from './mcp.ts'
import { sealShown, sealTarget } from './sealing.ts'
import { told } from './told.ts'

export const DEFAULT_TIMEOUT_SECONDS = 120
const MOST_TIMEOUT_SECONDS = 3600

export type NewMcp = {
  slug: string
  name?: string | null
  live?: Target | null
  test?: Target | null
  isolation?: Isolation | null
  timeoutSeconds?: number | null
}

export type McpEdit = Partial<Omit<NewMcp, 'slug'>>

export async function addMcp(ctx: Context, caller: Caller, workspaceId: string, wanted: NewMcp): Promise<Mcp> {
  demand(caller, 'mcps.change')
  const targets = { live: wanted.live ?? null, test: wanted.test ?? null }
  const transport = transportOf(targets)
  demandTransport(caller, transport)
  stayInEnvironment(caller, { live: wanted.live ?? undefined, test: wanted.test ?? undefined })
  stayInReach(caller, wanted.slug)
  keepFromVariables(caller, wanted)
  const mcp: Mcp = {
    id: newId('mcp', ctx.now()),
    workspaceId,
    slug: checkSlug(wanted.slug),
    name: checkName(wanted.name || wanted.slug),
    transport,
    targets: sealed(ctx, targets),
    isolation: checkIsolation(wanted.isolation ?? defaultIsolation(transport)),
    timeoutSeconds: checkTimeout(wanted.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS),
    createdAt: ctx.now(),
    revision: 1,
  }
  if (!(await ctx.store.mcps.add(mcp, mcpAdded(ctx, caller, mcp))))
    throw new Refusal('conflict', `There is an MCP called ${mcp.slug} already. Choose another slug.`)
  return mcp
}

/** Targets are replaced whole: their secrets cannot be read back, so neither can they be half changed. */
export async function editMcp(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  slug: string,
  wanted: McpEdit,
  seen?: number,
): Promise<Mcp> {
  demand(caller, 'mcps.change')
  for (;;) {
    const mcp = await mcpFor(ctx, caller, workspaceId, slug)
    demandTransport(caller, mcp.transport)
    stayInEnvironment(caller, wanted)
    keepFromVariables(caller, wanted)
    if (
      sharesSettings(caller, mcp) &&
      [wanted.name, wanted.isolation, wanted.timeoutSeconds].some((setting) => setting != null)
    )
      throw new Refusal(
        'forbidden',
        'This MCP is there for the other environment too: its name and settings are not for this key to change.',
      )
    if (seen !== undefined && seen !== mcp.revision) throw changedMeanwhile()
    const targets = {
      live: wanted.live === undefined ? keptTarget(ctx, mcp.targets.live) : sealedTarget(ctx, wanted.live),
      test: wanted.test === undefined ? keptTarget(ctx, mcp.targets.test) : sealedTarget(ctx, wanted.test),
    }
    const transport = transportOf(targets)
    if (transport !== mcp.transport)
      throw invalid('transport', 'The transport of an MCP stays. Add another MCP instead.')
    const after: Mcp = {
      ...mcp,
      targets,
      name: wanted.name == null ? mcp.name : checkName(wanted.name),
      isolation: wanted.isolation == null ? mcp.isolation : checkIsolation(wanted.isolation),
      timeoutSeconds: wanted.timeoutSeconds == null ? mcp.timeoutSeconds : checkTimeout(wanted.timeoutSeconds),
      revision: mcp.revision + 1,
    }
    if (await ctx.store.mcps.change(after, entryFor(ctx, caller, 'mcp.changed', mcp, recorded(mcp), recorded(after))))
      return after
  }
}

export async function removeMcp(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  slug: string,
  seen?: number,
): Promise<void> {
  demand(caller, 'mcps.change')
  const mcp = await mcpFor(ctx, caller, workspaceId, slug)
  demandTransport(caller, mcp.transport)
  if (caller.kind === 'program' && mcp.targets[otherThan(caller.key.environment)])
    throw new Refusal(
      'forbidden',
      `This MCP is there for ${otherThan(caller.key.environment)} keys too. Take its ${caller.key.environment} target away instead.`,
    )
  if (seen !== undefined && seen !== mcp.revision) throw changedMeanwhile()
  await ctx.store.mcps.remove(mcp, entryFor(ctx, caller, 'mcp.removed', mcp, recorded(mcp), null))
}

/** What the caller may see: a program, the MCPs in its reach and their target of its own environment. */
export async function mcpsFor(ctx: Context, caller: Caller, workspaceId: string): Promise<Mcp[]> {
  demand(caller, 'mcps.see')
  const mcps = await ctx.store.mcps.list(workspaceId)
  return caller.kind === 'program' ? mcps.filter(({ slug }) => grants(caller.key, slug)) : mcps
}

export async function mcpFor(ctx: Context, caller: Caller, workspaceId: string, slugOrId: string): Promise<Mcp> {
  const mcp = await mcpOf(ctx, workspaceId, slugOrId)
  if (caller.kind === 'program' && !grants(caller.key, mcp.slug))
    throw new Refusal('not_found', `There is no MCP ${slugOrId}.`)
  return mcp
}

/** By slug or id. */
export async function mcpOf(ctx: Context, workspaceId: string, slugOrId: string): Promise<Mcp> {
  const mcp = (await ctx.store.mcps.list(workspaceId)).find(({ slug, id }) => slug === slugOrId || id === slugOrId)
  if (!mcp) throw new Refusal('not_found', `There is no MCP ${slugOrId}.`)
  return mcp
}

/** A stdio command runs code on this host: never by API key, and on the pages only by the instance owner. */
function demandTransport(caller: Caller, transport: Mcp['transport']): void {
  if (transport !== 'stdio' || isHost(caller)) return
  throw new Refusal(
    'forbidden',
    'A stdio command runs on the server itself: only the instance owner may add or change one, on the pages or the command line.',
  )
}

/** A key for tests must not bend what live keys reach, nor the other way round. */
function stayInEnvironment(caller: Caller, wanted: McpEdit): void {
  if (caller.kind === 'program' && wanted[otherThan(caller.key.environment)] !== undefined)
    throw new Refusal('forbidden', `A ${caller.key.environment} key sets ${caller.key.environment} targets only.`)
}

/** A key limited to some MCPs adds no others: those that may use all would reach them at once. */
function stayInReach(caller: Caller, slug: string): void {
  if (caller.kind === 'program' && !grants(caller.key, slug))
    throw new Refusal('forbidden', `This key may not add ${slug}: its MCP access does not name it.`)
}

function sharesSettings(caller: Caller, mcp: Mcp): boolean {
  return caller.kind === 'program' && mcp.targets[otherThan(caller.key.environment)] !== null
}

/** `${VAR}` opens the server's environment to whoever names the address it is sent to. */
function keepFromVariables(caller: Caller, { live, test }: McpEdit): void {
  if (isHost(caller)) return
  for (const target of [live, test])
    if (target?.kind === 'http' && Object.values(target.headers).some((value) => value.includes('${')))
      throw invalid(
        'headers',
        'Only the instance owner may refer to a variable of the server. Write the value itself: it is kept encrypted.',
      )
}

/** Who commands the host anyway. */
function isHost(caller: Caller): boolean {
  return caller.kind === 'operator' || (caller.kind === 'person' && caller.user.instanceOwner)
}

function otherThan(environment: Environment): Environment {
  return environment === 'live' ? 'test' : 'live'
}

function changedMeanwhile(): Refusal {
  return new Refusal('precondition_failed', 'The MCP was changed meanwhile. Read it again and repeat the change.')
}

function transportOf({ live, test }: Record<Environment, Target | null>): Mcp['transport'] {
  const kinds = new Set([live, test].filter((target) => target !== null).map((target) => target.kind))
  if (kinds.size === 0) throw invalid('live', 'Give the MCP a live target, a test target or both.')
  if (kinds.size > 1) throw invalid('test', 'Live and test target use the same transport.')
  return [...kinds][0]!
}

/** A process for all who cannot be asked back; a session each at servers that hold sessions anyway. */
function defaultIsolation(transport: Mcp['transport']): Isolation {
  return transport === 'http' ? 'per-session' : 'shared'
}

function sealed(ctx: Context, { live, test }: Record<Environment, Target | null>): Record<Environment, Target | null> {
  return { live: sealedTarget(ctx, live), test: sealedTarget(ctx, test) }
}

function keptTarget(ctx: Context, target: Target | null): Target | null {
  return target && sealShown(ctx.secrets.sealing, target)
}

function sealedTarget(ctx: Context, target: Target | null): Target | null {
  return target && sealTarget(ctx.secrets.sealing, checkTarget(target))
}

function checkTarget(target: Target): Target {
  if (target.kind === 'builtin' && target.name !== DOCS)
    throw invalid('builtin', `There is no builtin server ${target.name}, only ${DOCS}.`)
  if (target.kind === 'stdio') {
    if (!target.command.trim()) throw invalid('command', 'Name the command that starts the server.')
    if (target.args.some((arg) => arg.includes('…')))
      throw invalid('command', 'Write the command in full: what … stands for is not shown, and not known here.')
  }
  if (target.kind === 'http') {
    const url = URL.parse(target.url)
    if (!url || !/^https?:$/.test(url.protocol))
      throw invalid('url', 'Write an address such as https://mcp.example.com/mcp.')
    if (target.url.includes('…'))
      throw invalid('url', 'Write the address in full: what … stands for is not shown, and not known here.')
    if (url.username || url.password) throw invalid('url', 'Put credentials into a header, not into the address.')
    for (const [name, value] of Object.entries(target.headers))
      if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(name) || /[\r\n\0]/.test(value))
        throw invalid('headers', `"${name}" is no header that can be sent.`)
  }
  return target
}

function checkSlug(slug: string): string {
  if (!SLUG.test(slug)) throw invalid('slug', 'A slug is 1 to 32 of a-z, 0-9 and -.')
  return slug
}

function checkName(name: string): string {
  const trimmed = name.trim()
  if (trimmed.length < 1 || [...trimmed].length > 100)
    throw invalid('name', 'Give the MCP a name of 1 to 100 characters.')
  return trimmed
}

function checkIsolation(isolation: Isolation): Isolation {
  if (!ISOLATIONS.includes(isolation)) throw invalid('isolation', `Isolation is one of ${ISOLATIONS.join(', ')}.`)
  return isolation
}

function checkTimeout(seconds: number): number {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MOST_TIMEOUT_SECONDS)
    throw invalid('timeout_seconds', `The timeout is 1 to ${MOST_TIMEOUT_SECONDS} seconds.`)
  return seconds
}

/** What the audit keeps: names of headers and variables, never their values. */
function recorded(mcp: Mcp): Record<string, unknown> {
  const { slug, name, transport, isolation, timeoutSeconds } = mcp
  return {
    slug,
    name,
    transport,
    isolation,
    timeoutSeconds,
    live: withoutValues(mcp.targets.live),
    test: withoutValues(mcp.targets.test),
  }
}

export function withoutValues(target: Target | null): Record<string, unknown> | null {
  const shown = target && told(target)
  if (shown?.kind === 'http') return { url: shown.url, headers: Object.keys(shown.headers) }
  if (shown?.kind === 'stdio')
    return { command: shown.command, args: shown.args, env: Object.keys(shown.env), cwd: shown.cwd }
  return shown && { builtin: shown.name }
}

export function mcpAdded(ctx: Pick<Context, 'now'>, by: { actor: Actor }, mcp: Mcp): AuditEntry {
  return entryFor(ctx, by, 'mcp.added', mcp, null, recorded(mcp))
}

function entryFor(
  ctx: Pick<Context, 'now'>,
  caller: { actor: Actor },
  action: Action,
  mcp: Mcp,
  before: AuditEntry['before'],
  after: AuditEntry['after'],
): AuditEntry {
  return {
    chain: mcp.workspaceId,
    at: ctx.now(),
    actor: caller.actor,
    action,
    subject: { kind: 'mcp', id: mcp.id, label: mcp.slug },
    before,
    after,
  }
}
