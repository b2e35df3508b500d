import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { QUESTIONS, type Question } from './questions.ts'

export type Found = { path: string; heading: string }
export type Search = (query: string, limit: number) => Found[]
export type Quality = { questions: number; recallAt5: number; meanReciprocalRank: number; missed: string[] }

export type Text = { path: string; text: string }

/** The manual as it stands, and what others have written. */
export function texts(): Text[] {
  return [join(import.meta.dirname, '../../docs'), join(import.meta.dirname, 'corpus')].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.md'))
      .sort()
      .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') })),
  )
}

/** Whether one of the sections that answer is among the first five, and how far up. */
export function qualityOf(search: Search, questions: Question[] = QUESTIONS): Quality {
  const ranks = questions.map(({ ask, answers }) => {
    const found = search(ask, 10)
    const at = found.findIndex(({ path, heading }) => answers.some((answer) => isIt(answer, path, heading)))
    return at < 0 ? Number.POSITIVE_INFINITY : at + 1
  })
  return {
    questions: questions.length,
    recallAt5: ranks.filter((rank) => rank <= 5).length / ranks.length,
    meanReciprocalRank: ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length,
    missed: questions.filter((_, at) => ranks[at]! > 5).map(({ ask }) => ask),
  }
}

function isIt(answer: string, path: string, heading: string): boolean {
  const [document, start] = answer.split('#') as [string, string]
  const own = heading
    .split(' › ')
    .at(-1)!
    .replace(/^\d+\. /, '')
  return path === document && own.toLowerCase().replaceAll('`', '').startsWith(start.toLowerCase().replaceAll('`', ''))
}
