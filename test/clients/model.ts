/** What a stand-in for a model is asked, whatever the dialect: the tools it may use, and what they answered so far. */
type Asked = { tools: string[]; answers: string[] }
type Say = { text: string } | { tool: string; input: object }

/**
 * Stands in for the APIs of models, so that clients built around one need no account: it calls one tool, then repeats
 * what the tool answered. Messages API for Claude Code, Qwen Code and opencode; Gemini API for Gemini CLI.
 */
export function startModel({ tool, input }: { tool: string; input: object }) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname.endsWith('/count_tokens')) return Response.json({ input_tokens: 1 })
      if (pathname.endsWith('/messages')) {
        const body = (await request.json()) as MessagesBody
        return messagesAnswer(next(askedOfMessages(body), tool, input), body.stream === true)
      }
      if (/:(streamG|g)enerateContent$/.test(pathname)) {
        const body = (await request.json()) as GeminiBody
        return geminiAnswer(next(askedOfGemini(body), tool, input), pathname.endsWith(':streamGenerateContent'))
      }
      return Response.json({})
    },
  })
  return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) }
}

/** Clients name a tool in their own way (`mcp__gw__echo`, `gw_echo`), or hide it behind a search (Qwen Code). */
function next({ tools, answers }: Asked, tool: string, input: object): Say {
  const found = tools.find((name) => name.endsWith(tool))
  const hidden = !found && tools.includes('tool_call')
  if (answers.length > (hidden ? 1 : 0)) return { text: `The tool answers: ${answers.at(-1)}` }
  if (found) return { tool: found, input }
  const name = `mcp__gw__${tool}`
  if (!hidden) return { text: `There is no tool ${tool} here.` }
  if (answers.length === 0) return { tool: 'tool_search', input: { query: `select:${name}` } }
  return { tool: 'tool_call', input: { name, arguments: input } }
}

type Block = { type: string; content?: unknown }
type MessagesBody = { stream?: boolean; tools?: { name: string }[]; messages?: { content: string | Block[] }[] }

function askedOfMessages({ tools = [], messages = [] }: MessagesBody): Asked {
  const blocks = messages.flatMap(({ content }) => (Array.isArray(content) ? content : []))
  const answers = blocks.filter(({ type }) => type === 'tool_result').map(({ content }) => JSON.stringify(content))
  return { tools: tools.map(({ name }) => name), answers }
}

function messagesAnswer(say: Say, stream: boolean): Response {
  const id = `toolu_${crypto.randomUUID()}`
  const block =
    'text' in say ? { type: 'text', text: say.text } : { type: 'tool_use', id, name: say.tool, input: say.input }
  const reason = 'text' in say ? 'end_turn' : 'tool_use'
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'stand-in', stop_sequence: null, usage }
  if (!stream) return Response.json({ ...message, content: [block], stop_reason: reason })
  const delta =
    'text' in say
      ? { type: 'text_delta', text: say.text }
      : { type: 'input_json_delta', partial_json: JSON.stringify(say.input) }
  const start = 'text' in say ? { ...block, text: '' } : { ...block, input: {} }
  return events([
    { type: 'message_start', message: { ...message, content: [], stop_reason: null } },
    { type: 'content_block_start', index: 0, content_block: start },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage },
    { type: 'message_stop' },
  ])
}

type GeminiBody = {
  tools?: { functionDeclarations?: { name: string }[] }[]
  contents?: { parts?: { functionResponse?: { response: unknown } }[] }[]
}

function askedOfGemini({ tools = [], contents = [] }: GeminiBody): Asked {
  const parts = contents.flatMap((content) => content.parts ?? [])
  return {
    tools: tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(({ name }) => name)),
    answers: parts.flatMap(({ functionResponse }) =>
      functionResponse ? [JSON.stringify(functionResponse.response)] : [],
    ),
  }
}

function geminiAnswer(say: Say, stream: boolean): Response {
  const part = 'text' in say ? { text: say.text } : { functionCall: { name: say.tool, args: say.input } }
  const answer = {
    candidates: [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 },
  }
  return stream ? events([answer]) : Response.json(answer)
}

function events(data: Record<string, unknown>[]): Response {
  const lines = data.map((one) => `${one.type ? `event: ${one.type}\n` : ''}data: ${JSON.stringify(one)}\n\n`)
  return new Response(lines.join(''), { headers: { 'Content-Type': 'text/event-stream' } })
}
