import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import express, { type Router } from 'express'
import { manualFolder } from '../assets.ts'
import { Refusal } from '../core/refusal.ts'
import { type ManualPage, renderMarkdown } from './markdown.ts'
import type { Render } from './render.ts'

/** In the order of a first reading; a page that is not named here comes after them. */
const ORDER = [
  'quick-start',
  'connecting',
  'clients',
  'keys',
  'permissions',
  'environments',
  'documents',
  'mcp-servers',
]
const LATER = ['limits', 'people', 'rest', 'configuration', 'operating', 'troubleshooting', 'performance']

/** The manual as pages, for everybody who reaches this server: it holds no secret, and is needed before there is an owner. */
export function manualRoutes({ render }: { render: Render }): Router {
  let read: ReturnType<typeof pagesIn> | null = null
  const routes = express.Router()
  routes.get('/', (_req, res) => res.redirect('/docs/quick-start'))
  routes.get('/:page', (req, res) => {
    read ??= pagesIn(manualFolder())
    const pages = read
    const nav = [...pages].map(([name, { title }]) => ({ name, href: `/docs/${name}`, title }))
    const name = req.params.page.replace(/\.md$/, '')
    const page = pages.get(name)
    if (!page) throw new Refusal('not_found', 'The manual has no such page. It begins at /docs.')
    if (name !== req.params.page) return res.redirect(`/docs/${name}`)
    const at = nav.findIndex((one) => one.name === name)
    const links = nav.map((one) => ({ ...one, current: one.name === name }))
    render(req, res, 'manual/page', { ...page, links, before: nav[at - 1], after: nav[at + 1] })
  })
  return routes
}

function pagesIn(folder: string): Map<string, ManualPage> {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.slice(0, -'.md'.length))
  const place = (name: string) => {
    const at = [...ORDER, ...LATER].indexOf(name)
    return at < 0 ? Number.POSITIVE_INFINITY : at
  }
  const inOrder = names.sort((a, b) => place(a) - place(b) || a.localeCompare(b))
  const hrefOf = (name: string) => (names.includes(name) ? `/docs/${name}` : null)
  return new Map(
    inOrder.map((name) => [name, renderMarkdown(readFileSync(join(folder, `${name}.md`), 'utf8'), hrefOf)]),
  )
}
