const EVERYDAY = /^(true|false|yes|no|on|off|\d{1,5}|debug|info|warn|error|production|development|test|stdio|utf-?8)$/i
const SHORTEST = 4

/** Takes declared values out of what a server prints; words that everybody uses stay, or nothing could be read. */
export function masking(values: string[]): (line: string) => string {
  const secrets = values
    .flatMap((value) => [value, ...value.split('\n')])
    .map((part) => part.trim())
    .filter((part) => part.length >= SHORTEST && !EVERYDAY.test(part))
    .sort((a, b) => b.length - a.length)
  if (secrets.length === 0) return (line) => line
  return (line) => {
    for (const secret of secrets) line = line.replaceAll(secret, '[secret]')
    return line
  }
}
