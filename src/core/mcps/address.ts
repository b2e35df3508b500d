/** Some servers take their key in the address: what may be seen of it, by anybody and in the database. */
export function withoutSecretsIn(text: string): string {
  const named = text.replace(LOGIN, '$1…')
  const [, start, path] = PARTS.exec(named) ?? []
  const url = start === undefined ? null : URL.parse(named)
  if (!url?.host) return named
  const told = path!.split('/').map(withoutSecret).join('/')
  const query = [...url.searchParams.keys()].map((name) => `${encodeURIComponent(name)}=…`)
  return query.length === 0 && told === path ? named : `${start}${told}${query.length > 0 ? `?${query.join('&')}` : ''}`
}

const PARTS = /^([^/?#]*\/\/[^/?#]*)([^?#]*)/
/** The scheme and the name are shown, the password is not; one without a name may be a token. */
export const LOGIN = /([a-z][a-z0-9+.-]{0,30}:\/\/(?:[^\s/?#@:"']{0,200}:)?)[^\s/?#@"'…]{1,500}(?=@)/gi

/** Long, and letters among digits: made to be guessed by nobody. */
function withoutSecret(segment: string): string {
  return segment.length >= 20 && /\d/.test(segment) && /[A-Za-z]/.test(segment) && /^[\w.~-]+$/.test(segment)
    ? '…'
    : segment
}
