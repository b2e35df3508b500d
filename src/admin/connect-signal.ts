import { type FirstCall, firstCallOf } from '../core/connect/first-call.ts'
import { whyOutOfReach } from '../core/connect/outside.ts'
import { keyOf } from '../core/keys/changing.ts'
import type { Key } from '../core/keys/key.ts'
import { inWords } from '../core/keys/words.ts'
import { isHtmx, show } from './answer.ts'
import type { Door } from './door.ts'
import type { Inside } from './entrance.ts'
import { pageOf } from './key-row.ts'
import { originOf } from './origin.ts'

/** Nobody sits before a page for longer; a link looks again. */
const WATCHED_MS = 15 * 60_000

type Asked = { key: Key; since?: Date; from?: Date; first?: boolean; call?: FirstCall }

/** The light beside a key: from a certain moment on it asks by itself until somebody is through. */
export function signalFor(door: Door, visit: Inside, asked: Asked) {
  const now = door.ctx.now()
  const { key, since = now, from = now, first = false, call = { state: 'waiting' } } = asked
  const query = new URLSearchParams({ since: String(since.getTime()), ...(first && { first: '1' }) })
  const again = `${pageOf(visit.base, key)}/first-call?${query}`
  const watched = call.state !== 'green' && now.getTime() - from.getTime() < WATCHED_MS
  const known = new URLSearchParams({ from: String(from.getTime()), state: newsIn(call) })
  return { ...words(door, visit, key, call, first, watched), again, poll: watched ? `${again}&${known}` : null }
}

/** Two that are the same tell nobody anything new. */
function newsIn(call: FirstCall): string {
  return call.state === 'refused' ? `${call.outcome} ${call.at.getTime()}` : call.state
}

function words(door: Door, visit: Inside, key: Key, call: FirstCall, first: boolean, watched: boolean) {
  const { base } = visit
  const page = pageOf(base, key)
  switch (call.state) {
    case 'waiting':
      return {
        state: call.state,
        title: 'Waiting for the first call…',
        text: `This turns green by itself as soon as somebody comes with “${key.name}”.`,
      }
    case 'quiet':
      return {
        state: call.state,
        title: 'Nobody has come yet',
        text: watched
          ? `Still waiting for somebody with “${key.name}”. Meanwhile:`
          : `No longer looking for somebody with “${key.name}”. Before you look again:`,
        advice: adviceFor(originOf(door, visit), key),
      }
    case 'green':
      return {
        state: call.state,
        title: `${call.client ?? 'A client'} is connected`,
        text: `What it may do with this key: ${inWords(key).may.join(' ')}`,
        link: first ? { href: `${base}/keys`, label: 'Go to your keys' } : { href: page, label: 'See its calls' },
      }
    case 'refused':
      return {
        state: call.state,
        title: `${call.client ?? 'A client'} came, and was refused: ${call.outcome}`,
        text: `${call.mend} It came from ${call.ip}. ${watched ? 'This turns green once it is through.' : 'No longer looking.'}`,
        link:
          call.outcome === 'url_key_not_allowed'
            ? { href: `${base}/connect?key=${key.id}`, label: 'A key for this client' }
            : { href: page, label: 'The key’s page' },
      }
  }
}

function adviceFor(origin: string, key: Key): string[] {
  const unreachable = key.allowInUrl ? whyOutOfReach(origin) : null
  return [
    ...(unreachable ? [`${unreachable} The client cannot come from elsewhere.`] : []),
    'Has the client been started again since? Most read their settings only when they start, and many connect only when a session begins.',
    `Does the address lead here from the client’s machine? ${origin}/healthz must answer “ok” there.`,
    'Does the client speak of 401 or of signing in? Then the key was mistyped or cut off: copy it once more.',
  ]
}

/** Answers nothing while nothing has changed, so that nobody is told the same every two seconds. */
export function firstCall(door: Door) {
  return async (visit: Inside) => {
    const { ctx } = door
    const { req, res, caller, workspace } = visit
    const key = await keyOf(ctx, caller, workspace.id, String(req.params.id))
    const since = new Date(Math.max(Number(req.query.since) || 0, key.createdAt.getTime()))
    const from = new Date(Number(req.query.from) || ctx.now().getTime())
    const call = await firstCallOf(ctx, key, since)
    const first = req.query.first !== undefined
    const signal = signalFor(door, visit, { key, since, from, first, call })
    if (isHtmx(visit) && signal.poll && newsIn(call) === req.query.state) return void res.status(204).end()
    if (isHtmx(visit)) door.render(req, res, 'connect/signal', { signal, first })
    else show(door, visit, first ? 'connect/first-seen' : 'connect/first-call', { key, signal })
  }
}
