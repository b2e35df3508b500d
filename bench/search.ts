import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import MiniSearch from 'minisearch'
import { docsWorker } from '../src/assets.ts'
import type { Library, Repo } from '../src/core/docs.ts'
import { openLibrary } from '../src/docs/library.ts'
import { documentOf } from '../src/docs/sections.ts'
import { silent } from '../src/log.ts'
import { newFolder } from './claviger.ts'
import { median, megabytes } from './figures.ts'
import { type Found, type Quality, qualityOf, texts } from './library/quality.ts'
import { QUESTIONS } from './library/questions.ts'
import { queriesFor, type Section, sectionsOf } from './library/sections.ts'
import type { Options } from './options.ts'

/** The search of documents beside MiniSearch on the same sections; ours as it is used, with its thread and its file. */
export type Searching = {
  sections: number
  queries: number
  rows: SearchRow[]
  quality: (Quality & { name: string })[]
}
export type SearchRow = {
  name: string
  indexPerSecond: number
  sizeMb: number
  perSecond: number
  p50Ms: number
  p99Ms: number
}

type Search = (query: string) => Promise<unknown> | unknown

const QUERIES = 300
const HITS = 8
const FIELDS = { fields: ['title', 'heading', 'body'], storeFields: ['path', 'heading'] }
const AS_USUAL = { boost: { title: 2, heading: 3 }, fuzzy: 0.2, prefix: true }

export async function measureSearch({ sections: count }: Options, told: (text: string) => void): Promise<Searching> {
  told(`search: ${count} sections, two engines`)
  const sections = sectionsOf(count)
  const queries = queriesFor(sections, QUERIES)
  return {
    sections: count,
    queries: queries.length,
    rows: [await ours(sections, queries), await miniSearch(sections, queries)],
    quality: [await ourQuality(), miniQuality()],
  }
}

async function ours(sections: Section[], queries: string[]): Promise<SearchRow> {
  const path = newFolder()
  write(
    path,
    Map.groupBy(sections, (section) => section.path),
  )
  const dataDir = newFolder()
  const { library, repo } = opened(dataDir, path)
  const from = performance.now()
  library.keep([repo])
  const state = await library.refresh(repo)
  const seconds = (performance.now() - from) / 1000
  const asked = await ask(queries, (query) => library.search([repo], query, HITS))
  await library.close()
  const sizeMb = megabytes(statSync(join(dataDir, 'docs.db')).size)
  return { name: 'Claviger, from files', indexPerSecond: state.sections / seconds, sizeMb, ...asked }
}

async function miniSearch(sections: Section[], queries: string[]): Promise<SearchRow> {
  const from = performance.now()
  const index = new MiniSearch(FIELDS)
  index.addAll(sections)
  const seconds = (performance.now() - from) / 1000
  const asked = await ask(queries, (query) => index.search(query, AS_USUAL).slice(0, HITS))
  const sizeMb = megabytes(JSON.stringify(index).length)
  return { name: 'MiniSearch, in memory', indexPerSecond: sections.length / seconds, sizeMb, ...asked }
}

async function ask(queries: string[], search: Search): Promise<Pick<SearchRow, 'perSecond' | 'p50Ms' | 'p99Ms'>> {
  for (const query of queries.slice(0, 20)) await search(query)
  const tookMs: number[] = []
  for (const query of queries) {
    const from = performance.now()
    await search(query)
    tookMs.push(performance.now() - from)
  }
  tookMs.sort((a, b) => a - b)
  const all = tookMs.reduce((sum, ms) => sum + ms, 0)
  return {
    perSecond: (1000 * tookMs.length) / all,
    p50Ms: median(tookMs),
    p99Ms: tookMs[Math.floor(tookMs.length * 0.99)]!,
  }
}

async function ourQuality(): Promise<Quality & { name: string }> {
  const path = newFolder()
  for (const { path: name, text } of texts()) writeFileSync(join(path, name), text)
  const { library, repo } = opened(newFolder(), path)
  library.keep([repo])
  await library.refresh(repo)
  const found = new Map<string, Found[]>()
  for (const { ask } of QUESTIONS) found.set(ask, await library.search([repo], ask, 10))
  await library.close()
  return { name: 'Claviger', ...qualityOf((query) => found.get(query)!) }
}

function miniQuality(): Quality & { name: string } {
  const index = new MiniSearch(FIELDS)
  let id = 0
  for (const { path, text } of texts()) {
    const { title, sections } = documentOf(path, text)
    for (const { trail, text, lead } of sections)
      index.add({ id: id++, path, title, heading: trail || title, body: text.slice(lead) })
  }
  const search = (query: string, limit: number) =>
    index
      .search(query, AS_USUAL)
      .slice(0, limit)
      .map(({ path, heading }): Found => ({ path, heading }))
  return { name: 'MiniSearch', ...qualityOf(search) }
}

function opened(dataDir: string, path: string): { library: Library; repo: Repo } {
  const manual = join(import.meta.dirname, '../docs')
  const library = openLibrary({ dataDir, roots: [path], manual, worker: docsWorker(), lazy: false, log: silent })
  const repo: Repo = {
    id: 'rep_bench',
    workspaceId: 'wsp_bench',
    name: 'bench',
    source: 'folder',
    path,
    environments: ['live'],
    createdAt: new Date(0),
    revision: 1,
  }
  return { library, repo }
}

function write(under: string, documents: Map<string, Section[]>): void {
  for (const [path, sections] of documents) {
    mkdirSync(dirname(join(under, path)), { recursive: true })
    const text = sections.map(({ heading, body }) => `## ${heading}\n\n${body}\n`).join('\n')
    writeFileSync(join(under, path), text)
  }
}
