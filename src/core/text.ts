/** What others send where a text belongs. Nothing else is made into one: `String` throws at `{"toString": 1}`. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
