/** Tells the process that started this one where it is reached. */
export function ready(where: Record<string, string>): void {
  process.stdout.write(`${JSON.stringify({ ready: true, ...where })}\n`)
}
