import { type Caller, demand, SCOPE_FOR } from '../caller.ts'
import type { Context } from '../context.ts'
import type { Repo } from '../docs.ts'
import type { Environment } from '../keys/key.ts'
import { allows } from '../policy.ts'
import { Refusal } from '../refusal.ts'

/** `unrestricted` brings repo:* within the key's MCP access alone; a scope that is named holds whatever that is. */
export async function demandRepos(
  ctx: Context,
  caller: Caller,
  workspaceId: string,
  power: 'repos.see' | 'repos.change',
): Promise<void> {
  demand(caller, power)
  if (caller.kind !== 'program') return
  const { key } = caller
  const scope = SCOPE_FOR[power]!
  if (key.scopes.includes(scope) || key.mcpAccess.mode === 'all') return
  const servers = (await ctx.store.mcps.list(workspaceId)).filter(({ transport }) => transport === 'builtin')
  if (!servers.some(({ slug }) => allows(key, { slug, tool: null })))
    throw new Refusal(
      'insufficient_scope',
      `This key lacks the scope ${scope}: an unrestricted key has it only with access to the whole of the documentation server.`,
    )
}

/** Those of the caller's environment, by name. */
export async function reposFor(ctx: Context, caller: Caller, workspaceId: string): Promise<Repo[]> {
  await demandRepos(ctx, caller, workspaceId, 'repos.see')
  return visible(caller, await ctx.store.repos.list(workspaceId))
}

/** By name or id. */
export async function repoFor(ctx: Context, caller: Caller, workspaceId: string, nameOrId: string): Promise<Repo> {
  const repos = visible(caller, await ctx.store.repos.list(workspaceId))
  const repo = repos.find(({ name, id }) => name === nameOrId || id === nameOrId)
  if (!repo) throw new Refusal('not_found', `There is no repo ${nameOrId}.`)
  return repo
}

function visible(caller: Caller, repos: Repo[]): Repo[] {
  return caller.kind === 'program'
    ? repos.filter(({ environments }) => environments.includes(caller.key.environment))
    : repos
}

/** A key for tests must not bend what live keys find. What live keys use may well be found by test keys too. */
export function stayInEnvironment(caller: Caller, environments: Environment[]): void {
  if (caller.kind !== 'program') return
  if (caller.key.environment === 'test' && environments.includes('live'))
    throw new Refusal('forbidden', 'A test key keeps repos for test keys alone; this one is for live keys.')
  if (caller.key.environment === 'live' && !environments.includes('live'))
    throw new Refusal('forbidden', 'A live key keeps repos that live keys find. Use a test key for this one.')
}
