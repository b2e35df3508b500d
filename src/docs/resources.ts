import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, type Server } from '@modelcontextprotocol/server'
import type { DocPart, Repo } from '../core/docs.ts'
import { kindOf } from './kinds.ts'
import { PAGE_LENGTH } from './part.ts'
import type { Reader } from './reader.ts'
import { named } from './tools.ts'

export const TEMPLATE = 'docs://{repo}/{path}'

const PAGE = 100
/** More than anybody picks from; the template and its completion reach all others. */
const MOST_LISTED = 500
const MOST_PAGES_READ = 50

/** Each document as a resource, for clients in which people attach them. */
export function offerResources(server: Server, reader: Reader): void {
  server.setRequestHandler('resources/list', async ({ params }) => {
    const from = placeIn(params?.cursor)
    const repos = await reader.repos()
    const repo = repos[from.repo]
    if (!repo) return { resources: [] }
    const { items, nextCursor } = await reader.library.list(repo, { limit: PAGE, cursor: from.after })
    const resources = items.map(({ path, title, bytes }) => ({
      uri: uriOf(repo, path),
      name: `${repo.name}/${path}`,
      title,
      mimeType: typeOf(path),
      size: bytes,
    }))
    const listed = from.listed + resources.length
    const next = nextCursor !== null ? { ...from, after: nextCursor } : { repo: from.repo + 1, after: null }
    const more = listed < MOST_LISTED && next.repo < repos.length
    return { resources, ...(more && { nextCursor: cursorOf({ ...next, listed }) }) }
  })

  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [
      {
        uriTemplate: TEMPLATE,
        name: 'document',
        title: 'A document',
        description: 'A document by its repo and path, such as docs://claviger/keys.md.',
      },
    ],
  }))

  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const name = nameIn(uri)
    const among = name && named(await reader.repos(), name.repo)
    const text = among ? await textOf(reader, among, name.path) : null
    if (text === null) throw new ResourceNotFoundError(uri)
    return { contents: [{ uri, mimeType: typeOf(name!.path), text }] }
  })
}

export function uriOf(repo: Repo, path: string): string {
  return `docs://${repo.name}/${path.split('/').map(encodeURIComponent).join('/')}`
}

/** Slashes may come encoded: that is how a client fills the template in. */
export function nameIn(uri: string): { repo: string; path: string } | null {
  const match = /^docs:\/\/([^/?#]+)\/([^?#]+)$/.exec(uri)
  try {
    return match && { repo: decodeURIComponent(match[1]!), path: decodeURIComponent(match[2]!) }
  } catch {
    return null
  }
}

/** All of it, up to about a million characters. */
export async function textOf({ library }: Reader, among: Repo[], path: string): Promise<string | null> {
  const pages: string[] = []
  let offset: number | null = 0
  while (offset !== null && pages.length < MOST_PAGES_READ) {
    const part: DocPart | null = await library.read(among, { repo: among[0]!.id, path }, { offset })
    if (!part) return null
    pages.push(part.content)
    offset = part.nextOffset
  }
  if (offset !== null) pages.push(`\n\n(Cut off after ${MOST_PAGES_READ * PAGE_LENGTH} characters.)\n`)
  return pages.join('')
}

/** Pages of HTML are read as Markdown. */
function typeOf(path: string): string {
  const kind = kindOf(path)
  return kind === 'text' ? 'text/plain' : kind === 'rst' ? 'text/x-rst' : 'text/markdown'
}

type Place = { repo: number; after: string | null; listed: number }

function cursorOf({ repo, after, listed }: Place): string {
  return Buffer.from(JSON.stringify([repo, after, listed])).toString('base64url')
}

function placeIn(cursor: string | undefined): Place {
  if (cursor === undefined) return { repo: 0, after: null, listed: 0 }
  try {
    const [repo, after, listed] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Number.isInteger(repo) && (after === null || typeof after === 'string') && Number.isInteger(listed))
      return { repo, after, listed }
  } catch {
    // told below
  }
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'This cursor is none of ours. Begin the list again.')
}
