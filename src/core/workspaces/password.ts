import { hash, verify } from '@node-rs/argon2'
import { invalid } from '../refusal.ts'
import type { Secret } from '../secret.ts'

export const LEAST_LENGTH = 12
const MOST_LENGTH = 256
const LEAST_SCORE = 3

/** argon2id with OWASP's first choice of costs; runs on libuv's threads, not ours. */
const COSTS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

export async function hashPassword(password: Secret, about: string[]): Promise<string> {
  await checkStrength(password, about)
  return hash(password.reveal(), COSTS)
}

/** Takes as long for an account that does not exist as for a wrong password. */
export async function passwordFits(password: Secret, storedHash: string | null): Promise<boolean> {
  const standIn = await nobodysHash() // made at the first question, whomever it is about: its own time tells nothing
  const fits = await verify(storedHash ?? standIn, password.reveal()).catch(() => false)
  return fits && storedHash !== null
}

let nobody: Promise<string> | null = null
function nobodysHash(): Promise<string> {
  nobody ??= hash('the password of nobody at all', COSTS)
  return nobody
}

async function checkStrength(password: Secret, about: string[]): Promise<void> {
  const text = password.reveal()
  if ([...text].length < LEAST_LENGTH)
    throw invalid('password', `Use at least ${LEAST_LENGTH} characters. Four random words do well.`)
  if (text.length > MOST_LENGTH) throw invalid('password', `Use at most ${MOST_LENGTH} characters.`)
  const judge = await strengthJudge()
  const { score, feedback } = judge(
    text,
    [...about.flatMap((word) => [word, ...word.split(/[@\s]+/), ...word.split(/[@.\s]+/)]), 'claviger'].filter(Boolean),
  )
  if (score < LEAST_SCORE)
    throw invalid(
      'password',
      ['This password is easy to guess.', feedback.warning, 'Four random words do well.'].filter(Boolean).join(' '),
    )
}

type Judged = { score: number; feedback: { warning: string | null } }
let loaded: Promise<(text: string, about: string[]) => Judged> | null = null

/** The word lists weigh megabytes: loaded at the first password, not at start. */
function strengthJudge(): Promise<(text: string, about: string[]) => Judged> {
  loaded ??= (async () => {
    const [{ ZxcvbnFactory }, { dictionary, adjacencyGraphs }] = await Promise.all([
      import('@zxcvbn-ts/core'),
      import('@zxcvbn-ts/language-common'),
    ])
    const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs })
    return (text: string, about: string[]) => zxcvbn.check(text.slice(0, 100), about)
  })()
  return loaded
}
