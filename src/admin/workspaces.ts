import { mayDo } from '../core/caller.ts'
import { personActor } from '../core/workspaces/sign-in.ts'
import { createWorkspace, deleteWorkspace, renameWorkspace } from '../core/workspaces/workspaces.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, show } from './answer.ts'
import type { Door } from './door.ts'
import { type Inside, type Personal, visitorOf } from './entrance.ts'
import { text } from './form.ts'

export function newWorkspacePage(door: Door) {
  return (visit: Personal) => showNew(door, visit, [])
}

export function makeWorkspace(door: Door) {
  return async (visit: Personal) => {
    const { req, res, person } = visit
    await orAgain(
      res,
      async () => {
        const actor = personActor(person.user, visitorOf(req))
        const { slug } = await createWorkspace(door.ctx, actor, person.user, text(req, 'workspace'))
        goTo(door, visit, `/admin/w/${slug}/keys`, 'workspace-created')
      },
      (errors) => showNew(door, visit, errors),
    )
  }
}

function showNew(door: Door, visit: Personal, errors: Wrong) {
  show(door, visit, 'workspaces/new', { form: { workspace: text(visit.req, 'workspace') }, errors })
}

export function settingsPage(door: Door) {
  return (visit: Inside) => showSettings(door, visit, visit.workspace.name, [])
}

export function rename(door: Door) {
  return async (visit: Inside) => {
    const wanted = text(visit.req, 'workspace')
    await orAgain(
      visit.res,
      async () => {
        await renameWorkspace(door.ctx, visit.caller, visit.workspace, wanted)
        goTo(door, visit, `${visit.base}/settings`, 'workspace-renamed')
      },
      (errors) => showSettings(door, visit, wanted, errors),
    )
  }
}

async function showSettings(door: Door, visit: Inside, name: string, errors: Wrong) {
  const members = await door.ctx.store.members.list(visit.workspace.id)
  const may = (power: Parameters<typeof mayDo>[1]) => mayDo(visit.caller, power)
  show(door, visit, 'workspaces/settings', {
    form: { workspace: name },
    slug: visit.workspace.slug,
    createdAt: visit.workspace.createdAt,
    role: visit.role,
    mayRename: may('workspace.rename'),
    mayHandOver: may('owners.change') && members.length > 1,
    mayDelete: may('workspace.delete'),
    errors,
  })
}

export function deletePage(door: Door) {
  return (visit: Inside) => askForSlug(door, visit, [])
}

export function deleteForGood(door: Door) {
  return async (visit: Inside) => {
    await orAgain(
      visit.res,
      async () => {
        await deleteWorkspace(door.ctx, visit.caller, visit.workspace, text(visit.req, 'confirm'))
        goTo(door, visit, '/admin', 'workspace-deleted')
      },
      (errors) => askForSlug(door, visit, errors),
    )
  }
}

async function askForSlug(door: Door, visit: Inside, errors: Wrong) {
  const { ctx } = door
  const { id: workspaceId, slug, name } = visit.workspace
  const [tally, members] = await Promise.all([
    ctx.store.keys.tally({ workspaceId, now: ctx.now() }),
    ctx.store.members.list(workspaceId),
  ])
  const working = tally.active + tally.scheduled
  show(door, visit, 'workspaces/delete', { slug, name, working, members: members.length, errors })
}
