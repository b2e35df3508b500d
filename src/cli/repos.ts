import { resolve } from 'node:path'
import type { Repo, RepoState } from '../core/docs.ts'
import type { Environment } from '../core/keys/key.ts'
import { Refusal } from '../core/refusal.ts'
import { addRepo, removeRepo } from '../core/repos/edit.ts'
import { repoFor } from '../core/repos/reach.ts'
import { shownRepo } from '../core/repos/shown.ts'
import { repoStates } from '../library.ts'
import { type Command, JSON_OPTION, UsageError, WORKSPACE_OPTION } from './command.ts'
import { inWorkspace } from './open.ts'
import { printJson, printLine, printTable } from './print.ts'

export const repoCommands: Command[] = [
  {
    name: 'repos add',
    args: 'NAME [PATH]',
    about: 'Make a folder of documents searchable; a server that runs begins to read it at once.',
    options: {
      env: { value: 'KEYS', about: 'Which keys find it: live, test or live,test (live).' },
      manual: { about: 'The manual of Claviger, in place of a folder.' },
      ...WORKSPACE_OPTION,
      ...JSON_OPTION,
    },
    notes: [
      'PATH lies inside one of the folders of CLAVIGER_DOCS_ROOTS, which the server needs too. Without PATH the repo',
      'takes files that are sent to it, on its page or over REST.',
    ],
    run: (input) =>
      inWorkspace(input, async (ctx, caller, { id }) => {
        const [name, path] = input.args as [string, string?]
        const manual = input.on('manual')
        if (manual && path !== undefined) throw new UsageError('Give a folder or --manual, not both.')
        const repo = await addRepo(ctx, caller, id, {
          name,
          source: manual ? 'manual' : null,
          path: path === undefined ? null : resolve(path),
          environments: environmentsIn(input.text('env') ?? (manual ? 'live,test' : 'live')),
        })
        if (input.on('json')) printJson(input, shown(repo))
        else printLine(input, `Added ${repo.name}. ${whatNext(repo)}`)
      }),
  },
  {
    name: 'repos list',
    about: 'List what is searchable in a workspace.',
    options: { ...WORKSPACE_OPTION, ...JSON_OPTION },
    run: (input) =>
      inWorkspace(input, async (ctx, _caller, { id }) => {
        const repos = await ctx.store.repos.list(id)
        const states = await repoStates(input.settings.config, repos)
        const rows = repos.map((repo, at) => ({ ...repo, state: states[at]! }))
        if (input.on('json'))
          return printJson(
            input,
            rows.map((repo) => shownRepo(repo, repo.state)),
          )
        printTable(
          input,
          ['NAME', 'SOURCE', 'PATH', 'ENVIRONMENTS', 'DOCUMENTS', 'STATE', 'CREATED'],
          rows.map(({ name, source, path, environments, state, createdAt }) => [
            ...[name, source, path, environments.join(','), String(state.documents), progressOf(state)],
            createdAt,
          ]),
          'There is no repo yet. Add one: claviger repos add NAME PATH',
        )
      }),
  },
  {
    name: 'repos remove',
    args: 'NAME',
    about: 'Remove a repo; files that were sent to it go too, a folder stays as it is.',
    options: { ...WORKSPACE_OPTION, yes: { about: 'Remove it without asking again.' } },
    run: (input) =>
      inWorkspace(input, async (ctx, caller, { id }) => {
        const repo = await repoFor(ctx, caller, id, input.args[0]!)
        if (!input.on('yes')) throw new Refusal('conflict', `${whatGoes(repo)} Repeat with --yes.`)
        await removeRepo(ctx, caller, id, repo.id)
        printLine(input, `Removed ${repo.name}.`)
      }),
  },
]

function progressOf({ failure, indexing, updatedAt, skippedCount }: RepoState): string {
  if (failure !== null) return 'unreadable'
  if (indexing !== null) return `reading ${indexing.done}${indexing.total === null ? '' : ` of ${indexing.total}`}`
  if (updatedAt === null) return 'not read yet'
  return skippedCount > 0 ? `read, ${skippedCount} passed over` : 'read'
}

function environmentsIn(text: string): Environment[] {
  return text.split(',').map((word) => {
    const one = word.trim()
    if (one === 'live' || one === 'test') return one
    throw new UsageError(`--env is "${text}". Give live, test or live,test.`)
  })
}

function whatNext({ source, name }: Repo): string {
  if (source === 'files') return `Send it files: PUT /api/v1/repos/${name}/files/PATH, or its page.`
  return 'The server reads it now, or as soon as it starts.'
}

function whatGoes({ source, name }: Repo): string {
  const files = source === 'files' ? ', and the files that were sent to it are deleted' : ''
  return `Nothing of ${name} is found any more${files}.`
}

function shown({ id, name, source, path, environments, createdAt }: Repo): object {
  return { id, name, source, path, environments, created_at: createdAt.toISOString() }
}
