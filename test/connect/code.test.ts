import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { connectionFor, targetFor } from '../../src/core/connect/connection.ts'
import { firstCallOf } from '../../src/core/connect/first-call.ts'
import { offering, overHttp } from '../support/mcp.ts'
import { start } from '../support/start.ts'

/** What the helper offers as code, run as it stands. */
async function world() {
  const app = await start()
  await offering(app, 'fix', { live: await overHttp() })
  const { key, fullKey } = await app.key()
  return { app, key, fullKey, target: targetFor(app.origin, 'fix', fullKey) }
}

async function ran(program: string, args: string[], env: Record<string, string>, cwd: string) {
  const child = spawn(program, args, { cwd, env: { PATH: process.env.PATH ?? '', HOME: cwd, ...env } })
  let out = ''
  child.stdout.on('data', (text: Buffer) => {
    out += text
  })
  child.stderr.on('data', (text: Buffer) => {
    out += text
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  return { code, out }
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'claviger-code-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

it('lists the tools in TypeScript, with the key in it and in its variable', { timeout: 30_000 }, async () => {
  const { target, fullKey } = await world()
  const cwd = folder()
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(cwd, 'node_modules'))
  for (const { title, content } of connectionFor('typescript', target).variants) {
    writeFileSync(join(cwd, 'program.ts'), content)
    const env: Record<string, string> = title === 'Key in a variable' ? { [target.variable]: fullKey } : {}
    const { code, out } = await ran(process.execPath, ['program.ts'], env, cwd)
    expect([title, code, out.split('\n').includes('echo')]).toEqual([title, 0, true])
  }
})

it('turns the light green with each way of curl', { timeout: 30_000 }, async () => {
  const { app, key, target } = await world()
  const { variants } = connectionFor('curl', target)
  const forBash = variants.filter(({ title }) => !title.includes('Windows'))
  expect(forBash.map(({ title }) => title)).toEqual(['List the tools, macOS, Linux', 'Key in a variable'])
  for (const { title, content } of forBash) {
    app.advance(1000)
    const since = app.ctx.now()
    const { code, out } = await ran('bash', ['-c', `curl() { printf '%s\\0' "$@"; }\n${content}`], {}, folder())
    expect(code).toBe(0)
    const answer = await asCurlWould(out.split('\0').slice(0, -1))
    expect([title, answer.status]).toEqual([title, 200])
    expect(await answer.text()).toContain('"name":"echo"')
    await expect.poll(async () => (await firstCallOf(app.ctx, key, since)).state, { timeout: 10_000 }).toBe('green')
  }
})

it('says the same to curl on Windows', () => {
  const { variants } = connectionFor('curl', targetFor('https://keys.example.com', null, 'clv_live_Ab3'))
  const said = variants.filter(({ title }) => title.includes('Windows')).map(({ content }) => content)
  expect(said).toHaveLength(2)
  for (const line of said) expect(line).toMatch(/^curl\.exe -s "?https:\/\/keys\.example\.com\/mcp"? -H .*tools\/list/)
})

/** The few options of curl that the snippets use: -s, -H and -d. */
function asCurlWould(words: string[]): Promise<Response> {
  const headers = new Headers()
  let url = ''
  let body: string | undefined
  for (let at = 0; at < words.length; at++) {
    if (words[at] === '-H') {
      const [name, ...value] = words[++at]!.split(': ')
      headers.set(name!, value.join(': '))
    } else if (words[at] === '-d') body = words[++at]
    else if (words[at] !== '-s') url = words[at]!
  }
  return fetch(url, { method: body === undefined ? 'GET' : 'POST', headers, body })
}
