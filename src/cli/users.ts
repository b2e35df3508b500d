import type { Context } from '../core/context.ts'
import { createUser, removeUser, resetPassword } from '../core/workspaces/people.ts'
import { setUp } from '../core/workspaces/setup.ts'
import type { Membership, User } from '../core/workspaces/workspace.ts'
import { type Command, type Input, JSON_OPTION, UsageError } from './command.ts'
import { withContext } from './open.ts'
import { EMAIL_OPTION, emailOf, noMore } from './person.ts'
import { printJson, printLine, printTable } from './print.ts'
import { PASSWORD_OPTION, readPassword } from './secrets.ts'

export const userCommands: Command[] = [
  {
    name: 'users create',
    args: '[EMAIL]',
    about: 'Make an account; with --owner the first one, which runs this Claviger.',
    options: {
      ...EMAIL_OPTION,
      name: { value: 'NAME', about: 'What the person is called (the address up to the @).' },
      owner: { about: 'Make the instance owner and the first workspace, without the setup link.' },
      'workspace-name': { value: 'NAME', about: "Name of the owner's workspace (Main)." },
      ...PASSWORD_OPTION,
      ...JSON_OPTION,
    },
    notes: ['  claviger users create --email ana@example.com --owner --password-file password.txt'],
    run: create,
  },
  {
    name: 'users list',
    about: 'List the accounts and where they are members.',
    options: JSON_OPTION,
    run: list,
  },
  {
    name: 'users reset-password',
    args: '[EMAIL]',
    about: 'Set a new password and end every session of the account.',
    options: { ...EMAIL_OPTION, ...PASSWORD_OPTION, ...JSON_OPTION },
    async run(input) {
      const email = onlyEmail(input)
      const password = await readPassword(input)
      const user = await withContext(input, (ctx, { actor }) => resetPassword(ctx, actor, email, password))
      if (input.on('json')) printJson(input, shown(user))
      else printLine(input, `${user.email} has a new password; every session has ended.`)
    },
  },
  {
    name: 'users remove',
    args: '[EMAIL]',
    about: 'Remove the account of somebody who is no longer a member anywhere.',
    options: { ...EMAIL_OPTION, ...JSON_OPTION },
    async run(input) {
      const email = onlyEmail(input)
      const user = await withContext(input, (ctx, { actor }) => removeUser(ctx, actor, email))
      if (input.on('json')) printJson(input, { removed: shown(user) })
      else printLine(input, `${user.email} was removed.`)
    },
  },
]

async function create(input: Input): Promise<void> {
  const email = onlyEmail(input)
  const isOwner = input.on('owner')
  const workspace = input.text('workspace-name')
  if (workspace !== undefined && !isOwner)
    throw new UsageError('--workspace-name goes with --owner. For others: `claviger members add`.')
  const password = await readPassword(input)
  const wanted = { email, name: input.text('name') ?? email.trim().split('@')[0]!, password }
  await withContext(
    input,
    async (ctx, { actor }) => {
      if (!isOwner) {
        const user = await createUser(ctx, actor, wanted)
        if (input.on('json')) return printJson(input, shown(user))
        return printLine(input, `${user.email} has an account. Let them in: claviger members add ${user.email}`)
      }
      const made = await setUp(ctx, actor, null, { ...wanted, workspace: workspace ?? 'Main' })
      const { id, slug, name } = made.workspace
      if (input.on('json')) return printJson(input, { ...shown(made.user), workspace: { id, slug, name } })
      printLine(input, `${made.user.email} owns this Claviger and the workspace ${slug}.`)
    },
    { create: true },
  )
}

async function list(input: Input): Promise<void> {
  const users = await withContext(input, async (ctx) => {
    const all = await ctx.store.users.list()
    return Promise.all(all.map(async (user) => ({ user, memberships: await membershipsOf(ctx, user) })))
  })
  if (input.on('json'))
    return printJson(
      input,
      users.map(({ user, memberships }) => ({
        ...shown(user),
        memberships: memberships.map(({ workspace, role }) => ({ workspace: workspace.slug, role })),
      })),
    )
  printTable(
    input,
    ['EMAIL', 'NAME', 'INSTANCE', 'WORKSPACES', 'CREATED'],
    users.map(({ user, memberships }) => [
      user.email,
      user.name,
      user.instanceOwner ? 'owner' : '-',
      memberships.map(({ workspace, role }) => `${workspace.slug} (${role})`).join(', '),
      user.createdAt,
    ]),
    'There is no account yet. Make the first: claviger users create --owner --email EMAIL',
  )
}

function membershipsOf(ctx: Context, user: User): Promise<Membership[]> {
  return ctx.store.workspaces.ofUser(user.id)
}

function onlyEmail(input: Input): string {
  const { email, rest } = emailOf(input)
  noMore(rest)
  return email
}

function shown({ id, email, name, instanceOwner, createdAt }: User): object {
  return { id, email, name, instance_owner: instanceOwner, created_at: createdAt }
}
