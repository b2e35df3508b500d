/** Which request a message cancels; null for any other message. */
export function cancelledId(text: string): number | null {
  if (!text.includes('"notifications/cancelled"')) return null
  try {
    const { method, params } = JSON.parse(text) as { method?: unknown; params?: { requestId?: unknown } }
    const id = params?.requestId
    return method === 'notifications/cancelled' && typeof id === 'number' ? id : null
  } catch {
    return null
  }
}
