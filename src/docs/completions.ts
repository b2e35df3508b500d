import type { Server } from '@modelcontextprotocol/server'
import type { Reader } from './reader.ts'
import { named } from './tools.ts'

const MOST = 100

/** Names of repos and paths, wherever a resource or a prompt asks for one. */
export function offerCompletions(server: Server, reader: Reader): void {
  server.setRequestHandler('completion/complete', async ({ params: { argument, context } }) => {
    const repos = await reader.repos()
    if (argument.name === 'repo') return completed(repos.map(({ name }) => name).filter(startsWith(argument.value)))
    if (argument.name !== 'path') return completed([])
    const repo = context?.arguments?.repo
    const among = repo ? (named(repos, repo) ?? []) : repos
    const lists = await Promise.all(
      among.map((one) => reader.library.list(one, { limit: MOST, prefix: argument.value })),
    )
    const more = lists.some(({ nextCursor }) => nextCursor !== null)
    return completed([...new Set(lists.flatMap(({ items }) => items.map(({ path }) => path)))], more)
  })
}

function completed(values: string[], more = false) {
  return { completion: { values: values.slice(0, MOST), hasMore: more || values.length > MOST } }
}

function startsWith(value: string) {
  return (name: string) => name.startsWith(value)
}
