import type { Caller } from '../core/caller.ts'
import type { Context } from '../core/context.ts'
import { stateOf } from '../core/keys/key.ts'
import { userNamed } from '../core/workspaces/people.ts'
import type { Workspace } from '../core/workspaces/workspace.ts'
import { createWorkspace, deleteWorkspace, renameWorkspace, workspaceNamed } from '../core/workspaces/workspaces.ts'
import { type Command, JSON_OPTION } from './command.ts'
import { everyKey } from './every-key.ts'
import { withContext } from './open.ts'
import { printJson, printLine, printTable } from './print.ts'

export const workspaceCommands: Command[] = [
  {
    name: 'workspaces create',
    args: 'NAME',
    about: 'Make a workspace.',
    options: { owner: { value: 'EMAIL', about: 'Who owns it from the start (nobody).' }, ...JSON_OPTION },
    run: (input) =>
      withContext(
        input,
        async (ctx, { actor }) => {
          const email = input.text('owner')
          const owner = email === undefined ? null : await userNamed(ctx, email)
          const workspace = await createWorkspace(ctx, actor, owner, input.args[0]!)
          if (input.on('json')) return printJson(input, shown(workspace))
          const { slug } = workspace
          printLine(input, `The workspace ${slug} is there. ${owner ? `${owner.email} owns it.` : membersHint(slug)}`)
        },
        { create: true },
      ),
  },
  {
    name: 'workspaces list',
    about: 'List the workspaces.',
    options: JSON_OPTION,
    run: (input) =>
      withContext(input, async (ctx) => {
        const workspaces = await Promise.all(
          (await ctx.store.workspaces.list()).map(async (workspace) => ({
            workspace,
            members: (await ctx.store.members.list(workspace.id)).length,
          })),
        )
        if (input.on('json'))
          return printJson(
            input,
            workspaces.map(({ workspace, members }) => ({ ...shown(workspace), members })),
          )
        printTable(
          input,
          ['SLUG', 'NAME', 'MEMBERS', 'CREATED'],
          workspaces.map(({ workspace: { slug, name, createdAt }, members }) => [slug, name, members, createdAt]),
          'There is no workspace yet. Make one: claviger workspaces create NAME',
        )
      }),
  },
  {
    name: 'workspaces rename',
    args: 'NAME NEW_NAME',
    about: 'Give a workspace another name; its slug stays.',
    options: JSON_OPTION,
    run: (input) =>
      withContext(input, async (ctx, caller) => {
        const [name, wanted] = input.args
        const workspace = await workspaceNamed(ctx, name)
        await renameWorkspace(ctx, caller, workspace, wanted!)
        const renamed = (await ctx.store.workspaces.byId(workspace.id))!
        if (input.on('json')) printJson(input, shown(renamed))
        else printLine(input, `The workspace ${renamed.slug} is called ${renamed.name}.`)
      }),
  },
  {
    name: 'workspaces delete',
    args: 'NAME',
    about: 'Delete a workspace with its keys and members; its audit stays.',
    options: { yes: { about: 'Do it. Without it the command says what would go.' }, ...JSON_OPTION },
    run: (input) =>
      withContext(input, async (ctx, caller) => {
        const workspace = await workspaceNamed(ctx, input.args[0])
        if (!input.on('yes')) throw new Error(await whatWouldGo(ctx, caller, workspace))
        await deleteWorkspace(ctx, caller, workspace, workspace.slug)
        if (input.on('json')) printJson(input, { deleted: shown(workspace) })
        else printLine(input, `The workspace ${workspace.slug} is gone, with all its keys.`)
      }),
  },
]

async function whatWouldGo(ctx: Context, caller: Caller, workspace: Workspace): Promise<string> {
  const keys = await Array.fromAsync(everyKey(ctx, caller, { workspaceId: workspace.id }))
  const active = keys.filter((key) => stateOf(key, ctx.now()) === 'active').length
  const members = await ctx.store.members.list(workspace.id)
  const emails = members.map(({ email }) => email).join(', ')
  return `This deletes the workspace ${workspace.slug} (${workspace.name}) for good: ${count(keys.length, 'key')} (${active} active) and ${count(members.length, 'member')}${emails && ` (${emails})`}. To do it, add --yes.`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function membersHint(slug: string): string {
  return `Let somebody in: claviger members add EMAIL --role owner --workspace ${slug}`
}

function shown({ id, slug, name, createdAt }: Workspace): object {
  return { id, slug, name, created_at: createdAt }
}
