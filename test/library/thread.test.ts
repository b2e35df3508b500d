import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { docsWorker } from '../../src/assets.ts'
import { openLibrary } from '../../src/docs/library.ts'
import { createLog } from '../../src/log.ts'
import { folder, MANUAL, repo, write } from './support.ts'

describe('the library in its own thread', () => {
  function opened({
    worker = docsWorker(),
    roots = ['/'],
    dataDir = folder(),
    restAfterMs = 60_000,
    endWithinMs = 5_000,
  } = {}) {
    const lines: string[] = []
    const library = openLibrary({
      dataDir,
      restAfterMs,
      endWithinMs,
      roots,
      manual: MANUAL,
      worker,
      lazy: false,
      log: createLog({ write: (line) => void lines.push(line) }),
    })
    onTestFinished(() => library.close())
    return { library, lines }
  }

  it('answers as it does in this one', async () => {
    const { library } = opened()
    const one = repo({ path: folder({ 'a.md': '# Walrus\n\nIt sings.' }) })
    library.keep([one])
    expect(await library.search([one], 'sings', 5)).toMatchObject([{ path: 'a.md', title: 'Walrus' }])
    expect(await library.state(one)).toMatchObject({ documents: 1, updatedAt: expect.any(Date) })
  })

  it('hands on refusals with their code, and what it logs', async () => {
    const { library, lines } = opened()
    const one = repo()
    library.keep([one])
    await expect(library.putFile(one, '../a.md', new Uint8Array(1))).rejects.toMatchObject({
      name: 'Refusal',
      code: 'validation_failed',
      errors: [{ field: 'path' }],
    })
    expect(lines).toEqual([])
  })

  it('tells of changes', async () => {
    const { library } = opened()
    const path = folder({ 'a.md': 'x' })
    const one = repo({ path })
    library.keep([one])
    await library.refresh(one)
    const heard = vi.fn()
    library.onChange(heard)
    write(path, { 'b.md': 'y' })
    await library.refresh(one)
    expect(heard).toHaveBeenCalledWith([one.id])
  })

  it('tells of repos that came, went or changed, also while nobody asked it anything', () => {
    const { library } = opened()
    const heard = vi.fn()
    library.onChange(heard)
    const [one, two] = [repo(), repo()]
    library.keep([one])
    library.keep([one])
    expect(heard).not.toHaveBeenCalled()
    library.keep([one, two])
    library.keep([{ ...one, name: 'renamed', revision: 2 }, two])
    library.keep([{ ...one, name: 'renamed', environments: ['test'] }, two])
    library.keep([two])
    expect(heard.mock.calls).toEqual([[[two.id]], [[one.id]], [[one.id]], [[one.id]]])
  })

  it('takes a file over without a copy of it', async () => {
    const { library } = opened()
    const one = repo()
    library.keep([one])
    const bytes = new Uint8Array(100_000).fill(97)
    expect(await library.putFile(one, 'a.md', bytes)).toMatchObject({ bytes: 100_000 })
    expect(bytes.byteLength).toBe(0)
    const shared = new Uint8Array(100_000).fill(97)
    expect(await library.putFile(one, 'b.md', shared.subarray(10))).toMatchObject({ bytes: 99_990 })
    expect(shared.byteLength).toBe(100_000)
  })

  it('refuses what is asked when it breaks, and begins anew', async () => {
    const path = folder()
    const worker = join(path, 'worker.mjs')
    writeFileSync(
      worker,
      "import { parentPort } from 'node:worker_threads'\nparentPort.on('message', (m) => { if (m.kind === 'ask') throw new Error('broken') })\n",
    )
    const { library, lines } = opened({ worker })
    const one = repo()
    await expect(library.search([one], 'x', 1)).rejects.toMatchObject({ code: 'upstream_unavailable' })
    await expect(library.search([one], 'x', 1)).rejects.toMatchObject({ code: 'upstream_unavailable' })
    expect(lines.filter((line) => line.includes('begins anew')).length).toBeGreaterThan(0)
  })

  function workerOf(code: string): string {
    const worker = join(folder(), 'worker.mjs')
    writeFileSync(worker, `import { parentPort } from 'node:worker_threads'\n${code}`)
    return worker
  }

  it('that cannot begin says so in the state of each repo, and is tried again at growing intervals', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { library, lines } = opened({ worker: workerOf("throw new Error('no disk')") })
    const one = repo({ path: folder() })
    const begun = () => lines.filter((line) => line.includes('begins anew')).length
    library.keep([one])
    await vi.waitFor(() => expect(begun()).toBe(1), PATIENT)
    await library.state(one)
    expect(begun()).toBe(2)
    for (const [pauseMs, times] of [
      [1_000, 3],
      [2_000, 4],
      [4_000, 5],
    ] as const) {
      await vi.advanceTimersByTimeAsync(pauseMs - 1)
      expect(begun()).toBe(times - 1)
      expect(await library.state(one)).toMatchObject({ documents: 0, failure: expect.stringMatching(/just now/) })
      await vi.advanceTimersByTimeAsync(1)
      await vi.waitFor(() => expect(begun()).toBe(times), PATIENT)
    }
    await expect(library.search([one], 'x', 1)).rejects.toMatchObject({ code: 'upstream_unavailable' })
  })

  it('that hangs is stopped when it should end', async () => {
    const { library, lines } = opened({
      worker: workerOf("parentPort.postMessage({ kind: 'changed', repoIds: ['up'] })\nfor (;;) {}"),
      endWithinMs: 20,
    })
    const up = new Promise((resolve) => library.onChange(resolve))
    library.keep([repo({ path: folder() })])
    expect(await up).toEqual(['up'])
    await library.close()
    expect(lines.filter((line) => line.includes('does not end by itself'))).toHaveLength(1)
  })

  it('is not asked any more once it is closed', async () => {
    const { library } = opened()
    const one = repo()
    library.keep([one])
    await library.state(one)
    await library.close()
    await expect(library.state(one)).rejects.toMatchObject({ code: 'shutting_down' })
  })

  it('lets this thread do its work while it reads', async () => {
    const { library } = opened()
    const files: Record<string, string> = {}
    for (let at = 0; at < 3000; at++)
      files[`d${at % 30}/f${at}.md`] = `# Note ${at}\n\n${'Some words of text. '.repeat(40)}`
    const one = repo({ path: folder(files) })
    library.keep([one])
    const looking = library.refresh(one)
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const { documents } = await looking
    clearInterval(timer)
    expect(documents).toBe(3000)
    expect(turns).toBeGreaterThan(20)
  })

  describe('that rests', () => {
    /** A thread that notes when it begins and when it ends, and answers each question with `0`. */
    function noting() {
      const notes = join(folder({ 'notes.txt': '' }), 'notes.txt')
      const worker = join(folder(), 'worker.mjs')
      writeFileSync(
        worker,
        `import { appendFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
const note = (word) => appendFileSync(${JSON.stringify(notes)}, word + ' ')
note('begins')
parentPort.on('message', ({ kind, id }) => {
  if (kind === 'ask') parentPort.postMessage({ kind: 'answer', id, value: 0 })
  if (kind !== 'close') return
  note('ends')
  parentPort.postMessage({ kind: 'closed' })
})`,
      )
      return { worker, noted: () => readFileSync(notes, 'utf8').trim() }
    }

    it('begins with a question and ends when none comes', async () => {
      const { worker, noted } = noting()
      const { library } = opened({ worker, restAfterMs: 50 })
      const one = repo()
      library.keep([one])
      expect(noted()).toBe('')
      expect(await library.state(one)).toBe(0)
      await expect.poll(noted, PATIENT).toBe('begins ends')
      expect(await Promise.all([library.state(one), library.state(one)])).toEqual([0, 0])
      await expect.poll(noted, PATIENT).toBe('begins ends begins ends')
    })

    it('begins without a question where a folder has to be watched, and stays', async () => {
      const { worker, noted } = noting()
      const { library } = opened({ worker, restAfterMs: 1 })
      const one = repo({ path: folder() })
      library.keep([one])
      await expect.poll(noted, PATIENT).toBe('begins')
      for (let i = 0; i < 5; i++) await library.state(one)
      expect(noted()).toBe('begins')
      library.keep([])
      await expect.poll(noted, PATIENT).toBe('begins ends')
    })

    it('finds in the files that were sent before it rested, and takes away those of a repo that went', async () => {
      const dataDir = folder()
      const { library } = opened({ dataDir, restAfterMs: 1 })
      const [one, other] = [repo(), repo()]
      library.keep([one, other])
      for (const each of [one, other])
        for (const name of ['a.md', 'b.md', 'c.md'])
          await library.putFile(each, name, new TextEncoder().encode(`# ${name}\n\nIt sings.`))
      for (let i = 0; i < 5; i++) expect(await library.search([one, other], 'sings', 10)).toHaveLength(6)
      library.keep([one])
      await expect.poll(() => readdirSync(join(dataDir, 'docs')), PATIENT).toEqual([one.id])
      expect(await library.search([one], 'sings', 10)).toHaveLength(3)
    })
  })
})

const PATIENT = { timeout: 20_000 }
