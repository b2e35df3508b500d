import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Repo } from '../../src/core/docs.ts'
import { zipOf } from '../support/zip.ts'
import { folder, library, repo, write } from './support.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

async function files() {
  const dataDir = folder()
  const one = repo()
  const opened = await library([one], { dataDir })
  return { dataDir, one, opened, kept: join(dataDir, 'docs', one.id) }
}

describe('a file that is sent', () => {
  it('is found once it is answered, and gone once it is removed', async () => {
    const { one, opened } = await files()
    expect(await opened.putFile(one, 'guides/a.md', bytes('# Walrus\n\nIt sings.'))).toMatchObject({
      id: expect.stringMatching(/^doc_/),
      path: 'guides/a.md',
      title: 'Walrus',
      bytes: 19,
    })
    expect(await opened.search([one], 'sings', 5)).toMatchObject([{ path: 'guides/a.md' }])
    await opened.putFile(one, 'guides/a.md', bytes('# Otter\n\nIt swims.'))
    expect(await opened.search([one], 'sings', 5)).toEqual([])
    expect(await opened.removeFile(one, 'guides/a.md')).toBe(true)
    expect(await opened.search([one], 'swims', 5)).toEqual([])
    expect(await opened.removeFile(one, 'guides/a.md')).toBe(false)
  })

  it.each([
    '../a.md',
    'a/../../b.md',
    '/etc/a.md',
    'C:/a.md',
    'a\\b.md',
    'a//b.md',
    './a.md',
    '.a.md',
    'a/.b/c.md',
    '',
    'a\n.md',
    `${'x'.repeat(300)}.md`,
  ])('is refused under the name %j', async (path) => {
    const { one, opened, kept } = await files()
    await expect(opened.putFile(one, path, bytes('x'))).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ field: 'path' }],
    })
    expect(readdirSync(kept)).toEqual([])
    expect(await opened.removeFile(one, path)).toBe(false)
  })

  it('is refused if it is no document, no text or too large', async () => {
    const { one, opened } = await files()
    await expect(opened.putFile(one, 'a.exe', bytes('x'))).rejects.toMatchObject({ code: 'unsupported_media_type' })
    await expect(opened.putFile(one, 'a.md', new Uint8Array(100))).rejects.toMatchObject({
      code: 'unsupported_media_type',
    })
    await expect(opened.putFile(one, 'a.md', new Uint8Array(10 * 1024 * 1024 + 1))).rejects.toMatchObject({
      code: 'payload_too_large',
    })
    expect(await opened.state(one)).toMatchObject({ documents: 0, skippedCount: 0 })
  })

  it('cannot stand where a folder stands, or the other way round', async () => {
    const { one, opened } = await files()
    await opened.putFile(one, 'a.md/b.md', bytes('x'))
    await expect(opened.putFile(one, 'a.md', bytes('x'))).rejects.toMatchObject({ code: 'conflict' })
    await expect(opened.putFile(one, 'a.md/b.md/c.md', bytes('x'))).rejects.toMatchObject({ code: 'conflict' })
  })

  it('goes when its repo goes, and stays as long as that is kept', async () => {
    const { one, opened, kept } = await files()
    await opened.putFile(one, 'a.md', bytes('a walrus'))
    opened.keep([{ ...one, name: 'renamed' }])
    expect(await opened.search([{ ...one, name: 'renamed' }], 'walrus', 1)).toMatchObject([{ repo: 'renamed' }])
    opened.keep([])
    await opened.state(one)
    expect(existsSync(kept)).toBe(false)
  })
})

describe('a repo that goes while it is sent to', () => {
  it('takes no file any more', async () => {
    const { one, opened, kept } = await files()
    const putting = opened.putFile(one, 'a.md', bytes('a walrus'))
    opened.keep([])
    await expect(putting).rejects.toMatchObject({ code: 'not_found' })
    await expect(opened.putFile(one, 'b.md', bytes('a walrus'))).rejects.toMatchObject({ code: 'not_found' })
    await opened.state(one)
    expect(existsSync(kept)).toBe(false)
  })

  it('takes nothing of a zip', async () => {
    const { one, opened, kept } = await files()
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`f${at}.md`, 'a walrus']))
    const putting = opened.putZip(one, zipOf(many))
    await vi.waitFor(() => expect(readdirSync(kept).length).toBeGreaterThan(0), { timeout: 10_000, interval: 1 })
    opened.keep([])
    await expect(putting).rejects.toMatchObject({ code: 'not_found' })
    await opened.state(one)
    expect(existsSync(kept)).toBe(false)
    expect(opened.log.warn).not.toHaveBeenCalled()
  })
})

