type Answer = { text(): Promise<string> }

/** What a test expects of an answer it says itself, member by member. */
export async function jsonOf(response: Answer | Promise<Answer>) {
  const text = await (await response).text()
  return text ? JSON.parse(text) : null
}
