/** Why a repo cannot be read, as its readers may know it: no path and no word of ours. The log has the rest. */
export function whyNot(error: unknown): string {
  const { code = '' } = error as { code?: string }
  if (code === 'ENOSPC' || code === 'SQLITE_FULL') return 'The disk of the server is full.'
  if (code.startsWith('SQLITE_')) return `The index of the documents cannot be written (${code}).`
  if (code !== '') return `Its files cannot be reached (${code}).`
  return 'It could not be read; the log of the server says more.'
}
