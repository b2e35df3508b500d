import type { CallToolResult, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import type { DocName, DocPart, Hit, Repo } from '../core/docs.ts'
import type { Reader } from './reader.ts'

const USUAL_HITS = 8
const MOST_HITS = 50

const READS = { readOnlyHint: true, idempotentHint: true, openWorldHint: false, destructiveHint: false }

const Found = z.object({
  id: z.string().describe('Of the document; give it to get_doc.'),
  repo: z.string(),
  path: z.string(),
  title: z.string(),
  heading: z.string().describe('The section that was found; give it to get_doc as `section` to read it alone.'),
  snippet: z.string(),
  score: z.number(),
})

/** What a model can do with the documentation. Answers are short, and say what to call next. */
export function offerTools(mcp: McpServer, reader: Reader): void {
  mcp.registerTool(
    'search',
    {
      title: 'Search documentation',
      description:
        'Finds the sections of the documentation that answer best. Ask with words or with a question; put "a phrase" in quotes to have it exactly. Read what was found with get_doc.',
      inputSchema: z.object({
        query: z.string().min(1).describe('Words, a question, an identifier, or a "quoted phrase".'),
        repo: z.string().optional().describe('The name of one repo, of those that list_repos names; all without it.'),
        limit: z
          .number()
          .int()
          .min(1)
          .max(MOST_HITS)
          .optional()
          .describe(`How many to find; ${USUAL_HITS} unless told.`),
      }),
      outputSchema: z.object({ results: z.array(Found) }),
      annotations: { title: 'Search documentation', ...READS },
    },
    async ({ query, repo, limit = USUAL_HITS }) => {
      const repos = await reader.repos()
      const among = repo === undefined ? repos : named(repos, repo)
      if (among === null) return noSuchRepo(repos, repo!)
      const results = await reader.library.search(among, query, limit)
      const shown = results.map(({ anchor: _, ...hit }) => hit)
      return answer({ results: shown }, results.length > 0 ? foundText(query, results) : nothingText(query, among))
    },
  )

  mcp.registerTool(
    'get_doc',
    {
      title: 'Read a document',
      description:
        'Reads a document, whole or one section of it, by the id that search gave or by repo and path. A long one comes in pages: call again with the next_offset it names.',
      inputSchema: z.object({
        id: z.string().optional().describe('As search gave it. Without it give repo and path.'),
        repo: z.string().optional(),
        path: z.string().optional().describe('Such as guides/start.md.'),
        section: z.string().optional().describe('A heading: reads that section with what lies below it.'),
        offset: z.number().int().min(0).optional().describe('Where to go on, as next_offset said.'),
      }),
      outputSchema: z.object({
        id: z.string(),
        repo: z.string(),
        path: z.string(),
        title: z.string(),
        content: z.string(),
        next_offset: z.number().int().optional().describe('There is more: call again with this as offset.'),
      }),
      annotations: { title: 'Read a document', ...READS },
    },
    async ({ id, repo, path, section, offset }) => {
      const repos = await reader.repos()
      if (id === undefined && path === undefined)
        return failed('Say which document: give the id that search gave, or repo and path.')
      if (repo !== undefined && named(repos, repo) === null) return noSuchRepo(repos, repo)
      const among = repo === undefined ? repos : named(repos, repo)!
      const part = await readOne(reader, among, id === undefined ? { path: path! } : { id }, { section, offset })
      if (part) return answer(shown(part), partText(part, section))
      const whole =
        section === undefined ? null : await readOne(reader, among, id === undefined ? { path: path! } : { id }, {})
      return whole ? noSuchSection(whole, section!) : noSuchDocument(reader, among, id ?? path!)
    },
  )

  mcp.registerTool(
    'list_repos',
    {
      title: 'List documentation',
      description: 'Names the bodies of documentation that can be searched, with how many documents each holds.',
      inputSchema: z.object({}),
      outputSchema: z.object({
        repos: z.array(
          z.object({
            id: z.string(),
            name: z.string(),
            documents: z.number().int(),
            updated_at: z.string().nullable().describe('When its documents last changed; null before the first.'),
          }),
        ),
      }),
      annotations: { title: 'List documentation', ...READS },
    },
    async () => {
      const repos = await Promise.all(
        (await reader.repos()).map(async (repo) => {
          const { documents, updatedAt } = await reader.library.state(repo)
          return { id: repo.id, name: repo.name, documents, updated_at: updatedAt?.toISOString() ?? null }
        }),
      )
      const lines = repos.map(({ name, documents }) => `- ${name}: ${count(documents, 'document')}`)
      const next = 'Search one: search {"query":"…","repo":"NAME"}; all of them without repo.'
      return answer({ repos }, repos.length > 0 ? [...lines, '', next].join('\n') : NO_REPOS)
    },
  )
}

const NO_REPOS =
  'There is no documentation for this key. Repos are added on the page Documents of Claviger, or with: claviger repos add NAME PATH'

export function named(repos: Repo[], nameOrId: string): Repo[] | null {
  const found = repos.filter(({ name, id }) => name === nameOrId || id === nameOrId)
  return found.length > 0 ? found : null
}

/** Without a repo, a path is looked for in each. */
function readOne(
  { library }: Reader,
  among: Repo[],
  which: { id: string } | { path: string },
  part: { section?: string; offset?: number },
): Promise<DocPart | null> {
  if ('id' in which) return library.read(among, which, part)
  return among.reduce<Promise<DocPart | null>>(async (found, { id }) => {
    const name: DocName = { repo: id, path: which.path }
    return (await found) ?? library.read(among, name, part)
  }, Promise.resolve(null))
}

function answer(structuredContent: Record<string, unknown>, text: string): CallToolResult {
  return { content: [{ type: 'text', text }], structuredContent }
}

function failed(text: string): CallToolResult {
  return { content: [{ type: 'text', text }], isError: true }
}

function noSuchRepo(repos: Repo[], wanted: string): CallToolResult {
  return failed(repos.length > 0 ? `There is no repo ${quoted(wanted)}. There is: ${names(repos)}.` : NO_REPOS)
}

function noSuchSection({ id, title, sections }: DocPart, wanted: string): CallToolResult {
  const first = sections.slice(0, 30).map((name) => `- ${name}`)
  const more = sections.length > 30 ? [`… and ${sections.length - 30} more; get_doc {"id":"${id}"} reads all.`] : []
  return failed([`${title} has no section ${quoted(wanted)}. It has:`, ...first, ...more].join('\n'))
}

async function noSuchDocument({ library }: Reader, among: Repo[], wanted: string): Promise<CallToolResult> {
  const near = await library.search(among, wanted.replace(/\.\w+$/, ''), 3)
  const perhaps = [
    ...new Set(near.map(({ id, repo, path }) => `- ${oneLine(`${repo}/${path}`)}: get_doc {"id":"${id}"}`)),
  ]
  const hint = perhaps.length > 0 ? ['Perhaps one of these:', ...perhaps] : ['search finds documents by what they say.']
  return failed([`There is no document ${quoted(wanted)} in ${names(among) || 'any repo'}.`, ...hint].join('\n'))
}

function foundText(query: string, results: Hit[]): string {
  const lines = results.flatMap(({ id, repo, path, heading, snippet }, at) => [
    `${at + 1}. ${oneLine(`${heading} (${repo}/${path})`)}`,
    `   ${snippet}`,
    `   get_doc ${JSON.stringify({ id, section: heading })}`,
  ])
  return [`${count(results.length, 'section')} for ${quoted(query)}, the best first:`, '', ...lines].join('\n')
}

function nothingText(query: string, among: Repo[]): string {
  if (among.length === 0) return NO_REPOS
  return `Nothing found for ${quoted(query)} in ${names(among)}. Try fewer or other words; list_repos says what there is.`
}

function partText(part: DocPart, section: string | undefined): string {
  const { id, repo, path, title, content, nextOffset, sections } = part
  const head = `${oneLine(`${title} (${repo}/${path})`)}${section === undefined ? '' : `, section ${quoted(section)}`}`
  if (nextOffset === null) return `${head}\n\n${content}`
  const next = `get_doc ${JSON.stringify({ id, ...(section !== undefined && { section }), offset: nextOffset })}`
  const parts = sections.length > 1 ? ` Its sections: ${sections.slice(0, 40).join('; ')}.` : ''
  return `${head}\n\n${content}\n\nThis is not all: ${next} reads on.${parts}`
}

function shown({ id, repo, path, title, content, nextOffset }: DocPart) {
  return { id, repo, path, title, content, ...(nextOffset !== null && { next_offset: nextOffset }) }
}

/** A name of a file may hold anything, and must not be taken for the next line of the answer. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ')
}

function names(repos: Repo[]): string {
  return repos.map(({ name }) => name).join(', ')
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
