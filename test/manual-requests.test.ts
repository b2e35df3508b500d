import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'
import { MANAGEMENT_SCOPES } from '../src/core/keys/scopes.ts'
import { readMcpServers } from '../src/core/mcps/import.ts'
import { furnitureFor } from '../src/core/repos/furnish.ts'
import { robot, start } from './support/start.ts'
import { zipOf } from './support/zip.ts'

/** Every request that the manual shows is sent, in the order of its page, and every answer that it shows is compared. */

const root = join(import.meta.dirname, '..')
const pages = ['README.md', ...globSync('docs/*.md', { cwd: root })].map((page) => {
  const text = readFileSync(join(root, page), 'utf8')
  const blocks = [...text.matchAll(/^```(sh|json)\n(.*?)^```(\n\n(?=```json\n))?/gms)].map(([, kind, block, more]) => ({
    kind: kind as 'sh' | 'json',
    text: block!,
    /** Whether what it answers comes right after it. */
    answered: more !== undefined,
  }))
  return { page, blocks, requests: blocks.filter(({ kind, text }) => kind === 'sh' && /^curl /m.test(text)).length }
})

const SENT: Record<string, string | Uint8Array> = {
  'holidays.md': '# Holidays\n\nThirty days.\n',
  'notes.zip': zipOf({ 'tea.md': '# Tea\n\nAt four.\n' }),
}

describe.each(pages.filter(({ requests }) => requests > 0))('$page', ({ page, blocks }) => {
  it('shows requests that work, and what they answer', async () => {
    const { ctx, workspace, call, key } = await start()
    await ctx.store.workspaces.furnish(workspace.id, furnitureFor(ctx, robot, workspace.id))
    const made = await key({ name: 'laptop', scopes: ['mcp:*', ...Object.keys(MANAGEMENT_SCOPES)] })
    let id = made.key.id
    let answered: unknown
    for (const { kind, text, answered: isAnswered } of blocks) {
      if (kind === 'json' && answered !== undefined) {
        expect(differences(JSON.parse(text), answered, page)).toEqual([])
        answered = undefined
      }
      if (kind !== 'sh') continue
      for (const line of curlsIn(text)) {
        const { method, path, headers, body } = requestOf(line.replaceAll('$KEY', made.fullKey).replaceAll('key_…', id))
        const response = await call(method, path, { headers, body })
        const answer = await response.text()
        if (!isAnswered)
          expect([line, response.status, answer]).toEqual([line, expect.toBeOneOf([200, 201, 204]), answer])
        const value = answer === '' ? null : JSON.parse(answer)
        expect([line, value?.result?.isError ?? false]).toEqual([line, false])
        if (typeof value?.key === 'string') id = value.id
        answered = isAnswered ? value : undefined
      }
    }
  })
})

const settings = pages.flatMap(({ page, blocks }) =>
  blocks.flatMap(({ kind, text }, at) => (kind === 'json' && !blocks[at - 1]?.answered ? [{ page, text }] : [])),
)

it.each(settings)('$page shows a file that is understood: $text', ({ text }) => {
  if (!/"(mcpServers|servers)"/.test(text)) return void readConfig({ env: {}, flags: {}, file: text })
  const { mcps, passedOver } = readMcpServers(text)
  expect([mcps.length > 0, passedOver]).toEqual([true, []])
})

it('would find an answer that is told wrongly', () => {
  const real = { id: 'key_1', data: [{ name: 'a', count: 2 }], next: null }
  expect(differences({ id: 'key_…', data: [{ name: 'a' }] }, real)).toEqual([])
  expect(differences({ id: 'rep_…', data: [{ name: 'b' }, {}], next: 'x', more: 1 }, real)).toEqual([
    'answer.id is "key_1"',
    'answer.data.0.name is "a"',
    'answer.data.1 is missing',
    'answer.next is null',
    'answer.more is missing',
  ])
})

/** What is shown and is not so; members left out of what is shown do not count, and … stands for anything. */
function differences(shown: unknown, real: unknown, where = 'answer'): string[] {
  if (real === undefined) return [`${where} is missing`]
  if (shown !== null && typeof shown === 'object') {
    if (real === null || typeof real !== 'object') return [`${where} is ${JSON.stringify(real)}`]
    return Object.entries(shown).flatMap(([name, value]) =>
      differences(value, (real as Record<string, unknown>)[name], `${where}.${name}`),
    )
  }
  const fits =
    typeof shown === 'string' && typeof real === 'string'
      ? new RegExp(`^${shown.split('…').map(RegExp.escape).join('.*')}$`, 's').test(real)
      : shown === real
  return fits ? [] : [`${where} is ${JSON.stringify(real)}`]
}

function curlsIn(block: string): string[] {
  return block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.startsWith('curl '))
}

/** As curl would understand it; an option that is not known here fails. */
function requestOf(line: string) {
  const words = [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ''),
  )
  const headers: Record<string, string> = {}
  let method: string | null = null
  let body: string | Uint8Array | undefined
  let url: URL | null = null
  for (let at = 1; at < words.length; at++) {
    const word = words[at]!
    if (word === '-s' || word === '-si') continue
    else if (word === '-X') method = words[++at]!
    else if (word === '-d') body = words[++at]!
    else if (word === '--data-binary') body = SENT[words[++at]!.replace(/^@/, '')]!
    else if (word === '-H') {
      const [name, value] = words[++at]!.split(/:\s*/, 2)
      headers[name!.toLowerCase()] = value!
    } else url = new URL(word)
  }
  if (body !== undefined) headers['content-type'] ??= 'application/x-www-form-urlencoded'
  return { method: method ?? (body === undefined ? 'GET' : 'POST'), path: url!.pathname + url!.search, headers, body }
}
