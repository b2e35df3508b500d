import { keyOf } from '../core/keys/changing.ts'
import { shown } from '../core/keys/shown.ts'
import { WhoAmI } from '../http/key-schemas.ts'
import { endpoint } from './operation.ts'

export const whoami = endpoint(
  {
    id: 'whoami',
    summary: 'Show the calling key',
    about: 'Any good key may ask this: the quickest way to see whether a key works.',
    power: null,
    answer: { status: 200, about: 'The key and its workspace.', schema: WhoAmI },
  },
  async ({ ctx }, { caller, workspaceId }) => {
    const [key, workspace] = await Promise.all([
      keyOf(ctx, caller, workspaceId, caller.key.id),
      ctx.store.workspaces.byId(workspaceId),
    ])
    const { id, slug, name } = workspace!
    return { body: { ...shown(key, ctx.now()), workspace: { id, slug, name } } }
  },
)
