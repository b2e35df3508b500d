import {
  type GetPromptResult,
  type Prompt,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
} from '@modelcontextprotocol/server'
import type { Reader } from './reader.ts'
import { named } from './tools.ts'

const PROMPTS: Prompt[] = [
  {
    name: 'answer_from_docs',
    title: 'Answer from the documentation',
    description: 'Answers a question from what the documentation says, and names where it says so.',
    arguments: [
      { name: 'question', description: 'What you want to know.', required: true },
      { name: 'repo', description: 'The repo to look in; all without it.' },
    ],
  },
  {
    name: 'summarise_document',
    title: 'Summarise a document',
    description: 'Sums up one document for somebody who has not read it.',
    arguments: [
      { name: 'repo', description: 'The repo it lies in.', required: true },
      { name: 'path', description: 'Its path, such as guides/start.md.', required: true },
    ],
  },
]

const SECTIONS = 4

/** What people ask of documentation most, with the reading done already. */
export function offerPrompts(server: Server, reader: Reader): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: PROMPTS }))

  server.setRequestHandler('prompts/get', async ({ params: { name, arguments: args = {} } }) => {
    const prompt = PROMPTS.find((one) => one.name === name)
    if (!prompt) throw wrong(`There is no prompt ${name}. There is: ${PROMPTS.map((one) => one.name).join(', ')}.`)
    for (const { name: needed, required } of prompt.arguments ?? [])
      if (required && !args[needed]?.trim()) throw wrong(`The prompt ${name} needs ${needed}.`)
    return name === 'answer_from_docs' ? answerFrom(reader, args) : summarise(reader, args)
  })
}

type Args = Record<string, string>

async function answerFrom(reader: Reader, { question, repo }: Args): Promise<GetPromptResult> {
  const repos = await reader.repos()
  const among = repo ? named(repos, repo) : repos
  if (!among) throw wrong(`There is no repo ${repo}. There is: ${repos.map(({ name }) => name).join(', ')}.`)
  const hits = await reader.library.search(among, question!, SECTIONS)
  const read = await Promise.all(
    hits.map(async ({ id, repo, path, heading }) => {
      const part =
        (await reader.library.read(among, { id }, { section: heading })) ?? (await reader.library.read(among, { id }))
      return `<section from=${JSON.stringify(`${repo}/${path}`)} heading=${JSON.stringify(heading)}>\n${part?.content.trim()}\n</section>`
    }),
  )
  const found = read.length > 0 ? read.join('\n\n') : 'The search found nothing for these words.'
  return said(
    `Answer from the documentation: ${question}\n\nThis is what a search for it found:\n\n${found}\n\nIf that is not enough, use the tools search and get_doc. Name the path after each statement. If the documentation does not say it, say so rather than guess.`,
  )
}

async function summarise(reader: Reader, { repo, path }: Args): Promise<GetPromptResult> {
  const repos = await reader.repos()
  const among = named(repos, repo!)
  const part = among && (await reader.library.read(among, { repo: among[0]!.id, path: path! }))
  if (!part) throw wrong(`There is no document ${path} in ${repo}.`)
  const rest =
    part.nextOffset === null
      ? ''
      : `\n\nThis is its beginning; read on with get_doc {"id":"${part.id}","offset":${part.nextOffset}} before you sum it up.`
  return said(
    `Sum up this document in a few sentences and a short list, for somebody who has not read it: what it is about, what one can do with it, and what to watch out for. Add nothing that it does not say.\n\n<document from=${JSON.stringify(`${part.repo}/${part.path}`)}>\n${part.content.trim()}\n</document>${rest}`,
  )
}

function said(text: string): GetPromptResult {
  return { messages: [{ role: 'user', content: { type: 'text', text } }] }
}

function wrong(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message)
}