describe('more than a repo or a workspace may hold', () => {
  it('is refused before anything is put in its place', async () => {
    const [one, two, elsewhere] = [repo(), repo(), repo({ workspaceId: 'wsp_2' })]
    const opened = await library([one, two, elsewhere], { mostBytes: { repo: 1000, workspace: 1500 } })
    const put = (to: Repo, path: string, size: number) => opened.putFile(to, path, bytes('x'.repeat(size)))
    const tooLarge = { code: 'payload_too_large' }
    await put(one, 'a.md', 900)
    await expect(put(one, 'b.md', 200)).rejects.toMatchObject(tooLarge)
    await expect(opened.putZip(one, zipOf({ 'b.md': 'x'.repeat(60), 'c.md': 'x'.repeat(60) }))).rejects.toMatchObject(
      tooLarge,
    )
    expect(await put(one, 'a.md', 1000)).toMatchObject({ bytes: 1000 })
    await expect(put(two, 'a.md', 600)).rejects.toMatchObject(tooLarge)
    await put(elsewhere, 'a.md', 600)
    await opened.removeFile(one, 'a.md')
    await put(two, 'a.md', 600)
    expect((await opened.list(one, { limit: 9 })).items).toEqual([])
  })
})

it('cannot be kept in one repo, and all others are', async () => {
  const dataDir = folder()
  const [bad, good] = [repo(), repo({ path: folder({ 'a.md': 'a walrus' }) })]
  write(dataDir, { [`docs/${bad.id}`]: 'a file where a folder should be' })
  const opened = await library([], { dataDir })
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  opened.keep([bad, good])
  expect(await opened.search([bad, good], 'walrus', 5)).toMatchObject([{ path: 'a.md' }])
  expect(await opened.state(bad)).toMatchObject({ failure: 'Its files cannot be reached (EEXIST).' })
  await expect(opened.search([bad], 'walrus', 5)).rejects.toMatchObject({ code: 'upstream_unavailable' })
  await expect(opened.list(bad, { limit: 5 })).rejects.toMatchObject({ code: 'upstream_unavailable' })
  rmSync(join(dataDir, 'docs', bad.id))
  await vi.advanceTimersByTimeAsync(30_000)
  expect(await opened.state(bad)).toMatchObject({ failure: null })
  expect(await opened.search([bad], 'walrus', 5)).toEqual([])
})

it('goes at the next start when its repo went in between, and nothing else does', async () => {
  const { dataDir, one, opened, kept } = await files()
  await opened.putFile(one, 'a.md', bytes('a walrus'))
  await opened.close()
  write(dataDir, { 'docs/not-ours/a.md': 'x' })
  const other = repo()
  await library([other], { dataDir })
  expect(existsSync(kept)).toBe(false)
  expect(readdirSync(join(dataDir, 'docs')).sort()).toEqual(['not-ours', other.id])
})

