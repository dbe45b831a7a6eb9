// @ts-check
/**
 * Frames in, one case for each type and event of the protocol; a test compares them with it.
 *
 * @typedef {import("./chat.js").Chat} Chat
 * @typedef {{call_id: string, name: string, arguments: object, status: string,
 *   content: string | null, is_error: boolean, offset: number,
 *   edited_arguments?: object, seconds?: number, truncated?: boolean}} Call
 * @typedef {{id: string, parent_id: string | null, siblings: string[], versions?: number,
 *   role: "user" | "assistant", content: string, truncated?: boolean, reasoning?: string,
 *   tool_calls: Call[], status: string}} Message
 * @typedef {{message_id: string, content: string, length?: number, reasoning?: string, status: string,
 *   tool_calls: Call[], note?: string, since?: string}} Turn
 * @typedef {{session_id: string, title: string, model: string, resumed: boolean,
 *   messages: Message[], seq: number, turn: Turn | null}} Snapshot
 * @typedef {{type: string, seq?: number, event?: any, data?: any, content?: any, html?: any, code?: any,
 *   details?: any, message_id?: any, status?: any, client_id?: any, outcome?: any}} Frame
 */

import { sidebarChanged } from "./around.js";

/** @type {Record<string, (chat: Chat, frame: Frame) => void>} */
export const onFrame = {
  delta: (chat, frame) => chat.append(frame.content),
  event: (chat, frame) => onEvent[frame.event]?.(chat, frame.data),
  message: (chat, frame) => chat.notice(frame),
  error: (chat, frame) => chat.error(frame),
  done: (chat, frame) => chat.done(frame),
};

/** @type {Record<string, (chat: Chat, data: any) => void>} */
export const onEvent = {
  session_created: (chat, data) => chat.attached(data),
  message_created: (chat, data) => chat.messageCreated(data),
  status: (chat, data) => chat.status(data),
  tool_call: (chat, data) => chat.toolCalled(data),
  tool_approval_request: (chat, data) => chat.approvals.asked(data),
  approval_resolved: (chat, data) => chat.approvals.resolved(data),
  tool_progress: (chat, data) => chat.approvals.progress(data),
  tool_result: (chat, data) => chat.toolFinished(data),
  reasoning: (chat, data) => chat.reasoning(data.content),
  block: (chat, data) => chat.block(data),
  branch: (chat) => chat.resync(),
  title: (chat, data) => chat.titled(data.session_id, data.title),
  conversation_changed: () => sidebarChanged(),
  conversation_deleted: (chat, data) => chat.deleted(data.session_id),
};
