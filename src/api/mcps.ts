import { demand } from '../core/caller.ts'
import { addMcp, editMcp, mcpFor, mcpsFor, removeMcp } from '../core/mcps/edit.ts'
import type { Mcp as AnMcp, HttpTarget } from '../core/mcps/mcp.ts'
import { shownMcp } from '../core/mcps/shown.ts'
import { allows, refusalFor } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { openCursor, sealCursor } from '../http/cursor.ts'
import { Mcp, McpTools, mcpChangeBody, mcpQuery, newMcpBody, ToolResult, toolCallBody } from '../http/mcp-schemas.ts'
import { listOf, noBody } from '../http/schemas.ts'
import { type Answer, endpoint, type Program } from './operation.ts'

export const listMcps = endpoint(
  {
    id: 'listMcps',
    summary: 'List MCPs',
    about: 'Those that the calling key may reach, by slug, each with the target of its environment.',
    power: 'mcps.see',
    query: mcpQuery,
    answer: { status: 200, about: 'A page of MCPs.', schema: listOf(Mcp) },
  },
  async ({ ctx }, { caller, workspaceId, query }) => {
    const where = `mcps ${workspaceId}`
    const after = query.cursor === undefined ? '' : openCursor(ctx.secrets, where, query.cursor)
    const rest = (await mcpsFor(ctx, caller, workspaceId)).filter(({ slug }) => slug > after)
    const page = rest.slice(0, query.limit)
    const next = rest.length > page.length ? sealCursor(ctx.secrets, where, page.at(-1)!.slug) : null
    return { body: { data: page.map((mcp) => shownMcp(mcp, caller.key.environment)), next_cursor: next } }
  },
)

export const createMcp = endpoint(
  {
    id: 'createMcp',
    summary: 'Add an MCP over HTTP',
    about: 'Reached from the next request on. A key sets the target of its own environment only.',
    power: 'mcps.change',
    body: newMcpBody,
    example: {
      slug: 'wiki',
      name: 'Company wiki',
      live: { url: 'https://wiki.internal/mcp', headers: { Authorization: 'Bearer …' } },
    },
    creates: true,
    answer: { status: 201, about: 'The MCP.', schema: Mcp, tagged: true },
    refusals: ['conflict'],
  },
  async ({ ctx }, { caller, workspaceId, body: { transport: _http, ...wanted } }) => {
    const { live, test } = wanted
    const mcp = await addMcp(ctx, caller, workspaceId, {
      ...wanted,
      live: live && overHttp(live),
      test: test && overHttp(test),
    })
    return { ...answer(mcp, caller), location: `/api/v1/mcps/${mcp.slug}` }
  },
)

export const getMcp = endpoint(
  {
    id: 'getMcp',
    summary: 'Read an MCP',
    about: 'By slug or id.',
    power: 'mcps.see',
    answer: { status: 200, about: 'The MCP.', schema: Mcp, tagged: true },
  },
  async ({ ctx }, { caller, workspaceId, id }) => {
    demand(caller, 'mcps.see')
    return answer(await mcpFor(ctx, caller, workspaceId, id), caller)
  },
)

export const changeMcp = endpoint(
  {
    id: 'changeMcp',
    summary: 'Change an MCP',
    about: 'A target is replaced whole: what its headers hold cannot be read back.',
    power: 'mcps.change',
    body: mcpChangeBody,
    example: { name: 'The wiki', timeout_seconds: 60 },
    changes: true,
    answer: { status: 200, about: 'The MCP as it is now.', schema: Mcp, tagged: true },
  },
  async ({ ctx }, { caller, workspaceId, id, body, seen }) => {
    const { live, test } = body
    const targets = {
      ...(live !== undefined && { live: live && overHttp(live) }),
      ...(test !== undefined && { test: test && overHttp(test) }),
    }
    return answer(
      await editMcp(ctx, caller, workspaceId, id, { ...body, ...targets } as Parameters<typeof editMcp>[4], seen),
      caller,
    )
  },
)