describe('a zip that is sent', () => {
  it('is unpacked: its documents, and nothing else', async () => {
    const { one, opened } = await files()
    const zip = zipOf({
      'guide/a.md': '# Walrus',
      'guide/b.txt': 'an otter',
      'guide/logo.png': 'x',
      '.git/config.md': 'x',
      '__MACOSX/a.md': 'x',
      'guide/': '',
    })
    expect(await opened.putZip(one, zip)).toEqual({
      added: 2,
      skipped: [{ path: 'guide/logo.png', why: 'It is no document.' }],
      skippedCount: 1,
    })
    expect((await opened.list(one, { limit: 10 })).items.map(({ path }) => path)).toEqual(['guide/a.md', 'guide/b.txt'])
  })

  it('replaces what has the same name, and leaves the rest', async () => {
    const { one, opened, kept } = await files()
    await opened.putFile(one, 'a.md', bytes('one'))
    await opened.putFile(one, 'b.md', bytes('two'))
    await opened.putZip(one, zipOf({ 'b.md': 'three' }))
    expect(readFileSync(join(kept, 'a.md'), 'utf8')).toBe('one')
    expect(readFileSync(join(kept, 'b.md'), 'utf8')).toBe('three')
  })

  it.each([
    ['leads out', zipOf({ 'a.md': 'x', '../evil.md': 'x' }), 'bad_request'],
    ['is absolute', zipOf({ 'a.md': 'x', '/tmp/evil.md': 'x' }), 'bad_request'],
    ['is no zip', bytes('not a zip at all'), 'bad_request'],
    ['is cut off', zipOf({ 'a.md': 'x'.repeat(1000) }).slice(0, 600), 'bad_request'],
    ['is encrypted', encrypted(zipOf({ 'a.md': 'x' })), 'bad_request'],
    ['is a bomb', packed('a.md', Buffer.alloc(9 * 1024 * 1024)), 'payload_too_large'],
    ['lies about its size', packed('a.md', Buffer.alloc(3000, 'abc '), { says: 10 }), 'bad_request'],
    ['puts a file where it needs a folder', zipOf({ 'a.md': 'x', 'a.md/b.md': 'x' }), 'conflict'],
  ])('is refused as a whole if it %s', async (_what, zip, code) => {
    const { one, opened, kept } = await files()
    await expect(opened.putZip(one, zip)).rejects.toMatchObject({ code })
    expect(readdirSync(kept)).toEqual([])
    expect(existsSync(join(kept, '../evil.md'))).toBe(false)
    expect(existsSync('/tmp/evil.md')).toBe(false)
    expect(await opened.state(one)).toMatchObject({ documents: 0 })
  })

  it('has its links left out, and what is too large', async () => {
    const { one, opened } = await files()
    const zip = asLink(zipOf({ 'a.md': '/etc/passwd' }))
    expect(await opened.putZip(one, zip)).toMatchObject({
      added: 0,
      skipped: [{ path: 'a.md', why: 'It is a link, and those are not followed.' }],
    })
    const large = packed('a.md', Buffer.from(Array.from({ length: 11 * 1024 * 1024 }, (_, at) => (at * 7919) % 251)))
    expect(await opened.putZip(one, large)).toMatchObject({ added: 0, skippedCount: 1 })
  })
})

describe('a folder of the server', () => {
  it('takes no files', async () => {
    const path = folder({ 'a.md': 'x' })
    const one = repo({ path })
    const opened = await library([one])
    await expect(opened.putFile(one, 'b.md', bytes('x'))).rejects.toMatchObject({ code: 'conflict' })
    await expect(opened.removeFile(one, 'a.md')).rejects.toMatchObject({ code: 'conflict' })
    expect(readdirSync(path)).toEqual(['a.md'])
  })

  it('does not become readable by a link in place of sent files', async () => {
    const { dataDir, one, opened } = await files()
    symlinkSync(folder({ 'secret.md': 'a walrus' }), join(dataDir, 'docs', one.id, 'link'))
    await opened.refresh(one)
    expect(await opened.search([one], 'walrus', 5)).toEqual([])
  })
})

/** One deflated entry, which may say another size than it has. */
function packed(name: string, content: Buffer, { says = content.length }: { says?: number } = {}): Uint8Array {
  const zip = Buffer.from(zipOf({ [name]: '' }))
  const deflated = deflateRawSync(content, { level: 9 })
  const local = 30 + name.length
  const out = Buffer.concat([zip.subarray(0, local), deflated, zip.subarray(local)])
  const central = local + deflated.length
  for (const at of [4, central + 6]) {
    out.writeUInt16LE(8, at + 4) // deflate
    out.writeUInt32LE(deflated.length, at + 14)
    out.writeUInt32LE(says, at + 18)
  }
  out.writeUInt32LE(central, out.length - 6)
  return new Uint8Array(out)
}

function encrypted(zip: Uint8Array): Uint8Array {
  return patched(zip, 8, (buffer, at) => buffer.writeUInt16LE(buffer.readUInt16LE(at) | 1, at))
}

function asLink(zip: Uint8Array): Uint8Array {
  return patched(zip, 38, (buffer, at) => buffer.writeUInt32LE((0o120777 << 16) >>> 0, at))
}

/** Changes what the list at the end says of the first entry. */
function patched(zip: Uint8Array, offset: number, change: (buffer: Buffer, at: number) => void): Uint8Array {
  const copy = Buffer.from(zip)
  change(copy, copy.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + offset)
  return new Uint8Array(copy)
}
