import { mayDo } from '../core/caller.ts'
import type { Environment } from '../core/keys/key.ts'
import { addMcp, editMcp, mcpOf, removeMcp } from '../core/mcps/edit.ts'
import { readMcpServers } from '../core/mcps/import.ts'
import type { Mcp } from '../core/mcps/mcp.ts'
import { retarget } from '../core/mcps/retarget.ts'
import { shownMcp } from '../core/mcps/shown.ts'
import { Refusal } from '../core/refusal.ts'
import { orAgain, type Wrong } from './again.ts'
import { goTo, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { text } from './form.ts'
import { blankMcp, formOf, type McpForm, readMcpForm, readSettings, typedMcp } from './mcp-form.ts'
import { readTargets } from './mcp-targets.ts'
import { originOf } from './origin.ts'

const ENVIRONMENTS: Environment[] = ['live', 'test']

export function mcpsPage(door: Door) {
  return async (visit: Inside) => {
    const mcps = await door.ctx.store.mcps.list(visit.workspace.id)
    show(door, visit, 'mcps/index', {
      mayChange: mayDo(visit.caller, 'mcps.change'),
      mcps: await Promise.all(mcps.map((mcp) => rowOf(door, mcp))),
    })
  }
}

async function rowOf(door: Door, mcp: Mcp) {
  const states = await Promise.all(
    ENVIRONMENTS.filter((environment) => mcp.targets[environment]).map((one) => stateOf(door, mcp, one)),
  )
  return { ...shownMcp(mcp), states }
}

async function stateOf({ tools }: Door, mcp: Mcp, environment: Environment) {
  const known = await tools.known(mcp, environment)
  const trouble = tools.trouble(mcp, environment)
  return { environment, tools: known?.offer.tools.length ?? null, heardAt: known?.heardAt ?? null, trouble }
}

export function newMcpPage(door: Door) {
  return (visit: Inside) => showForm(door, visit, blankMcp(), [])
}

export function createMcp(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    await orAgain(
      res,
      async () => {
        const mcp = await addMcp(door.ctx, caller, workspace.id, readMcpForm(req))
        goTo(door, visit, `${base}/mcps/${mcp.slug}`, 'mcp-added')
      },
      (errors) => showForm(door, visit, typedMcp(req), errors),
    )
  }
}

function showForm(door: Door, visit: Inside, form: McpForm, errors: Wrong) {
  show(door, visit, 'mcps/new', { form, errors, mayRunCommands: visit.person.user.instanceOwner })
}

export function mcpPage(door: Door) {
  return async (visit: Inside) => showMcp(door, visit, await mcpIn(door, visit), null, [])
}

async function showMcp(door: Door, visit: Inside, mcp: Mcp, form: McpForm | null, errors: Wrong) {
  const states = await Promise.all(
    ENVIRONMENTS.filter((environment) => mcp.targets[environment]).map(async (environment) => ({
      ...(await stateOf(door, mcp, environment)),
      list: (await door.tools.known(mcp, environment))?.offer.tools ?? [],
    })),
  )
  const mayChange = mayDo(visit.caller, 'mcps.change') && (mcp.transport !== 'stdio' || visit.person.user.instanceOwner)
  show(door, visit, 'mcps/show', {
    mcp: shownMcp(mcp),
    createdAt: mcp.createdAt,
    states,
    mayChange,
    address: `${originOf(door, visit)}/mcp/${mcp.slug}`,
    form: form ?? formOf(mcp),
    errors,
  })
}

export function changeMcp(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    const mcp = await mcpIn(door, visit)
    await orAgain(
      res,
      async () => {
        const given = readTargets(req, mcp)
        const targets = given && {
          live: retarget(door.ctx, mcp.targets.live, given.live),
          test: retarget(door.ctx, mcp.targets.test, given.test),
        }
        const wanted = { name: text(req, 'name'), ...readSettings(req), ...targets }
        await editMcp(door.ctx, caller, workspace.id, mcp.slug, wanted, given ? mcp.revision : undefined)
        goTo(door, visit, `${base}/mcps/${mcp.slug}`, 'mcp-changed')
      },
      (errors) => showMcp(door, visit, mcp, { ...formOf(mcp), ...typedMcp(req) }, errors),
    )
  }
}

/** Its answer is the page: with the tools it has told, or with why it could not be asked. */
export function refreshMcp(door: Door) {
  return async (visit: Inside) => {
    const mcp = await mcpIn(door, visit)
    const asked = ENVIRONMENTS.filter((environment) => mcp.targets[environment])
    await Promise.all(asked.map((environment) => door.tools.refresh(mcp, environment).catch(noteOnly)))
    goTo(door, visit, `${visit.base}/mcps/${mcp.slug}`)
  }
}

/** The page shows what went wrong beside the environment it went wrong in. */
function noteOnly(error: unknown): void {
  if (!(error instanceof Refusal)) throw error
}

export function removeMcpPage(door: Door) {
  return async (visit: Inside) => show(door, visit, 'mcps/remove', { mcp: shownMcp(await mcpIn(door, visit)) })
}

export function removeForGood(door: Door) {
  return async (visit: Inside) => {
    await removeMcp(door.ctx, visit.caller, visit.workspace.id, String(visit.req.params.mcp))
    goTo(door, visit, `${visit.base}/mcps`, 'mcp-removed')
  }
}

export function importPage(door: Door) {
  return (visit: Inside) => showImport(door, visit, '', [])
}

/** All of the file or nothing: what is refused is named, and can be mended in the text. */
export function importMcps(door: Door) {
  return async (visit: Inside) => {
    const { req, res, caller, workspace, base } = visit
    const typed = text(req, 'config')
    await orAgain(
      res,
      async () => {
        const { mcps, passedOver } = readMcpServers(typed)
        const errors: Wrong = passedOver.map(({ name, why }) => ({ message: `${name} ${why}.` }))
        for (const wanted of mcps)
          try {
            await addMcp(door.ctx, caller, workspace.id, wanted)
          } catch (error) {
            if (!(error instanceof Refusal)) throw error
            errors.push({ message: `${wanted.slug}: ${error.message}` })
          }
        if (errors.length === 0) return goTo(door, visit, `${base}/mcps`, 'mcps-imported')
        res.status(422)
        showImport(door, visit, '', errors, mcps.length - errors.length + passedOver.length)
      },
      (errors) => showImport(door, visit, '', errors),
    )
  }
}

/** The text is not shown again: configuration files hold tokens. */
function showImport(door: Door, visit: Inside, config: string, errors: Wrong, added = 0) {
  show(door, visit, 'mcps/import', { config, errors, added, mayRunCommands: visit.person.user.instanceOwner })
}

function mcpIn({ ctx }: Door, { workspace, req }: Inside): Promise<Mcp> {
  return mcpOf(ctx, workspace.id, String(req.params.mcp))
}
