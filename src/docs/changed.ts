import type { Repo } from '../core/docs.ts'

/** The ids of repos that came or went, or that look different to those who read them. */
export function changedRepos(before: Repo[], now: Repo[]): string[] {
  const [was, is] = [looksOf(before), looksOf(now)]
  return [...new Set([...was.keys(), ...is.keys()])].filter((id) => was.get(id) !== is.get(id))
}

function looksOf(repos: Repo[]): Map<string, string> {
  return new Map(
    repos.map(({ id, name, source, path, environments }) => [id, JSON.stringify([name, source, path, environments])]),
  )
}
