import type { Mcp } from '../core/mcps/mcp.ts'
import { allows } from '../core/policy.ts'
import { asText } from '../core/text.ts'
import { type JsonObject, type Message, parsedAnswer } from '../upstreams/connection.ts'
import { INVALID_PARAMS, ProtocolError } from './errors.ts'
import { forward } from './forward.ts'
import { type Gateway, paramsOf, type Turn } from './turn.ts'

export type Tasks = {
  /** `tool`: the one that the task runs; null: it is of no tool. */
  note(keyId: string, mcpId: string, taskId: string, tool: string | null): void
  /** What a task of the key's runs; undefined: it has no such task. */
  toolOf(keyId: string, mcpId: string, taskId: unknown): string | null | undefined
}

const MOST_FOR_A_KEY = 1000

/** Which key began which task: to a server that many keys share they are all one client's. */
export function tasksOf(): Tasks {
  const tasks = new Map<string, Map<string, string | null>>()

  return {
    note(keyId, mcpId, taskId, tool) {
      const own = tasks.get(keyId) ?? new Map<string, string | null>()
      tasks.set(keyId, own.set(`${mcpId}/${taskId}`, tool))
      if (own.size > MOST_FOR_A_KEY)
        for (const oldest of [...own.keys()].slice(0, own.size - MOST_FOR_A_KEY)) own.delete(oldest)
    },
    toolOf: (keyId, mcpId, taskId) => tasks.get(keyId)?.get(`${mcpId}/${asText(taskId)}`),
  }
}

/** `tasks/list`, `tasks/get` and the like: each key has its own tasks while it may use what they run, and no others. */
export async function answerTask(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<string> {
  const { key, message } = turn
  const isOwn = (taskId: unknown) => {
    const tool = gateway.tasks.toolOf(key.id, mcp.id, taskId)
    return tool !== undefined && allows(key, { slug: mcp.slug, tool })
  }
  const { taskId } = paramsOf(turn)
  if (message.method !== 'tasks/list' && !isOwn(taskId))
    throw new ProtocolError(200, INVALID_PARAMS, 'There is no such task, or it is not of this key.')
  const text = await forward(gateway, turn, mcp, message.method, message.params)
  if (message.method !== 'tasks/list') return text
  const answer = parsedAnswer(text)
  const result = answer.result as JsonObject | undefined
  if (!Array.isArray(result?.tasks)) return text
  const own = result.tasks.filter((task: JsonObject | null) => isOwn(task?.taskId))
  return JSON.stringify({ ...answer, result: { ...result, tasks: own } })
}

/** A request that may be answered with a task instead of a result. */
export function forwardNotingTask(gateway: Gateway, turn: Turn, mcp: Mcp): Promise<string> {
  const { method, params } = turn.message
  const answer = forward(gateway, turn, mcp, method, params)
  return mayBeginTask(turn) ? noted(gateway, turn, mcp, answer) : answer
}

async function noted({ tasks }: Gateway, { key, note }: Turn, mcp: Mcp, answer: Promise<string>): Promise<string> {
  const text = await answer
  const taskId = text.includes('"taskId"') ? taskIdIn(text) : undefined
  if (taskId !== undefined) tasks.note(key.id, mcp.id, taskId, note.tool)
  return text
}

/** Until 2025-11-25 the client asks for a task; since, the server decides where the client knows the extension. */
function mayBeginTask(turn: Turn): boolean {
  const { task, _meta } = paramsOf(turn)
  if (task !== undefined) return true
  const capabilities = (_meta as JsonObject | undefined)?.['io.modelcontextprotocol/clientCapabilities']
  const extensions = (capabilities as JsonObject | undefined)?.extensions as JsonObject | undefined
  return extensions?.['io.modelcontextprotocol/tasks'] !== undefined
}

function taskIdIn(text: string): string | undefined {
  const result = (JSON.parse(text) as Message).result as JsonObject | undefined
  const taskId = (result?.task as JsonObject | undefined)?.taskId ?? result?.taskId
  return typeof taskId === 'string' ? taskId : undefined
}
