import { describe, expect, it } from 'vitest'
import { qualityOf, texts } from '../../bench/library/quality.ts'
import { QUESTIONS } from '../../bench/library/questions.ts'
import { documentOf } from '../../src/docs/sections.ts'
import { folder, library, repo, write } from './support.ts'

describe('the questions that are kept', () => {
  it('name documents that there are', () => {
    const paths = new Set(texts().map(({ path }) => path))
    expect(QUESTIONS.length).toBeGreaterThanOrEqual(40)
    for (const { answers } of QUESTIONS) expect(answers.some((answer) => paths.has(answer.split('#')[0]!))).toBe(true)
  })

  it('are mostly answered among the first five', async () => {
    const path = folder()
    write(path, Object.fromEntries(texts().map(({ path, text }) => [path, text])))
    const one = repo({ path })
    const opened = await library([one])
    const found = new Map<string, Awaited<ReturnType<typeof opened.search>>>()
    for (const { ask } of QUESTIONS) found.set(ask, await opened.search([one], ask, 10))
    const quality = qualityOf((query) => found.get(query)!)
    expect(quality.recallAt5, `missed: ${quality.missed.join('; ')}`).toBeGreaterThan(0.75)
    expect(quality.meanReciprocalRank).toBeGreaterThan(0.6)
  })

  it('are asked of texts that are cut whole', () => {
    for (const { path, text } of texts()) expect(documentOf(path, text).sections.length).toBeGreaterThan(1)
  })
})
