import { invalid } from '../refusal.ts'

const DAY_MS = 86_400_000
export const PRESETS: Record<string, number | null> = { '30d': 30, '90d': 90, '365d': 365, never: null }
const SPAN = /^(\d{1,4})d$/
const BARE_DATE = /^\d{4}-\d{2}-\d{2}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/

/** What a person or program wrote as an end. Unreadable or past is refused: never "no expiry". */
export function readExpiry(text: string | null, now: Date, field = 'expires_at'): Date | null {
  if (text === null || text === 'never') return null
  const span = SPAN.exec(text)
  const end = span ? new Date(now.getTime() + Number(span[1]) * DAY_MS) : readInstant(text, field, 'end')
  if (end <= now) throw invalid(field, 'The expiry must be in the future.')
  return end
}

/** A bare date means its beginning here: the key may be used on that day, UTC. */
export function readNotBefore(text: string | null, field = 'not_before'): Date | null {
  return text === null ? null : readInstant(text, field, 'beginning')
}

function readInstant(text: string, field: string, of: 'beginning' | 'end'): Date {
  const bare = BARE_DATE.test(text)
  const date = bare
    ? new Date(`${text}T${of === 'end' ? '23:59:59.999' : '00:00:00.000'}Z`)
    : INSTANT.test(text)
      ? new Date(text)
      : null
  const real = date !== null && !Number.isNaN(date.getTime()) && isDay(text.slice(0, 10))
  if (!real)
    throw invalid(
      field,
      `"${text}" is no date. Write one such as 2027-03-31 or 2027-03-31T12:00:00Z${of === 'end' ? ', a span such as 90d, or never' : ''}.`,
    )
  return date
}

export function checkLifetime(notBefore: Date | null, expiresAt: Date | null): void {
  if (notBefore && expiresAt && notBefore >= expiresAt)
    throw invalid('not_before', 'The key would expire before it becomes valid.')
}

/** The 30th of February is silently made the 2nd of March by `Date`. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}
