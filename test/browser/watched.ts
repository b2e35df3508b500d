import type { Page } from 'playwright-core'

/** Everything a browser has to say against a page: errors in its console, broken policies, requests that failed. */
export function watched(page: Page): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`))
  page.on('requestfailed', (request) => {
    const left = request.failure()?.errorText === 'net::ERR_ABORTED' && request.resourceType() === 'fetch' // its page was left
    if (!left && !request.url().startsWith('data:'))
      complaints.push(`${request.url()}: ${request.failure()?.errorText}`)
  })
  return complaints
}
