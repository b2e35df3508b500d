import type { Context } from '../core/context.ts'
import { shown as shownKey } from '../core/keys/shown.ts'
import { Refusal } from '../core/refusal.ts'
import { addMember, checkRole, invite, removeMember, setRole, withdrawInvitation } from '../core/workspaces/members.ts'
import { userNamed } from '../core/workspaces/people.ts'
import { ROLES } from '../core/workspaces/roles.ts'
import type { Invitation, Member, Workspace } from '../core/workspaces/workspace.ts'
import { type Command, type Input, JSON_OPTION, type Option, UsageError, WORKSPACE_OPTION } from './command.ts'
import { inWorkspace } from './open.ts'
import { ORIGIN_OPTIONS, originOf } from './origin.ts'
import { EMAIL_OPTION, emailOf, noMore } from './person.ts'
import { printJson, printLine, printTable, remark } from './print.ts'

const OPTIONS = { ...WORKSPACE_OPTION, ...JSON_OPTION }
const ROLE_OPTION: Record<string, Option> = {
  role: { value: 'ROLE', about: `One of ${ROLES.join(', ')} (member).` },
}

export const memberCommands: Command[] = [
  {
    name: 'members add',
    args: '[EMAIL]',
    about: 'Let somebody who has an account into a workspace.',
    options: { ...EMAIL_OPTION, ...ROLE_OPTION, ...OPTIONS },
    run: add,
  },
  { name: 'members list', about: 'List who is in a workspace, and in which role.', options: OPTIONS, run: list },
  {
    name: 'members set-role',
    args: '[EMAIL] [ROLE]',
    about: 'Give a member another role.',
    options: {
      ...EMAIL_OPTION,
      role: { value: 'ROLE', about: `One of ${ROLES.join(', ')}, if not given as an argument.` },
      ...OPTIONS,
    },
    run: changeRole,
  },
  {
    name: 'members remove',
    args: '[EMAIL]',
    about: 'Remove a member; their keys are disabled and listed.',
    options: { ...EMAIL_OPTION, ...OPTIONS },
    run: remove,
  },
  {
    name: 'members invite',
    args: '[EMAIL]',
    about: 'Print a link with which one person joins, once, within 7 days.',
    options: {
      email: { value: 'EMAIL', about: 'Only the account with this address may take it up (anybody with the link).' },
      ...ROLE_OPTION,
      ...ORIGIN_OPTIONS,
      ...OPTIONS,
    },
    run: inviteSomebody,
  },
  {
    name: 'members invitations',
    about: 'List the invitations that nobody has taken up yet.',
    options: OPTIONS,
    run: listInvitations,
  },
  {
    name: 'members withdraw',
    args: 'ID',
    about: 'Withdraw an invitation: its link opens nothing from then on.',
    options: OPTIONS,
    run: (input) =>
      inWorkspace(input, async (ctx, caller, { id }) => {
        const invitation = input.args[0]!
        await withdrawInvitation(ctx, caller, id, invitation)
        if (input.on('json')) printJson(input, { withdrawn: { id: invitation } })
        else printLine(input, `The invitation ${invitation} is withdrawn.`)
      }),
  },
]

async function add(input: Input): Promise<void> {
  const { email, rest } = emailOf(input)
  noMore(rest)
  const role = checkRole(input.text('role') ?? 'member')
  await inWorkspace(input, async (ctx, caller, workspace) => {
    const user = await userNamed(ctx, email)
    await addMember(ctx, caller, workspace.id, user, role)
    if (input.on('json')) printJson(input, shown(await memberNamed(ctx, workspace, email)))
    else printLine(input, `${user.email} is ${role} of ${workspace.slug}.`)
  })
}

async function list(input: Input): Promise<void> {
  await inWorkspace(input, async (ctx, _caller, workspace) => {
    const members = await ctx.store.members.list(workspace.id)
    if (input.on('json')) return printJson(input, members.map(shown))
    printTable(
      input,
      ['EMAIL', 'NAME', 'ROLE', 'JOINED'],
      members.map(({ email, name, role, joinedAt }) => [email, name, role, joinedAt]),
      `Nobody is in ${workspace.slug} yet. Let somebody in: claviger members add EMAIL`,
    )
  })
}