export const deleteMcp = endpoint(
  {
    id: 'deleteMcp',
    summary: 'Remove an MCP',
    about: 'Calls to it end at once.',
    power: 'mcps.change',
    changes: true,
    answer: { status: 204, about: 'It is gone.' },
  },
  async ({ ctx }, { caller, workspaceId, id, seen }) => {
    await removeMcp(ctx, caller, workspaceId, id, seen)
    return { body: null }
  },
)

export const listTools = endpoint(
  {
    id: 'listTools',
    summary: 'List the tools of an MCP',
    about: 'Those that the calling key may call, as last heard from the server.',
    power: 'mcps.see',
    answer: { status: 200, about: 'The tools.', schema: McpTools },
    refusals: ['wrong_environment'],
  },
  async ({ ctx, tools }, { caller, workspaceId, id }) => {
    demand(caller, 'mcps.see')
    const mcp = inEnvironment(await mcpFor(ctx, caller, workspaceId, id), caller)
    return { body: shownTools(mcp, caller, await tools.known(mcp, caller.key.environment)) }
  },
)

export const refreshMcp = endpoint(
  {
    id: 'refreshMcp',
    summary: 'Ask an MCP what it offers',
    about: 'Now; then answers with its tools.',
    power: 'mcps.see',
    body: noBody,
    bodyIsOptional: true,
    answer: { status: 200, about: 'The tools.', schema: McpTools },
    refusals: ['wrong_environment', 'upstream_unavailable', 'upstream_timeout'],
  },
  async ({ ctx, tools }, { caller, workspaceId, id }) => {
    demand(caller, 'mcps.see')
    const mcp = inEnvironment(await mcpFor(ctx, caller, workspaceId, id), caller)
    return { body: shownTools(mcp, caller, await tools.refresh(mcp, caller.key.environment)) }
  },
)

export const callTool = endpoint(
  {
    id: 'callTool',
    summary: 'Call a tool',
    about: 'Judged as on MCP: scope, MCP access, tool, environment.',
    power: null,
    body: toolCallBody,
    bodyIsOptional: true,
    example: { arguments: { query: 'rotate a key' } },
    answer: { status: 200, about: 'Its result. A tool that failed says so in it: `isError`.', schema: ToolResult },
    refusals: [
      'insufficient_scope',
      'mcp_not_permitted',
      'tool_not_permitted',
      'wrong_environment',
      'upstream_unavailable',
      'upstream_timeout',
    ],
  },
  async ({ ctx, tools }, { caller, workspaceId, id, tool, body, signal }) => {
    const mcp = (await ctx.store.mcps.list(workspaceId)).find((one) => one.slug === id || one.id === id)
    const refusal = refusalFor(caller.key, { slug: mcp?.slug ?? id, tool })
    if (refusal || !mcp) throw refusal ?? new Refusal('mcp_not_permitted', 'There is no such MCP, or not for this key.')
    return {
      body: {
        result: await tools.call(
          caller.key.id,
          inEnvironment(mcp, caller),
          caller.key.environment,
          tool,
          body.arguments,
          signal,
        ),
      },
    }
  },
)

function overHttp(target: Omit<HttpTarget, 'kind'>): HttpTarget {
  return { kind: 'http', ...target }
}

function inEnvironment(mcp: AnMcp, { key }: Program): AnMcp {
  if (mcp.targets[key.environment]) return mcp
  throw new Refusal('wrong_environment', `${mcp.slug} has no target for ${key.environment} keys.`)
}

function shownTools(
  mcp: AnMcp,
  { key }: Program,
  known: { offer: { tools: { name: string }[] }; heardAt: Date } | null,
): object {
  const tools = known?.offer.tools ?? []
  return {
    data: tools.filter(({ name }) => allows(key, { slug: mcp.slug, tool: name })),
    heard_at: known?.heardAt.toISOString() ?? null,
  }
}

function answer(mcp: AnMcp, { key }: Program): Answer {
  return { body: shownMcp(mcp, key.environment), revision: mcp.revision }
}
