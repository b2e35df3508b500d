import type { Context } from '../context.ts'
import { Refusal } from '../refusal.ts'
import type { KeyWithUse } from '../store.ts'

/** By id, hint or exact name. A hint may be typed with three dots. */
export async function keyNamed(ctx: Context, workspaceId: string, text: string): Promise<KeyWithUse> {
  const byId = await ctx.store.keys.byId(workspaceId, text)
  if (byId) return byId
  const found = await ctx.store.keys.named(workspaceId, text)
  if (found.length === 0 && text.includes('...'))
    found.push(...(await ctx.store.keys.named(workspaceId, text.replace('...', '…'))))
  if (found.length === 1) return found[0]!
  if (found.length === 0) throw new Refusal('not_found', `There is no key ${text} in this workspace.`)
  throw new Refusal(
    'conflict',
    `Several keys are called ${text}: ${found.map(({ id }) => id).join(', ')}. Name one by its id.`,
  )
}