async function changeRole(input: Input): Promise<void> {
  const { email, rest } = emailOf(input)
  const [wanted, ...more] = [input.text('role'), ...rest].filter((role) => role !== undefined)
  noMore(more)
  if (wanted === undefined) throw new UsageError(`Say which role: ${ROLES.join(', ')}.`)
  const role = checkRole(wanted)
  await inWorkspace(input, async (ctx, caller, workspace) => {
    const member = await memberNamed(ctx, workspace, email)
    await setRole(ctx, caller, workspace.id, member.userId, role)
    if (input.on('json')) printJson(input, shown({ ...member, role }))
    else printLine(input, `${member.email} is ${role} of ${workspace.slug}.`)
  })
}

async function remove(input: Input): Promise<void> {
  const { email, rest } = emailOf(input)
  noMore(rest)
  await inWorkspace(input, async (ctx, caller, workspace) => {
    const member = await memberNamed(ctx, workspace, email)
    const { keys } = await removeMember(ctx, caller, workspace.id, member.userId, 'disable')
    if (input.on('json')) {
      const found = await Promise.all(keys.map(({ id }) => ctx.store.keys.byId(workspace.id, id)))
      const disabled = found.filter((key) => key !== null).map((key) => shownKey(key, ctx.now()))
      return printJson(input, { removed: shown(member), disabled_keys: disabled })
    }
    printLine(input, `${member.email} is no longer in ${workspace.slug}.`)
    if (keys.length === 0) return printLine(input, 'They had no keys that were on.')
    printLine(input, 'Their keys are disabled; `claviger keys enable ID` turns one on again:')
    printTable(
      input,
      ['ID', 'NAME', 'HINT'],
      keys.map(({ id, name, hint }) => [id, name, hint]),
      '',
    )
  })
}

async function inviteSomebody(input: Input): Promise<void> {
  const [email, ...rest] = [input.text('email'), ...input.args].filter((word) => word !== undefined)
  noMore(rest)
  const role = checkRole(input.text('role') ?? 'member')
  await inWorkspace(input, async (ctx, caller, workspace) => {
    const { invitation, token } = await invite(ctx, caller, workspace.id, { email: email ?? null, role })
    const url = `${originOf(input.settings.config)}/admin/invitations/${token.reveal()}`
    if (input.on('json')) return printJson(input, { ...shownInvitation(invitation), url })
    printLine(input, url)
    const who = invitation.email ?? 'one person'
    remark(input.world, `For ${who} to join ${workspace.slug} as ${role}, once, within 7 days. It is not shown again.`)
  })
}

async function listInvitations(input: Input): Promise<void> {
  await inWorkspace(input, async (ctx, _caller, workspace) => {
    const open = await ctx.store.invitations.open(workspace.id, ctx.now())
    if (input.on('json')) return printJson(input, open.map(shownInvitation))
    printTable(
      input,
      ['ID', 'FOR', 'ROLE', 'BY', 'UNTIL'],
      open.map(({ id, email, role, createdBy, expiresAt }) => [id, email ?? 'anybody', role, createdBy, expiresAt]),
      'No invitation is open.',
    )
  })
}

async function memberNamed(ctx: Context, workspace: Workspace, email: string): Promise<Member> {
  const wanted = email.trim().toLowerCase()
  const member = (await ctx.store.members.list(workspace.id)).find((one) => one.email === wanted)
  if (!member) throw new Refusal('not_found', `${wanted} is no member of ${workspace.slug}.`)
  return member
}

function shown({ userId, email, name, role, joinedAt }: Member): object {
  return { user_id: userId, email, name, role, joined_at: joinedAt }
}

function shownInvitation({ id, email, role, createdAt, createdBy, expiresAt }: Invitation): object {
  return { id, email, role, created_at: createdAt, created_by: createdBy, expires_at: expiresAt }
}
