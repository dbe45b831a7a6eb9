// @ts-check
/**
 * Dispatches incoming frames: one case for each type and event of the protocol. A test compares the two.
 *
 * @typedef {import("../chat/chat.js").Chat} Chat
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

import { refreshSidebar } from "../lists/sidebar.js";

/** @type {Record<string, (chat: Chat, frame: Frame) => void>} */
export const onFrame = {
  delta: (chat, frame) => chat.append(frame.content),
  event: (chat, frame) => onEvent[frame.event]?.(chat, frame.data),
  message: (chat, frame) => chat.addReply(frame),
  error: (chat, frame) => chat.showError(frame),
  done: (chat, frame) => chat.finish(frame),
};

/** @type {Record<string, (chat: Chat, data: any) => void>} */
export const onEvent = {
  session_created: (chat, data) => chat.restore(data),
  message_created: (chat, data) => chat.addMessage(data),
  status: (chat, data) => chat.showStatus(data),
  tool_call: (chat, data) => chat.addCall(data),
  tool_approval_request: (chat, data) => chat.approvals.ask(data),
  approval_resolved: (chat, data) => chat.approvals.resolve(data),
  tool_progress: (chat, data) => chat.approvals.showProgress(data),
  tool_result: (chat, data) => chat.addResult(data),
  reasoning: (chat, data) => chat.addReasoning(data.content),
  block: (chat, data) => chat.addBlock(data),
  branch: (chat) => chat.leaveBranch(),
  title: (chat, data) => chat.retitle(data.session_id, data.title),
  conversation_changed: () => refreshSidebar(),
  conversation_deleted: (chat, data) => chat.remove(data.session_id),
};
