import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import type { Repo } from '../../src/core/docs.ts'
import { engine } from '../../src/docs/engine.ts'

export const MANUAL = join(import.meta.dirname, '../../docs')

export function folder(files: Record<string, string | Uint8Array> = {}): string {
  const made = mkdtempSync(join(tmpdir(), 'claviger-library-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  write(made, files)
  return made
}

export function write(under: string, files: Record<string, string | Uint8Array>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(under, path)), { recursive: true })
    writeFileSync(join(under, path), content)
  }
}

let lastId = 0

export function repo(wanted: Partial<Repo> = {}): Repo {
  const id = `rep_${++lastId}`
  return {
    id,
    workspaceId: 'wsp_1',
    name: id.replace('_', '-'),
    source: wanted.path ? 'folder' : 'files',
    path: null,
    environments: ['live'],
    createdAt: new Date('2026-01-01'),
    revision: 1,
    ...wanted,
  }
}

/** The library in this thread, over these repos; `roots` is where their folders may lie. */
export async function library(
  repos: Repo[],
  {
    roots = [tmpdir()],
    dataDir = null,
    mostBytes,
  }: { roots?: string[]; dataDir?: string | null; mostBytes?: { repo: number; workspace: number } } = {},
) {
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn() }
  const opened = engine({ dataDir, roots, manual: MANUAL, mostBytes, log, now: () => new Date('2026-06-01') })
  onTestFinished(() => opened.close())
  opened.keep(repos)
  for (const one of repos) await opened.refresh(one)
  return Object.assign(opened, { log })
}

/** A library over one folder of these files. */
export async function over(files: Record<string, string | Uint8Array>) {
  const path = folder(files)
  const one = repo({ path })
  const opened = await library([one])
  return {
    path,
    repo: one,
    library: opened,
    find: (query: string, limit = 10) => opened.search([one], query, limit),
    paths: async (query: string) => (await opened.search([one], query, 10)).map(({ path }) => path),
    state: () => opened.state(one),
    refresh: () => opened.refresh(one),
  }
}
