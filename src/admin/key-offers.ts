import type { Context } from '../core/context.ts'
import { PRESETS } from '../core/keys/expiry.ts'
import type { Key } from '../core/keys/key.ts'
import { MANAGEMENT_SCOPES } from '../core/keys/scopes.ts'

export type Offers = Awaited<ReturnType<typeof offersFor>>
type OfferedMcp = { slug: string; name: string; hasTest: boolean; tools: string[]; gone?: boolean; limited?: boolean }

/** What there is to choose from, with a sentence for each; and what an issued key has that is not here any more. */
export async function offersFor(ctx: Context, workspaceId: string, key?: Pick<Key, 'mcpAccess'>) {
  const here = await Promise.all(
    (await ctx.store.mcps.list(workspaceId)).map(async ({ id, slug, name, targets }) => {
      const known = (await ctx.store.mcps.offer(id, 'live')) ?? (await ctx.store.mcps.offer(id, 'test'))
      const tools = known?.offer.tools.map((tool) => tool.name) ?? []
      return { slug, name, hasTest: targets.test !== null, tools }
    }),
  )
  const whole = here.map(({ slug, name }) => ({ value: `mcp:${slug}:*`, hint: `Everything that ${name} offers.` }))
  return {
    expiries: Object.entries(PRESETS).map(([value, days]) => ({ value, label: days ? `${days} days` : 'Never' })),
    mcps: key?.mcpAccess.mode === 'selected' ? withGranted(here, key.mcpAccess.mcps) : here,
    scopes: [
      {
        title: 'Tools, prompts and resources',
        items: [
          {
            value: 'mcp:*',
            hint: 'Every tool, prompt and resource of the MCP servers that it reaches.',
            recommended: true,
          },
          ...whole,
        ],
      },
      { title: 'Documentation', items: managing((scope) => scope.startsWith('repo:')) },
      { title: 'Management over REST', management: true, items: managing((scope) => !scope.startsWith('repo:')) },
    ],
  }
}

/** A server that is away, or a tool that it no longer tells of, stays ticked: saving must not take it away. */
function withGranted(here: OfferedMcp[], granted: { slug: string; tools: string[] | null }[]): OfferedMcp[] {
  const away = granted.filter(({ slug }) => !here.some((mcp) => mcp.slug === slug))
  return [
    ...here.map((mcp) => {
      const tools = granted.find(({ slug }) => slug === mcp.slug)?.tools ?? null
      return { ...mcp, tools: [...new Set([...mcp.tools, ...(tools ?? [])])], limited: tools !== null }
    }),
    ...away.map(({ slug, tools }) => ({
      slug,
      name: slug,
      hasTest: true,
      tools: tools ?? [],
      gone: true,
      limited: tools !== null,
    })),
  ]
}

function managing(wanted: (scope: string) => boolean) {
  return Object.entries(MANAGEMENT_SCOPES)
    .filter(([scope]) => wanted(scope))
    .map(([value, hint]) => ({ value, hint }))
}
